//! What a session token says (TOK-1, TOK-2).

use crate::app::{App, internal};
use crate::flows::FlowError;
use crate::keys::session_token::{OrganizationClaim, SessionClaims};
use crate::random::hex;
use doorward_model::Millis;
use doorward_rules::session_token::encode_permissions;
use doorward_store::sessions::{TokenFacts, TokenMembership};
use doorward_store::{Tx, roles};

/// Signs a token for a session that may have one. `authorized_party` is the origin it is made for.
pub async fn mint(
    app: &App,
    tx: &mut Tx,
    facts: &TokenFacts,
    authorized_party: Option<String>,
    now: Millis,
    lifetime_seconds: i64,
) -> Result<String, FlowError> {
    let mut random = [0u8; 10];
    app.random.fill(&mut random);
    let issued_at = now / 1000;
    let organization = match &facts.membership {
        Some(membership) => Some(organization_claim(tx, membership).await?),
        None => None,
    };
    let (features, organization) = organization.unzip();
    let claims = SessionClaims {
        azp: authorized_party,
        exp: issued_at + lifetime_seconds,
        fea: features.flatten(),
        fva: [(now - facts.session.authenticated_at).max(0) / 60_000, -1],
        iat: issued_at,
        iss: app.config.issuer(),
        jti: hex(&random),
        // A verifier whose clock is a little behind must not refuse a fresh token.
        nbf: issued_at - 10,
        o: organization,
        sid: facts.session.id.to_string(),
        sts: "active",
        sub: facts.session.user_id.to_string(),
        v: 2,
    };
    app.signing_keys.sign(&claims).map_err(internal)
}

/// The `fea` and `o` claims. Permissions are read only for a role that has some to tell (ROL-4).
async fn organization_claim(
    tx: &mut Tx,
    membership: &TokenMembership,
) -> Result<(Option<String>, OrganizationClaim), FlowError> {
    let mut claim = OrganizationClaim {
        id: membership.organization_id.to_string(),
        rol: membership.role_key.strip_prefix("org:").unwrap_or(&membership.role_key).to_owned(),
        slg: membership.organization_slug.clone(),
        per: None,
        fpm: None,
    };
    if membership.custom_permissions == 0 {
        return Ok((None, claim));
    }
    let all = roles::roles(tx).await?;
    let role = all.iter().find(|role| role.id == membership.role_id);
    let keys = role.into_iter().flat_map(|role| &role.permissions).map(|permission| permission.key.as_str());
    let encoded = encode_permissions(keys);
    if encoded.permissions.is_empty() {
        // Taken away between the two reads.
        return Ok((None, claim));
    }
    claim.per = Some(encoded.permissions);
    claim.fpm = Some(encoded.feature_permission_map);
    Ok((Some(encoded.features), claim))
}
