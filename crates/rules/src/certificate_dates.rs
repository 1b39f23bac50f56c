//! What the dates of a certificate mean to an operator. They are shown and never enforced.

use doorward_model::Millis;

const DAY: Millis = 24 * 60 * 60 * 1000;

/// Days in which a certificate can be changed without haste.
const NOTICE: Millis = 30;

/// Where a certificate stands in its life.
#[derive(Debug, PartialEq, Eq)]
pub enum Dates {
    Ahead {
        days: Millis,
    },
    Current {
        days_left: Millis,
    },
    /// Time to look after the next one.
    EndsSoon {
        days_left: Millis,
    },
    Over {
        days: Millis,
    },
}

/// Reads the dates; whole days.
pub fn dates(not_before: Millis, not_after: Millis, now: Millis) -> Dates {
    if now >= not_after {
        return Dates::Over { days: now.saturating_sub(not_after) / DAY };
    }
    if now < not_before {
        return Dates::Ahead { days: not_before.saturating_sub(now) / DAY };
    }
    let days_left = not_after.saturating_sub(now) / DAY;
    if days_left < NOTICE { Dates::EndsSoon { days_left } } else { Dates::Current { days_left } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn con24_each_part_of_a_certificates_life_has_its_name() {
        let end = 100 * DAY;
        for (now, expected) in [
            (-2 * DAY, Dates::Ahead { days: 2 }),
            (-1, Dates::Ahead { days: 0 }),
            (0, Dates::Current { days_left: 100 }),
            (70 * DAY, Dates::Current { days_left: 30 }),
            (70 * DAY + 1, Dates::EndsSoon { days_left: 29 }),
            (end - 1, Dates::EndsSoon { days_left: 0 }),
            (end, Dates::Over { days: 0 }),
            (103 * DAY, Dates::Over { days: 3 }),
        ] {
            assert_eq!(dates(0, end, now), expected, "{now}");
        }
        assert_eq!(dates(Millis::MAX, Millis::MAX, Millis::MIN), Dates::Ahead { days: Millis::MAX / DAY });
    }
}
