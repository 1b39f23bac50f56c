//! Under which conditions the assertion holds (SAML core 2.5.1).

use roxmltree::Node;

use super::Expectations;
use super::envelope::optional_time;
use super::layout::only_child;
use crate::error::ResponseError;
use crate::instant::UnixMillis;
use crate::xml::NS_ASSERTION;
use crate::xml::read::{children, describe, elements, is, plain_text};

/// Checks `Conditions`, which the profile requires for its audience (profiles 4.1.4.2); returns until when it holds.
pub(super) fn check(assertion: Node, expected: &Expectations) -> Result<Option<UnixMillis>, ResponseError> {
    let conditions = only_child(assertion, "the Assertion", "Conditions")?;
    let not_on_or_after = check_times(conditions, expected)?;
    // A condition that is not understood makes the whole assertion invalid (2.5.1). OneTimeUse asks for what replay
    // memory does anyway, and ProxyRestriction speaks of assertions that we do not issue.
    let unknown = elements(conditions).find(|condition| {
        !["AudienceRestriction", "OneTimeUse", "ProxyRestriction"].iter().any(|name| is(condition, NS_ASSERTION, name))
    });
    if let Some(unknown) = unknown {
        return Err(ResponseError::UnknownCondition { got: describe(&unknown).into() });
    }
    check_audience(conditions, expected)?;
    Ok(not_on_or_after)
}

fn check_times(conditions: Node, expected: &Expectations) -> Result<Option<UnixMillis>, ResponseError> {
    let now = expected.now();
    let not_before = optional_time(conditions, "NotBefore", "NotBefore of the Conditions")?;
    if let Some(not_before) = not_before.filter(|instant| expected.is_ahead(*instant)) {
        return Err(ResponseError::ConditionsNotYetValid { not_before, now });
    }
    let end = optional_time(conditions, "NotOnOrAfter", "NotOnOrAfter of the Conditions")?;
    match end.filter(|instant| expected.has_ended(*instant)) {
        Some(not_on_or_after) => Err(ResponseError::ConditionsExpired { not_on_or_after, now }),
        None => Ok(end),
    }
}

/// At least one AudienceRestriction, and each of them must name us (2.5.1.4).
fn check_audience(conditions: Node, expected: &Expectations) -> Result<(), ResponseError> {
    let mut restrictions = children(conditions, NS_ASSERTION, "AudienceRestriction").peekable();
    if restrictions.peek().is_none() {
        return Err(ResponseError::AudienceMissing { expected: expected.sp_entity_id.into() });
    }
    for restriction in restrictions {
        let audiences = || children(restriction, NS_ASSERTION, "Audience").filter_map(plain_text).map(str::trim_ascii);
        if !audiences().any(|audience| audience == expected.sp_entity_id) {
            let got: Vec<&str> = audiences().take(4).collect();
            return Err(ResponseError::AudienceMismatch {
                expected: expected.sp_entity_id.into(),
                got: got.join(", ").into(),
            });
        }
    }
    Ok(())
}
