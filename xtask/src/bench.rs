//! What an operation costs: CPU time of the server process, as a ratio to the bare cryptography, so that machines compare.
//!
//! The programs that measure print one JSON line per measure; this one runs them, loads the server, and prints one table.

mod account_checks;
mod backend;
mod http;
mod identity_provider;
mod library;
mod peers;
mod process;
mod scale;
mod server;
mod sign_in;
mod table;

use anyhow::Result;

use crate::conformance::Database;
use crate::postgres::Postgres;
use crate::{shell, workspace};
use identity_provider::IdentityProvider;
use peers::{Ours, Peers};
use table::Table;

/// Everything, or one part of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    All,
    Scale,
    /// The SAML rows, beside what other software takes for the same.
    Peers,
    /// Asking after accounts at EASIE providers.
    Accounts,
}

/// Prints what could be measured even if something else failed.
pub(crate) fn run(part: Part) -> Result<()> {
    let mut table = Table::default();
    let measured = measure(part, &mut table);
    table.print();
    measured
}

fn measure(part: Part, table: &mut Table) -> Result<()> {
    shell::run(workspace::cargo().args(["build", "--release", "--locked", "-p", "doorward"]))?;
    let mut idp = IdentityProvider::start()?;
    if part == Part::Peers {
        let peers = Peers::install()?;
        let validation = library::measure(table)?;
        let sign_in = server::measure(&server::ON_SQLITE, Database::Sqlite, &mut idp, table)?;
        return peers.measure(&Ours { validation, sign_in }, table);
    }
    let postgres = Postgres::start()?;
    if part == Part::Accounts {
        account_checks::measure("SQLite", Database::Sqlite, table)?;
        return account_checks::measure("PostgreSQL", Database::Postgres(Some(&postgres)), table);
    }
    if part == Part::All {
        library::measure(table)?;
        server::measure(&server::ON_SQLITE, Database::Sqlite, &mut idp, table)?;
        server::measure(&server::ON_POSTGRES, Database::Postgres(Some(&postgres)), &mut idp, table)?;
        account_checks::measure("SQLite", Database::Sqlite, table)?;
        account_checks::measure("PostgreSQL", Database::Postgres(Some(&postgres)), table)?;
        if server::has_ifma() {
            let mut idp = IdentityProvider::start_with(&[server::WITHOUT_IFMA])?;
            server::measure_without_ifma(&server::ON_SQLITE, Database::Sqlite, &mut idp, table)?;
            let postgres = Database::Postgres(Some(&postgres));
            server::measure_without_ifma(&server::ON_POSTGRES, postgres, &mut idp, table)?;
        }
    }
    scale::measure("SQLite", None, &mut idp, table)?;
    scale::measure("PostgreSQL", Some(&postgres), &mut idp, table)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
