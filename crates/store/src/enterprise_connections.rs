//! Enterprise connections and the domains they serve.

use crate::db::{Arg, Row, Tx, args, json_text, statements};
use crate::error::StoreError;
use crate::filter::{Direction, Filter, Page};
use crate::totals::{self, Counted};
use doorward_model::{
    Domain, EnterpriseConnection, EnterpriseConnectionId, OrganizationId, Provider, SamlConnectionId,
};

macro_rules! columns {
    () => {
        "c.id, c.name, c.provider, c.active, c.organization_id, c.sync_user_attributes, c.disable_additional_identifications, \
         c.allow_organization_account_linking, c.authenticatable, c.disable_jit_provisioning, c.custom_attributes, c.domains, \
         c.saml_connection_id, c.saml, c.oidc, c.created_at, c.updated_at"
    };
}
pub(crate) use columns;

statements! {
    BY_ID = concat!("SELECT ", columns!(), " FROM enterprise_connections c WHERE c.id = $1");
    BY_SAML_CONNECTION_ID = concat!("SELECT ", columns!(), " FROM enterprise_connections c WHERE c.saml_connection_id = $1 AND c.oidc IS NULL");
    OF_ORGANIZATION = concat!("SELECT ", columns!(), " FROM enterprise_connections c WHERE c.organization_id = $1 ORDER BY c.created_at, c.id");
    SELECT = concat!("SELECT ", columns!(), " FROM enterprise_connections c");
    COUNT = "SELECT COUNT(*) FROM enterprise_connections c";
    INSERT = "INSERT INTO enterprise_connections (id, name, provider, active, organization_id, sync_user_attributes, \
              disable_additional_identifications, allow_organization_account_linking, authenticatable, disable_jit_provisioning, \
              custom_attributes, domains, saml_connection_id, saml, oidc, created_at, updated_at) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
    UPDATE = "UPDATE enterprise_connections SET name = $2, active = $3, organization_id = $4, sync_user_attributes = $5, \
              disable_additional_identifications = $6, allow_organization_account_linking = $7, authenticatable = $8, \
              disable_jit_provisioning = $9, custom_attributes = $10, domains = $11, saml = $12, oidc = $13, updated_at = $14 WHERE id = $1";
    DELETE = "DELETE FROM enterprise_connections WHERE id = $1";
    DELETE_DOMAINS = "DELETE FROM enterprise_connection_domains WHERE connection_id = $1";
    INSERT_DOMAIN = "INSERT INTO enterprise_connection_domains (connection_id, domain) VALUES ($1, $2)";
}

/// Reads the columns of [`columns!`].
pub(crate) fn read(row: &mut Row<'_>) -> Result<EnterpriseConnection, StoreError> {
    Ok(EnterpriseConnection {
        id: row.id()?,
        name: row.text()?,
        provider: row.word(Provider::parse)?,
        active: row.bool()?,
        organization_id: row.maybe_id()?,
        sync_user_attributes: row.bool()?,
        disable_additional_identifications: row.bool()?,
        allow_organization_account_linking: row.bool()?,
        authenticatable: row.bool()?,
        disable_jit_provisioning: row.bool()?,
        custom_attributes: row.json()?,
        domains: row.json()?,
        saml_connection_id: row.id()?,
        saml: row.json()?,
        oidc: row.maybe_json()?,
        created_at: row.int()?,
        updated_at: row.int()?,
    })
}

/// One by id.
pub async fn by_id(tx: &mut Tx, id: &EnterpriseConnectionId) -> Result<Option<EnterpriseConnection>, StoreError> {
    tx.optional(BY_ID, args![id.as_str()], read).await
}

/// One that speaks SAML, by the id in its ACS URL.
pub async fn by_saml_connection_id(
    tx: &mut Tx,
    id: &SamlConnectionId,
) -> Result<Option<EnterpriseConnection>, StoreError> {
    tx.optional(BY_SAML_CONNECTION_ID, args![id.as_str()], read).await
}

/// The connections linked to an organization, oldest first.
pub async fn of_organization(tx: &mut Tx, id: &OrganizationId) -> Result<Vec<EnterpriseConnection>, StoreError> {
    tx.all(OF_ORGANIZATION, args![id.as_str()], read).await
}

