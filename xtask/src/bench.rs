//! What an operation costs: CPU time of the server process, as a ratio to the bare cryptography, so that machines compare.
//!
//! The programs that measure print one JSON line per measure; this one runs them, loads the server, and prints one table.

mod http;
mod identity_provider;
mod library;
mod process;
mod server;
mod sign_in;
mod table;

use anyhow::Result;

use crate::conformance::Database;
use crate::postgres::Postgres;
use crate::{shell, workspace};
use identity_provider::IdentityProvider;
use table::Table;

/// Prints what could be measured even if something else failed.
pub(crate) fn run() -> Result<()> {
    let mut table = Table::default();
    let measured = measure(&mut table);
    table.print();
    measured
}

fn measure(table: &mut Table) -> Result<()> {
    shell::run(workspace::cargo().args(["build", "--release", "--locked", "-p", "doorward"]))?;
    let mut idp = IdentityProvider::start()?;
    library::measure(table)?;
    let postgres = Postgres::start()?;
    server::measure(&server::ON_SQLITE, Database::Sqlite, &mut idp, table)?;
    server::measure(&server::ON_POSTGRES, Database::Postgres(Some(&postgres)), &mut idp, table)
}
