//! The program's source of random bytes, and the secrets made from it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward_model::Random;

/// The operating system's source, by way of aws-lc.
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        if aws_lc_rs::rand::fill(bytes).is_err() {
            // Without randomness every secret would be guessable; there is nothing to go on with.
            std::process::abort();
        }
    }
}

/// 256 random bits as 43 URL-safe characters.
pub fn token(random: &dyn Random) -> String {
    let mut bytes = [0u8; 32];
    random.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Hexadecimal SHA-256, under which secrets are stored and looked up.
pub fn sha256_hex(text: &str) -> String {
    hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes()).as_ref())
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(if value < 10 { b'0' + value } else { b'a' + value - 10 });
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Ten random digits, for names that people read.
pub fn digits(random: &dyn Random) -> String {
    let mut bytes = [0u8; 8];
    random.fill(&mut bytes);
    format!("{:010}", u64::from_be_bytes(bytes) % 10_000_000_000)
}
