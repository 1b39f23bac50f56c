//! The checks, in the order of OpenID Connect Core 3.1.3.7; the signature comes before all claims.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::{Expectations, IdToken, IdTokenError};
use crate::algorithm::Algorithm;
use crate::claims::Claims;
use crate::discovery::Issuer;
use crate::easie::microsoft::tenant_of_issuer;
use crate::json;
use crate::jws;
use crate::key_set::KeySet;
use crate::shown::Shown;

const LONGEST_SUBJECT: usize = 255;
const MOST_AUDIENCES: usize = 64;

/// Verifies the ID token of a token response: that the provider signed it, for this client, now, in answer to this request.
///
/// # Errors
/// See [`IdTokenError`]. On [`wants_new_keys`](IdTokenError::wants_new_keys), fetch the keys and try again, once.
pub fn verify_id_token(token: &str, keys: &KeySet, expected: &Expectations<'_>) -> Result<IdToken, IdTokenError> {
    let verified = jws::verify(token, keys, expected.algorithms)?;
    let claims = &verified.claims;
    let (issuer, tenant) = issuer(claims, expected.issuer)?;
    key_issuer(verified.key_issuer.as_deref(), &issuer, tenant.as_deref())?;
    audience(claims, expected.client_id)?;
    let times = times(claims, expected)?;
    nonce(claims, expected.nonce)?;
    access_token_hash(claims, verified.algorithm, expected.access_token)?;
    let auth_time_ms = auth_time(claims, expected)?;
    let subject = subject(claims)?;
    Ok(IdToken {
        issuer,
        subject,
        tenant,
        algorithm: verified.algorithm,
        expires_at_ms: times.expires_at_ms,
        issued_at_ms: times.issued_at_ms,
        auth_time_ms,
        claims: Claims::new(verified.claims),
    })
}

fn text<'a>(claims: &'a Map<String, Value>, claim: &'static str) -> Result<Option<&'a str>, IdTokenError> {
    match claims.get(claim) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(IdTokenError::Claim { claim, expected: "a string", got: json::kind(other) }),
    }
}

/// `iss` is compared character by character: no normalization of URLs, as two that are equal to a browser may be two tenants.
pub(crate) fn issuer(claims: &Map<String, Value>, expected: &Issuer) -> Result<(String, Option<String>), IdTokenError> {
    let got = text(claims, "iss")?.ok_or(IdTokenError::Missing("iss"))?;
    let mismatch = |expected: String| IdTokenError::IssuerMismatch { expected: expected.into(), got: got.into() };
    match expected {
        Issuer::Exact(issuer) if got == issuer => Ok((got.to_owned(), None)),
        Issuer::Exact(issuer) => Err(mismatch(issuer.clone())),
        Issuer::TenantTemplate(template) => {
            let tenant = text(claims, "tid")?.ok_or(IdTokenError::Missing("tid"))?;
            let of_tenant = template.replace(crate::TENANT_PLACEHOLDER, tenant);
            if tenant_of_issuer(template, &of_tenant) != Some(tenant) {
                return Err(IdTokenError::TenantInvalid { got: tenant.into() });
            }
            if got == of_tenant { Ok((of_tenant, Some(tenant.to_owned()))) } else { Err(mismatch(of_tenant)) }
        }
    }
}

/// One key set serves all tenants of Microsoft, personal accounts among them, and says of each key whom it signs for. Without
/// this check a key for the ones would do for the others.
fn key_issuer(of_key: Option<&str>, issuer: &str, tenant: Option<&str>) -> Result<(), IdTokenError> {
    let (Some(of_key), Some(tenant)) = (of_key, tenant) else { return Ok(()) };
    let of_key = of_key.replace(crate::TENANT_PLACEHOLDER, tenant);
    if of_key == issuer {
        return Ok(());
    }
    Err(IdTokenError::KeyIssuerMismatch { expected: issuer.into(), got: of_key.into() })
}

/// `aud` has our client in it; of several audiences, `azp` says which one the token was made for.
pub(crate) fn audience(claims: &Map<String, Value>, client_id: &str) -> Result<(), IdTokenError> {
    let expected = || Shown::from(client_id);
    let wrong = |value| IdTokenError::Claim {
        claim: "aud",
        expected: "a string or a list of at most 64 strings",
        got: json::kind(value),
    };
    let audiences: Vec<&str> = match claims.get("aud") {
        None => return Err(IdTokenError::Missing("aud")),
        Some(Value::String(audience)) => vec![audience],
        Some(list @ Value::Array(entries)) if entries.len() > MOST_AUDIENCES => return Err(wrong(list)),
        Some(Value::Array(entries)) => {
            entries.iter().map(|entry| entry.as_str().ok_or_else(|| wrong(entry))).collect::<Result<_, _>>()?
        }
        Some(other) => return Err(wrong(other)),
    };
    if client_id.is_empty() || !audiences.contains(&client_id) {
        return Err(IdTokenError::AudienceMismatch { expected: expected(), got: audiences.join(", ").into() });
    }
    match text(claims, "azp")? {
        Some(party) if party == client_id => Ok(()),
        Some(party) => Err(IdTokenError::AuthorizedPartyMismatch { expected: expected(), got: party.into() }),
        None if audiences.len() > 1 => Err(IdTokenError::AuthorizedPartyMissing { expected: expected() }),
        None => Ok(()),
    }
}

struct Times {
    expires_at_ms: i64,
    issued_at_ms: i64,
}

