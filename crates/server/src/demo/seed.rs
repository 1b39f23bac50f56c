//! The demo's two organizations and their connections. Running it again changes only what has moved.

use crate::app::App;
use crate::demo::test_idp::{Companies, CompanyIdp};
use crate::demo::{ADMINS, COMPANIES, Company};
use crate::flows::FlowError;
use crate::flows::enterprise_connections::{
    self as connections, EnterpriseConnectionChange, NewEnterpriseConnection, SamlChange,
};
use crate::flows::organizations::{self as flow, NewOrganization};
use crate::flows::role_sets::{self, NewRoleSet};
use doorward_model::{
    Domain, EnterpriseConnection, LoginHint, LoginHintMode, Organization, OrganizationId, Provider, RoleSetType,
    SamlConfig,
};
use doorward_store::{enterprise_connections, organizations, roles};

/// Makes what is missing; answers the connections in the order of [`COMPANIES`].
pub async fn run(app: &App, idps: &Companies) -> Result<Vec<EnterpriseConnection>, FlowError> {
    ensure_role_set(app).await?;
    let mut made = Vec::new();
    for company in &COMPANIES {
        let organization = ensure_organization(app, company).await?;
        made.push(ensure_connection(app, idps, company, &organization.id).await?);
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

/// The identity provider's addresses follow its port, so a connection made by an earlier start is brought up to date.
async fn ensure_connection(
    app: &App,
    idps: &Companies,
    company: &Company,
    organization: &OrganizationId,
) -> Result<EnterpriseConnection, FlowError> {
    let idp = idps.of(company);
    let saml = SamlChange {
        idp_entity_id: Some(idp.entity_id.clone()),
        idp_sso_url: Some(idp.sso_url.clone()),
        idp_certificates: Some(vec![idp.key.certificate().base64()]),
        ..SamlChange::default()
    };
    let existing = enterprise_connections::of_organization(&mut app.store.read().await?, organization).await?;
    if let Some(existing) = existing.first() {
        if knows(&existing.saml, idp) {
            return Ok(existing.clone());
        }
        let change = EnterpriseConnectionChange { saml, ..EnterpriseConnectionChange::default() };
        return connections::update(app, &existing.id, change).await;
    }
    let domain = Domain::parse(company.domain).map_err(crate::app::internal)?;
    let change = EnterpriseConnectionChange {
        active: Some(true),
        domains: vec![domain],
        organization_id: Some(organization.clone()),
        // The identity provider shows which of its people the typed address belongs to.
        saml: SamlChange { login_hint: Some(LoginHint { mode: LoginHintMode::EmailAddress, source: None }), ..saml },
        ..EnterpriseConnectionChange::default()
    };
    let new = NewEnterpriseConnection { name: format!("{} SSO", company.name), provider: Provider::SamlCustom, change };
    connections::create(app, new).await
}

fn knows(saml: &SamlConfig, idp: &CompanyIdp) -> bool {
    saml.idp_entity_id.as_deref() == Some(&idp.entity_id)
        && saml.idp_sso_url.as_deref() == Some(&idp.sso_url)
        && saml.idp_certificates == [idp.key.certificate().base64()]
}
