//! What the store promises, proved on SQLite and on PostgreSQL.

#[cfg(test)]
#[macro_use]
mod support;

#[cfg(test)]
mod cascades;
#[cfg(test)]
mod constraints;
#[cfg(test)]
mod easie_grants;
mod lists;
#[cfg(test)]
mod lookups;
#[cfg(test)]
mod metadata_refreshes;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod statements;
#[cfg(test)]
mod tables;
#[cfg(test)]
mod totals;
#[cfg(test)]
mod transactions;