fn times(claims: &Map<String, Value>, expected: &Expectations<'_>) -> Result<Times, IdTokenError> {
    let (now_ms, skew) = (expected.now_ms, expected.clock_skew_ms);
    let exp_ms = numeric_date(claims, "exp")?.ok_or(IdTokenError::Missing("exp"))?;
    let iat_ms = numeric_date(claims, "iat")?.ok_or(IdTokenError::Missing("iat"))?;
    if now_ms >= exp_ms.saturating_add(skew) {
        return Err(IdTokenError::Expired { exp_ms, now_ms });
    }
    if let Some(nbf_ms) = numeric_date(claims, "nbf")?
        && nbf_ms > now_ms.saturating_add(skew)
    {
        return Err(IdTokenError::NotYetValid { nbf_ms, now_ms });
    }
    if iat_ms > now_ms.saturating_add(skew) {
        return Err(IdTokenError::IssuedInFuture { iat_ms, now_ms });
    }
    if iat_ms < now_ms.saturating_sub(expected.oldest_token_ms.saturating_add(skew)) {
        return Err(IdTokenError::IssuedTooLongAgo { iat_ms, now_ms });
    }
    Ok(Times { expires_at_ms: exp_ms, issued_at_ms: iat_ms })
}

/// `exp` and `nbf` of a token that need not have them.
pub(crate) fn optional_times(claims: &Map<String, Value>, now_ms: i64, skew: i64) -> Result<(), IdTokenError> {
    match (numeric_date(claims, "exp")?, numeric_date(claims, "nbf")?) {
        (Some(exp_ms), _) if now_ms >= exp_ms.saturating_add(skew) => Err(IdTokenError::Expired { exp_ms, now_ms }),
        (_, Some(nbf_ms)) if nbf_ms > now_ms.saturating_add(skew) => Err(IdTokenError::NotYetValid { nbf_ms, now_ms }),
        _ => Ok(()),
    }
}

/// A number of seconds, perhaps with a fraction (RFC 7519, section 2), up to the year 9999. In milliseconds.
fn numeric_date(claims: &Map<String, Value>, claim: &'static str) -> Result<Option<i64>, IdTokenError> {
    const LATEST_S: f64 = 253_402_300_799.0;
    let Some(value) = claims.get(claim) else { return Ok(None) };
    let seconds = value.as_f64().filter(|seconds| (0.0..=LATEST_S).contains(seconds));
    let wrong = || IdTokenError::Claim { claim, expected: "a number of seconds since 1970", got: json::kind(value) };
    seconds.map(|seconds| Some((seconds * 1000.0) as i64)).ok_or_else(wrong)
}

fn nonce(claims: &Map<String, Value>, expected: Option<&str>) -> Result<(), IdTokenError> {
    let Some(expected) = expected else { return Ok(()) };
    let got = text(claims, "nonce")?.ok_or(IdTokenError::Missing("nonce"))?;
    let is_equal = !expected.is_empty() && verify_slices_are_equal(expected.as_bytes(), got.as_bytes()).is_ok();
    if is_equal { Ok(()) } else { Err(IdTokenError::NonceMismatch) }
}

/// The left half of the access token's hash (Core 3.1.3.6). Optional with the code flow, so an absent one is no fault.
fn access_token_hash(
    claims: &Map<String, Value>,
    algorithm: Algorithm,
    access_token: Option<&str>,
) -> Result<(), IdTokenError> {
    let (Some(got), Some(access_token)) = (text(claims, "at_hash")?, access_token) else { return Ok(()) };
    let hash = digest(algorithm.hash(), access_token.as_bytes());
    let half = &hash.as_ref()[..hash.as_ref().len() / 2];
    let is_equal = verify_slices_are_equal(URL_SAFE_NO_PAD.encode(half).as_bytes(), got.as_bytes()).is_ok();
    if is_equal { Ok(()) } else { Err(IdTokenError::AccessTokenHashMismatch) }
}

fn auth_time(claims: &Map<String, Value>, expected: &Expectations<'_>) -> Result<Option<i64>, IdTokenError> {
    // Where nobody asked, a provider that writes it as a string does no harm.
    let Some(max_age_s) = expected.max_age_s else { return Ok(numeric_date(claims, "auth_time").unwrap_or(None)) };
    let got = numeric_date(claims, "auth_time")?;
    let auth_time_ms = got.ok_or(IdTokenError::Missing("auth_time"))?;
    let allowed_ms = i64::try_from(max_age_s).unwrap_or(i64::MAX).saturating_mul(1000);
    if auth_time_ms.saturating_add(allowed_ms).saturating_add(expected.clock_skew_ms) < expected.now_ms {
        return Err(IdTokenError::AuthenticatedTooLongAgo { auth_time_ms, max_age_s, now_ms: expected.now_ms });
    }
    Ok(got)
}

fn subject(claims: &Map<String, Value>) -> Result<String, IdTokenError> {
    let subject = text(claims, "sub")?.ok_or(IdTokenError::Missing("sub"))?;
    if is_subject(subject) { Ok(subject.to_owned()) } else { Err(IdTokenError::SubjectInvalid) }
}

/// 1 to 255 ASCII characters (Core 2), none of them a control character. A subject is compared, so none of white space alone
/// and none with space at its ends, which a form or a database might drop.
pub(crate) fn is_subject(text: &str) -> bool {
    (1..=LONGEST_SUBJECT).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && text.trim() == text
}
