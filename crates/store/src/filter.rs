//! Conditions of a list query, put together from constant fragments and bound values only.

use crate::db::Arg;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

/// A page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    pub limit: i64,
    pub offset: i64,
}

/// One sort direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Ascending,
    Descending,
}

impl Direction {
    fn sql(self) -> &'static str {
        match self {
            Self::Ascending => " ASC",
            Self::Descending => " DESC",
        }
    }
}

/// A condition that every row meets.
const EVERYTHING: &str = " WHERE 1 = 1";

/// A growing `WHERE` clause.
pub(crate) struct Filter {
    sql: String,
    args: Vec<Arg>,
}

impl Filter {
    /// Starts from the part of the query before any condition.
    pub(crate) fn new() -> Self {
        Self { sql: EVERYTHING.to_owned(), args: Vec::new() }
    }

    /// Adds `AND <fragment>`; each `?` in the fragment is replaced by the next bound value.
    pub(crate) fn and<const N: usize>(&mut self, fragment: &'static str, args: [Arg; N]) {
        let mut args = args.into_iter();
        self.sql.push_str(" AND ");
        for part in fragment.split_inclusive('?') {
            match part.strip_suffix('?') {
                Some(text) => {
                    self.sql.push_str(text);
                    self.bind(args.next().unwrap_or(Arg::Text(None)));
                }
                None => self.sql.push_str(part),
            }
        }
    }

    /// Adds `AND <before> (v1, v2, …) <after>`. The list is padded to a power of two, so that few distinct statements exist.
    pub(crate) fn and_in<T: AsRef<str>>(&mut self, before: &'static str, values: &[T], after: &'static str) {
        self.sql.push_str(" AND ");
        self.sql.push_str(before);
        self.sql.push_str(" (");
        for index in 0..values.len().next_power_of_two().max(1) {
            if index > 0 {
                self.sql.push_str(", ");
            }
            self.bind(Arg::Text(values.get(index).or(values.last()).map(|value| value.as_ref().to_owned())));
        }
        self.sql.push(')');
        self.sql.push_str(after);
    }

    /// Whether every row is wanted.
    pub(crate) fn is_empty(&self) -> bool {
        self.sql == EVERYTHING
    }

    fn bind(&mut self, arg: Arg) {
        self.args.push(arg);
        self.sql.push('$');
        self.sql.push_str(&self.args.len().to_string());
    }

    /// `select` + conditions.
    pub(crate) fn query(&self, select: &'static str) -> (SqlStr, Vec<Arg>) {
        (AssertSqlSafe(format!("{select}{}", self.sql)).into_sql_str(), self.args.clone())
    }

    /// `select` + conditions, ordered by one column and then by id, cut to a page.
    pub(crate) fn page(
        &self,
        select: &'static str,
        order: (&'static str, Direction),
        id: &'static str,
        page: Page,
    ) -> (SqlStr, Vec<Arg>) {
        let direction = order.1.sql();
        let mut args = self.args.clone();
        args.extend([Arg::Int(Some(page.limit)), Arg::Int(Some(page.offset))]);
        let sql = format!(
            "{select}{} ORDER BY {}{direction}, {id}{direction} LIMIT CAST(${} AS BIGINT) OFFSET CAST(${} AS BIGINT)",
            self.sql,
            order.0,
            args.len() - 1,
            args.len()
        );
        (AssertSqlSafe(sql).into_sql_str(), args)
    }
}

/// A pattern that finds `text` anywhere, for `LOWER(column) LIKE LOWER(?) ESCAPE '\'`.
///
/// Both sides are left to the engine: SQLite's `LOWER`, and PostgreSQL's in the C locale, know ASCII letters only, and a
/// pattern in which `Ü` was lower-cased here would not even find the name as it was written.
pub(crate) fn contains_pattern(text: &str) -> Arg {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    Arg::Text(Some(format!("%{escaped}%")))
}

/// The same for `address LIKE ? ESCAPE '\'`: addresses are lower-cased, whatever their letters, before they are stored.
pub(crate) fn address_contains_pattern(text: &str) -> Arg {
    contains_pattern(&text.to_lowercase())
}

/// The ids a filter such as `user_id=+a&user_id=-b` wants and does not want (API "`+` and `-` can be prepended").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    pub include: Vec<String>,
    pub exclude: Vec<String>,
}

impl Selection {
    /// Whether nothing was asked for.
    pub fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// Adds `column IN (…)` and `column NOT IN (…)`.
    pub(crate) fn apply(
        &self,
        filter: &mut Filter,
        in_column: &'static str,
        not_in_column: &'static str,
        after: &'static str,
    ) {
        if !self.include.is_empty() {
            filter.and_in(in_column, &self.include, after);
        }
        if !self.exclude.is_empty() {
            filter.and_in(not_in_column, &self.exclude, after);
        }
    }
}
