//! What can go wrong between the program and its database.

/// A failed statement, transaction or connection.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another transaction was in the way, or a unique constraint fired; running the transaction again may succeed.
    #[error("conflicting change: {0}")]
    Conflict(String),
    /// A stored value cannot be read as what it should be.
    #[error("stored value cannot be read: {0}")]
    Corrupt(String),
    /// The database was written by a newer version of the program.
    #[error("the database was written by a newer version (migration {0} is unknown here); start that version instead")]
    NewerVersion(i64),
    /// The database is of an older version, or holds something else, and was opened only to look at it.
    #[error("the database is not one that this version has brought up to date; start the server once")]
    Outdated,
    /// The database cannot be opened or reached.
    #[error("cannot open the database {url}: {reason}")]
    Open { url: String, reason: String },
    /// Anything else the database says.
    #[error("database error: {0}")]
    Database(Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// Whether the whole transaction should be run again.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }
}

/// SQLSTATEs of PostgreSQL and primary result codes of SQLite that mean "try the transaction again".
pub(crate) fn is_transient(code: &str) -> bool {
    match code {
        // serialization_failure, deadlock_detected
        "40001" | "40P01" => true,
        // SQLITE_BUSY and SQLITE_LOCKED, in their extended forms too
        _ => code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6) && code < 0x1000),
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::Database(inner) = &error
            && (inner.is_unique_violation() || inner.code().is_some_and(|code| is_transient(&code)))
        {
            return Self::Conflict(inner.message().to_owned());
        }
        Self::Database(Box::new(error))
    }
}

/// An error that a transaction body may end with.
pub trait TransactionError: From<StoreError> {
    /// The store error inside, if that is what it is.
    fn store_error(&self) -> Option<&StoreError>;
}

impl TransactionError for StoreError {
    fn store_error(&self) -> Option<&StoreError> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::is_transient;

    #[test]
    fn serialization_failures_and_busy_errors_are_transient() {
        for code in ["40001", "40P01", "5", "6", "261", "517"] {
            assert!(is_transient(code), "{code}");
        }
        for code in ["23505", "1", "19", "2067", "42601", "57014"] {
            assert!(!is_transient(code), "{code}");
        }
    }
}
