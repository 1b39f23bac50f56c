//! The demo's organizations and their connections. Running it again changes only what has moved.

use crate::app::App;
use crate::demo::companies::{ADMINS, COMPANIES, Company, Kind};
use crate::demo::test_idp::{CompanyIdp, TestIdp};
use crate::demo::test_op::{CLIENT_ID, Op};
use crate::flows::connection_oidc::OidcChange;
use crate::flows::enterprise_connections::{
    self as connections, EnterpriseConnectionChange, NewEnterpriseConnection, SamlChange,
};
use crate::flows::organizations::{self as flow, NewOrganization};
use crate::flows::role_sets::{self, NewRoleSet};
use crate::flows::{FlowError, client_secrets};
use doorward_model::{
    Domain, EnterpriseConnection, LoginHint, LoginHintMode, Organization, OrganizationId, Provider, RoleSetType,
    SamlConfig,
};
use doorward_oidc::Secret;
use doorward_rules::oidc_connection::EndpointsChange;
use doorward_store::{enterprise_connections, organizations, roles};

/// Makes what is missing; answers the connections in the order of [`COMPANIES`].
pub async fn run(app: &App, idp: &TestIdp) -> Result<Vec<EnterpriseConnection>, FlowError> {
    ensure_role_set(app).await?;
    let mut made = Vec::new();
    for company in &COMPANIES {
        let organization = ensure_organization(app, company).await?;
        made.push(ensure_connection(app, idp, company, &organization.id).await?);
    }
    Ok(made)
}

async fn ensure_role_set(app: &App) -> Result<(), FlowError> {
    let existing = roles::role_sets(&mut app.store.read().await?).await?;
    if existing.iter().any(|set| set.key == ADMINS) {
        return Ok(());
    }
    let new = NewRoleSet {
        name: "Everybody is an admin".into(),
        key: Some(ADMINS.into()),
        description: None,
        kind: RoleSetType::Custom,
        roles: vec!["org:admin".into(), "org:member".into()],
        default_role_key: "org:admin".into(),
        creator_role_key: "org:admin".into(),
    };
    role_sets::create(app, new).await.map(drop)
}

async fn ensure_organization(app: &App, company: &Company) -> Result<Organization, FlowError> {
    if let Some(found) = organizations::by_slug(&mut app.store.read().await?, company.slug).await? {
        return Ok(found);
    }
    let new = NewOrganization {
        name: company.name.into(),
        slug: Some(company.slug.into()),
        role_set_key: company.role_set.map(str::to_owned),
        ..NewOrganization::default()
    };
    Ok(flow::create(app, new).await?.organization)
}

/// What stands between a connection and its company's identity provider: nothing, or what has to be changed.
struct Wanted {
    is_met: bool,
    change: EnterpriseConnectionChange,
}

/// The identity provider's addresses follow its port, so a connection made by an earlier start is brought up to date.
async fn ensure_connection(
    app: &App,
    idp: &TestIdp,
    company: &Company,
    organization: &OrganizationId,
) -> Result<EnterpriseConnection, FlowError> {
    let existing = enterprise_connections::of_organization(&mut app.store.read().await?, organization).await?;
    let wanted = match (idp.saml.of(company), idp.op(company)) {
        (Some(own), _) => by_saml(own, existing.first()),
        (None, Some(op)) => by_openid(app, op, existing.first())?,
        (None, None) => return Err(crate::app::internal(format!("{} has no identity provider", company.name))),
    };
    if let Some(existing) = existing.first() {
        return match wanted.is_met {
            true => Ok(existing.clone()),
            false => connections::update(app, &existing.id, wanted.change).await,
        };
    }
    let change = EnterpriseConnectionChange {
        active: Some(true),
        domains: vec![Domain::parse(company.domain).map_err(crate::app::internal)?],
        organization_id: Some(organization.clone()),
        ..wanted.change
    };
    let provider = match company.kind {
        Kind::Saml => Provider::SamlCustom,
        Kind::Oidc => Provider::OidcCustom,
        Kind::Google => Provider::OauthGoogle,
        Kind::Entra => Provider::OauthMicrosoft,
    };
    connections::create(app, NewEnterpriseConnection { name: format!("{} SSO", company.name), provider, change }).await
}

/// The identity provider shows which of its people the typed address belongs to.
fn login_hint() -> Option<LoginHint> {
    Some(LoginHint { mode: LoginHintMode::EmailAddress, source: None })
}

fn by_saml(idp: &CompanyIdp, existing: Option<&EnterpriseConnection>) -> Wanted {
    let saml = SamlChange {
        idp_entity_id: Some(idp.entity_id.clone()),
        idp_sso_url: Some(idp.sso_url.clone()),
        idp_certificates: Some(vec![idp.key.certificate().base64()]),
        login_hint: existing.is_none().then(login_hint).flatten(),
        ..SamlChange::default()
    };
    let is_met = existing.is_some_and(|existing| knows(&existing.saml, idp));
    Wanted { is_met, change: EnterpriseConnectionChange { saml, ..EnterpriseConnectionChange::default() } }
}

fn knows(saml: &SamlConfig, idp: &CompanyIdp) -> bool {
    saml.idp_entity_id.as_deref() == Some(&idp.entity_id)
        && saml.idp_sso_url.as_deref() == Some(&idp.sso_url)
        && saml.idp_certificates == [idp.key.certificate().base64()]
}

fn by_openid(app: &App, op: &Op, existing: Option<&EnterpriseConnection>) -> Result<Wanted, FlowError> {
    let oidc = OidcChange {
        endpoints: EndpointsChange { discovery_url: Some(op.discovery_url()), ..EndpointsChange::default() },
        client_id: Some(CLIENT_ID.into()),
        client_secret: Some(Secret::new(op.client_secret())),
        login_hint: existing.is_none().then(login_hint).flatten(),
        ..OidcChange::default()
    };
    let is_met = match existing.and_then(|existing| Some((existing, existing.oidc.as_ref()?))) {
        None => false,
        Some((existing, known)) => {
            let secret = client_secrets::open(app, existing)?;
            known.discovery_url == oidc.endpoints.discovery_url
                && known.client_id == oidc.client_id
                && secret.is_some_and(|secret| secret.expose() == op.client_secret())
        }
    };
    Ok(Wanted { is_met, change: EnterpriseConnectionChange { oidc, ..EnterpriseConnectionChange::default() } })
}