/// The connections, active or not, that list any of these domains, oldest first.
pub async fn serving(tx: &mut Tx, domains: &[Domain]) -> Result<Vec<EnterpriseConnection>, StoreError> {
    let names: Vec<&str> = domains.iter().map(Domain::as_str).collect();
    let mut filter = Filter::new();
    filter.and_in(
        "c.id IN (SELECT d.connection_id FROM enterprise_connection_domains d WHERE d.domain IN",
        &names,
        ") ORDER BY c.created_at, c.id",
    );
    let (sql, args) = filter.query(SELECT);
    tx.all_sql(sql, args, read).await
}

/// What a list of connections asks for (CON-40).
#[derive(Clone, Debug, Default)]
pub struct ListFilter {
    pub organization_id: Option<String>,
    pub active: Option<bool>,
}

fn conditions(wanted: &ListFilter) -> Filter {
    let mut filter = Filter::new();
    if let Some(organization) = &wanted.organization_id {
        filter.and("c.organization_id = ?", [Arg::from(organization)]);
    }
    if let Some(active) = wanted.active {
        filter.and("c.active = ?", [active.into()]);
    }
    filter
}

/// A page of connections, newest first.
pub async fn list(tx: &mut Tx, wanted: &ListFilter, page: Page) -> Result<Vec<EnterpriseConnection>, StoreError> {
    let (sql, args) = conditions(wanted).page(SELECT, ("c.created_at", Direction::Descending), "c.id", page);
    tx.all_sql(sql, args, read).await
}

/// How many connections a list would find in all.
pub async fn count(tx: &mut Tx, wanted: &ListFilter) -> Result<i64, StoreError> {
    let filter = conditions(wanted);
    if filter.is_empty() {
        return totals::of(tx, Counted::Connections).await;
    }
    let (sql, args) = filter.query(COUNT);
    tx.count_sql(sql, args).await
}

/// Adds a connection with its domains.
pub async fn insert(tx: &mut Tx, connection: &EnterpriseConnection) -> Result<(), StoreError> {
    let args = args![
        connection.id.as_str(),
        &connection.name,
        connection.provider.as_str(),
        connection.active,
        connection.organization_id.as_ref().map(OrganizationId::as_str),
        connection.sync_user_attributes,
        connection.disable_additional_identifications,
        connection.allow_organization_account_linking,
        connection.authenticatable,
        connection.disable_jit_provisioning,
        json_text(&connection.custom_attributes)?,
        json_text(&connection.domains)?,
        connection.saml_connection_id.as_str(),
        json_text(&connection.saml)?,
        connection.oidc.as_ref().map(json_text).transpose()?,
        connection.created_at,
        connection.updated_at,
    ];
    tx.run(INSERT, args).await?;
    totals::add(tx, Counted::Connections, connection.id.as_str(), 1).await?;
    insert_domains(tx, connection).await
}

/// Saves a connection with its domains.
pub async fn update(tx: &mut Tx, connection: &EnterpriseConnection) -> Result<(), StoreError> {
    let args = args![
        connection.id.as_str(),
        &connection.name,
        connection.active,
        connection.organization_id.as_ref().map(OrganizationId::as_str),
        connection.sync_user_attributes,
        connection.disable_additional_identifications,
        connection.allow_organization_account_linking,
        connection.authenticatable,
        connection.disable_jit_provisioning,
        json_text(&connection.custom_attributes)?,
        json_text(&connection.domains)?,
        json_text(&connection.saml)?,
        connection.oidc.as_ref().map(json_text).transpose()?,
        connection.updated_at,
    ];
    tx.run(UPDATE, args).await?;
    tx.run(DELETE_DOMAINS, args![connection.id.as_str()]).await?;
    insert_domains(tx, connection).await
}

async fn insert_domains(tx: &mut Tx, connection: &EnterpriseConnection) -> Result<(), StoreError> {
    for domain in &connection.domains {
        tx.run(INSERT_DOMAIN, args![connection.id.as_str(), domain.as_str()]).await?;
    }
    Ok(())
}

/// Removes a connection with its domains and enterprise accounts; people and memberships stay (CON-34, CON-35).
pub async fn delete(tx: &mut Tx, id: &EnterpriseConnectionId) -> Result<bool, StoreError> {
    if tx.run(DELETE, args![id.as_str()]).await? == 0 {
        return Ok(false);
    }
    totals::add(tx, Counted::Connections, id.as_str(), -1).await?;
    Ok(true)
}
