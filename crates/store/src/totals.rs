//! How many rows the large tables have in all, for lists that tell it. Counting looks at every row, so whoever adds or removes
//! one notes it here, in the same transaction.
//!
//! A total is kept in parts, one for each last letter that an id can have. Transactions that run together seldom change the
//! same part, and those that do are replayed.

use crate::db::{Tx, args, statements};
use crate::error::StoreError;

statements! {
    OF = "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM totals WHERE counted = $1";
    // An upsert finds its row by the key even where PostgreSQL would rather read the small table whole, which would be a
    // conflict with every other writer.
    ADD = "INSERT INTO totals (counted, part, amount) VALUES ($1, $2, $3) \
           ON CONFLICT (counted, part) DO UPDATE SET amount = totals.amount + excluded.amount";
}

/// A table whose rows are counted as they come and go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    Organizations,
    Users,
    Memberships,
    Connections,
}

impl Counted {
    fn as_str(self) -> &'static str {
        match self {
            Self::Organizations => "organizations",
            Self::Users => "users",
            Self::Memberships => "organization_memberships",
            Self::Connections => "enterprise_connections",
        }
    }
}

/// How many rows there are.
pub(crate) async fn of(tx: &mut Tx, counted: Counted) -> Result<i64, StoreError> {
    Ok(tx.optional(OF, args![counted.as_str()], |row| row.int()).await?.unwrap_or(0))
}

/// Notes that rows were added, or removed if `amount` is negative; `id` is that of any row concerned.
pub(crate) async fn add(tx: &mut Tx, counted: Counted, id: &str, amount: i64) -> Result<(), StoreError> {
    let part = id.char_indices().last().map_or("", |(at, _)| &id[at..]);
    tx.run(ADD, args![counted.as_str(), part, amount]).await.map(drop)
}
