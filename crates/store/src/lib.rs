//! SQLite and PostgreSQL behind one SQL text: all SQL, transactions and migrations.
//!
//! A module per table holds its queries as functions over a [`Tx`]. Reads take [`Store::read`]; changes run inside
//! [`write_tx!`], which commits them together and replays them when another transaction was in the way.

mod db;
mod error;
mod filter;
mod sqlite;
mod totals;

pub mod clients;
pub mod connection_keys;
pub mod easie_grants;
pub mod enterprise_accounts;
pub mod enterprise_connections;
pub mod instance;
pub mod memberships;
pub mod metadata_refreshes;
pub mod oidc_requests;
pub mod organizations;
pub mod redirect_urls;
pub mod role_holders;
pub mod roles;
pub mod saml_requests;
pub mod sessions;
pub mod sign_ins;
pub mod sign_ups;
pub mod unsolicited_arrivals;
pub mod users;

#[doc(hidden)]
pub use db::typed_future;
pub use db::{Store, Tx, administer};
pub use error::{StoreError, TransactionError};
pub use filter::{Direction, Page, Selection};

/// Every fixed SQL text of the crate, for the test that prepares them on both engines.
pub fn statements() -> Vec<&'static str> {
    [
        clients::ALL,
        connection_keys::ALL,
        easie_grants::ALL,
        enterprise_accounts::ALL,
        enterprise_connections::ALL,
        instance::ALL,
        memberships::ALL,
        metadata_refreshes::ALL,
        oidc_requests::ALL,
        organizations::ALL,
        redirect_urls::ALL,
        role_holders::ALL,
        roles::ALL,
        saml_requests::ALL,
        sessions::ALL,
        sign_ins::ALL,
        sign_ups::ALL,
        totals::ALL,
        unsolicited_arrivals::ALL,
        users::ALL,
    ]
    .concat()
}
