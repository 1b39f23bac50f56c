//! Put into a copy of a crate by `cargo xtask mutants`: the switch that turns off one check of it. The product has none.

use std::io::Write;
use std::sync::LazyLock;

/// The number of the check that is off; 0 is none.
static OFF: LazyLock<u32> =
    LazyLock::new(|| std::env::var("MUTANT_OFF").ok().and_then(|number| number.parse().ok()).unwrap_or(0));

/// Where the refusals that a test reaches are noted, if they are.
static REACHED: LazyLock<Option<std::path::PathBuf>> = LazyLock::new(|| std::env::var_os("MUTANT_REACHED").map(Into::into));

/// Whether check `number` is in force.
pub(crate) fn holds(number: u32) -> bool {
    *OFF != number
}

/// Whether check `number` is switched off.
pub(crate) fn off(number: u32) -> bool {
    *OFF == number
}

/// A count that must be zero.
pub(crate) fn zero(number: u32, count: usize) -> usize {
    if off(number) { 0 } else { count }
}

/// Something that must not be there.
pub(crate) fn none<T>(number: u32, found: Option<T>) -> Option<T> {
    if off(number) { None } else { found }
}

/// A list that may have no more than `most` entries.
pub(crate) fn first<T>(number: u32, list: &[T], most: usize) -> &[T] {
    if off(number) { list.get(..most).unwrap_or(list) } else { list }
}

/// Notes that a test has come to the refusal `number`.
pub(crate) fn reached(number: u32) {
    if let Some(path) = REACHED.as_ref() {
        let test = std::thread::current().name().unwrap_or("?").to_owned();
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        let _written = file.and_then(|mut file| file.write_all(format!("{number} {test}\n").as_bytes()));
    }
}

/// A value without which the code cannot go on; notes that it is missing.
pub(crate) fn needed<T: Missing>(number: u32, value: T) -> T {
    if value.is_missing() {
        reached(number);
    }
    value
}

pub(crate) trait Missing {
    fn is_missing(&self) -> bool;
}

impl<T> Missing for Option<T> {
    fn is_missing(&self) -> bool {
        self.is_none()
    }
}

impl<T, E> Missing for Result<T, E> {
    fn is_missing(&self) -> bool {
        self.is_err()
    }
}
