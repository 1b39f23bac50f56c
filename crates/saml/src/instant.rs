//! Instants as SAML writes them (`xs:dateTime` in UTC, SAML core 1.3.3) and as we carry them (Unix milliseconds).

use std::fmt;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Milliseconds since 1970-01-01T00:00:00Z, shown as `2026-11-24T06:48:36.663Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixMillis(pub i64);

/// No `xs:dateTime` of a real IdP is longer: date, time, nanoseconds, offset.
const LONGEST: usize = 40;

impl UnixMillis {
    /// Reads an `xs:dateTime`. A missing time zone means UTC, which SAML core 1.3.3 demands anyway; fractions below a
    /// millisecond are cut off.
    pub(crate) fn parse(text: &str) -> Option<UnixMillis> {
        let text = text.trim_ascii();
        if text.len() > LONGEST || text.as_bytes().get(10) != Some(&b'T') {
            return None;
        }
        let moment = match OffsetDateTime::parse(text, &Rfc3339) {
            Ok(moment) => moment,
            Err(_) => OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339).ok()?,
        };
        let millis = moment.unix_timestamp_nanos().div_euclid(1_000_000);
        i64::try_from(millis).ok().map(UnixMillis)
    }
}

impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = i128::from(self.0) * 1_000_000;
        match OffsetDateTime::from_unix_timestamp_nanos(nanos) {
            Ok(moment) => write!(
                f,
                "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
                moment.year(),
                u8::from(moment.month()),
                moment.day(),
                moment.hour(),
                moment.minute(),
                moment.second(),
                moment.millisecond()
            ),
            // Outside of the years the calendar knows; only our own caller can say such a time.
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::UnixMillis;

    #[test]
    fn reads_what_idps_write() {
        for (text, expected) in [
            ("2026-11-24T06:48:36Z", Some(1_795_502_916_000)),
            ("2026-11-24T06:48:36.663Z", Some(1_795_502_916_663)),
            ("2026-11-24T06:48:36.6639999Z", Some(1_795_502_916_663)),
            ("2026-11-24T06:48:36", Some(1_795_502_916_000)),
            ("2026-11-24T07:48:36+01:00", Some(1_795_502_916_000)),
            (" 2026-11-24T06:48:36Z\n", Some(1_795_502_916_000)),
            ("1969-12-31T23:59:59.9995Z", Some(-1)),
            ("2026-11-24T06:48:36.6639999999999999999Z", Some(1_795_502_916_663)),
            ("2026-11-24T06:48:36.66399999999999999999Z", None),
            ("2026-11-24", None),
            ("2026-11-24 06:48:36Z", None),
            ("2026-13-24T06:48:36Z", None),
            ("2026-02-30T06:48:36Z", None),
            ("99999999-11-24T06:48:36Z", None),
            ("2026-11-24T06:48:36.66399999999999999999999999Z", None),
            ("", None),
        ] {
            assert_eq!(UnixMillis::parse(text), expected.map(UnixMillis), "{text}");
        }
    }

    #[test]
    fn shows_what_it_reads() {
        for text in ["2026-11-24T06:48:36.663Z", "1970-01-01T00:00:00.000Z"] {
            assert_eq!(UnixMillis::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(UnixMillis(i64::MAX).to_string(), format!("{} ms", i64::MAX));
    }
}
