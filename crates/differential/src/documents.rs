//! What is judged: the corpus of `doorward-saml`, and Responses recorded from identity providers.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use doorward_saml::{
    DEFAULT_CLOCK_SKEW_MS, DecryptionKey, Expectations, IdpMetadata, ResponseError, TrustedCertificate,
    validate_response,
};
use serde_json::Value;

/// A document and our verdict on it.
#[derive(Debug)]
pub struct Judged {
    /// `accepted/name`, `rejected/name` or `recorded/name`.
    pub name: String,
    /// The document.
    pub xml: String,
    /// The certificates of the connection, as PEM.
    pub certificates: Vec<String>,
    /// The code of our refusal; `None` if we accept it.
    pub refusal: Option<&'static str>,
}

impl Judged {
    /// Whether our verdict is that the signatures are good, whatever else we may have against the Response.
    pub fn is_signature_good(&self) -> bool {
        self.refusal.is_none_or(|code| OF_WHAT_IT_SAYS.contains(&code))
    }
}

/// The codes of refusals that come after the signatures have been verified.
const OF_WHAT_IT_SAYS: [&str; 27] = [
    "attribute_name_missing",
    "audience_mismatch",
    "audience_missing",
    "authn_statement_missing",
    "conditions_expired",
    "conditions_not_yet_valid",
    "destination_mismatch",
    "destination_missing",
    "element_count",
    "encrypted_part_unsupported",
    "in_response_to_mismatch",
    "in_response_to_missing",
    "in_response_to_unexpected",
    "issued_in_future",
    "issued_too_long_ago",
    "issuer_mismatch",
    "name_id_invalid",
    "recipient_mismatch",
    "recipient_missing",
    "response_issuer_mismatch",
    "session_expired",
    "subject_confirmation_count",
    "subject_confirmation_expired",
    "subject_confirmation_not_before",
    "time_invalid",
    "unexpected_element",
    "unknown_condition",
];

fn saml_tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("saml").join("tests")
}

fn key_file(name: &str) -> Result<String> {
    let path = saml_tests().join("keys").join(name);
    fs::read_to_string(&path).with_context(|| path.display().to_string())
}

/// The private key in PEM.
fn decryption_key(pem: &str) -> Result<DecryptionKey> {
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    Ok(DecryptionKey::from_pkcs8(&STANDARD.decode(base64)?)?)
}

fn text<'a>(json: &'a Value, pointer: &str) -> Result<&'a str> {
    json.pointer(pointer).and_then(Value::as_str).with_context(|| format!("no {pointer}"))
}

fn code<T>(result: Result<T, ResponseError>) -> Option<&'static str> {
    result.err().map(|error| error.code())
}

/// Accepted and rejected cases that are XML.
///
/// # Errors
/// The corpus cannot be read.
pub fn corpus() -> Result<Vec<Judged>> {
    let mut judged = Vec::new();
    for kind in ["accepted", "rejected"] {
        let mut folders: Vec<PathBuf> = fs::read_dir(saml_tests().join(kind))?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        folders.sort();
        for folder in folders {
            let name = format!("{kind}/{}", folder.file_name().unwrap_or_default().to_string_lossy());
            // Bytes that are no text, and form values that are no base64, never come to any of the three.
            let Ok(xml) = fs::read_to_string(folder.join("response.xml")) else { continue };
            let params: Value = serde_json::from_slice(&fs::read(folder.join("params.json"))?)?;
            judged.push(of_corpus(name.clone(), xml, &params).with_context(|| name)?);
        }
    }
    Ok(judged)
}

fn of_corpus(name: String, xml: String, params: &Value) -> Result<Judged> {
    let names = |key: &str| {
        let names = params[key].as_array().into_iter().flatten();
        names.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    let certificates: Vec<String> =
        names("certificates").iter().map(|name| key_file(&format!("{name}.crt"))).collect::<Result<_>>()?;
    let trusted: Vec<TrustedCertificate> =
        certificates.iter().map(|pem| TrustedCertificate::parse(pem)).collect::<Result<_, _>>()?;
    let keys: Vec<DecryptionKey> = names("decryption_keys")
        .iter()
        .map(|name| decryption_key(&key_file(&format!("{name}.key"))?))
        .collect::<Result<_>>()?;
    let expected = Expectations {
        now_ms: params["now_ms"].as_i64().context("no now_ms")?,
        clock_skew_ms: DEFAULT_CLOCK_SKEW_MS,
        acs_url: text(params, "/acs_url")?,
        sp_entity_id: text(params, "/sp_entity_id")?,
        idp_entity_id: text(params, "/idp_entity_id")?,
        certificates: &trusted,
        decryption_keys: &keys,
        in_response_to: params["in_response_to"].as_str(),
    };
    let refusal = code(validate_response(&STANDARD.encode(&xml), &expected));
    Ok(Judged { name, xml, certificates, refusal })
}

/// The recorded Responses, or none if they do not lie beside the project. Judged when they were issued.
///
/// # Errors
/// They are there and cannot be read.
pub fn samples() -> Result<Vec<Judged>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples");
    let Ok(entries) = fs::read_dir(&folder) else { return Ok(Vec::new()) };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    paths.iter().map(|path| sample(path).with_context(|| path.display().to_string())).collect()
}

fn sample(path: &Path) -> Result<Judged> {
    let json: Value = serde_json::from_slice(&fs::read(path)?)?;
    let metadata = IdpMetadata::parse(text(&json, "/idpMetadata")?.as_bytes())?;
    let form = text(&json, "/samlResponse")?;
    // When it was issued.
    let issued = text(&json, "/expected/validity/issueInstant")?;
    let expected = Expectations {
        now_ms: instant(issued)?,
        clock_skew_ms: DEFAULT_CLOCK_SKEW_MS,
        acs_url: text(&json, "/sp/acsUrl")?,
        sp_entity_id: text(&json, "/sp/entityId")?,
        idp_entity_id: text(&json, "/expected/issuer")?,
        certificates: &metadata.certificates,
        decryption_keys: &[decryption_key(text(&json, "/sp/privateKeyPem")?)?],
        in_response_to: match json["idpInitiated"] == Value::Bool(true) {
            true => None,
            false => Some(text(&json, "/requestId")?),
        },
    };
    let compact: String = form.split_ascii_whitespace().collect();
    Ok(Judged {
        name: format!("recorded/{}", path.file_stem().unwrap_or_default().to_string_lossy()),
        xml: String::from_utf8(STANDARD.decode(compact)?)?,
        certificates: metadata.certificates.iter().map(TrustedCertificate::pem).collect(),
        refusal: code(validate_response(form, &expected)),
    })
}

fn instant(text: &str) -> Result<i64> {
    let format = &time::format_description::well_known::Rfc3339;
    Ok(i64::try_from(time::OffsetDateTime::parse(text, format)?.unix_timestamp_nanos() / 1_000_000)?)
}
