#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod bergshamra_peer;
mod documents;
mod xmlsec1_peer;

pub use bergshamra_peer::Bergshamra;
pub use documents::{Judged, corpus, samples};
pub use xmlsec1_peer::Xmlsec1;
