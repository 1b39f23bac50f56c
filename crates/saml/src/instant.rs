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

/// Reads an `xs:duration` of whole numbers, such as `P1DT12H` or `PT6H30M`, as milliseconds; fractions of seconds are cut off,
/// a year counts 365 days and a month 30. A negative one is none.
pub(crate) fn parse_duration(text: &str) -> Option<i64> {
    let text = text.trim_ascii();
    let mut rest = text.strip_prefix('P').filter(|_| text.len() <= LONGEST)?;
    let (mut seconds, mut in_time, mut parts) = (0i64, false, 0);
    let mut units = [('Y', 31_536_000), ('M', 2_592_000), ('D', 86_400)].iter();
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T') {
            if in_time || time.is_empty() {
                return None;
            }
            (in_time, rest) = (true, time);
            units = [('H', 3600), ('M', 60), ('S', 1)].iter();
            continue;
        }
        let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let (number, behind) = rest.split_at(end);
        let mut behind = behind.chars();
        let unit = behind.next()?;
        let whole = match number.split_once('.') {
            Some((whole, fraction)) if unit == 'S' && fraction.bytes().all(|digit| digit.is_ascii_digit()) => whole,
            Some(_) => return None,
            None => number,
        };
        if whole.is_empty() || !whole.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        // Each unit once and in its order: what is skipped does not come back.
        let (_, length) = units.by_ref().find(|(name, _)| *name == unit)?;
        seconds = seconds.checked_add(whole.parse::<i64>().ok()?.checked_mul(*length)?)?;
        (rest, parts) = (behind.as_str(), parts + 1);
    }
    seconds.checked_mul(1000).filter(|_| parts > 0)
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
    use super::{UnixMillis, parse_duration};

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
    fn reads_durations() {
        for (text, expected) in [
            ("PT6H", Some(21_600_000)),
            ("P1D", Some(86_400_000)),
            ("P1DT1H1M1.5S", Some(90_061_000)),
            ("P1Y2M3D", Some((365 + 60 + 3) * 86_400_000)),
            ("P2M", Some(5_184_000_000)),
            ("PT2M", Some(120_000)),
            (" PT0S ", Some(0)),
            ("PT99999999999999999999S", None),
            ("P9223372036854775807D", None),
            ("-P1D", None),
            ("P-1D", None),
            ("P", None),
            ("PT", None),
            ("P1DT", None),
            ("P1H", None),
            ("PT1D", None),
            ("PT1M1H", None),
            ("PT1H1H", None),
            ("PT1HT1M", None),
            ("P1.5D", None),
            ("PT.S", None),
            ("PTüS", None),
            ("6h", None),
            ("", None),
        ] {
            assert_eq!(parse_duration(text), expected, "{text}");
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
