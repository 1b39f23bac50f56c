//! Pages of lists: `limit` 1…500 (default 10), `offset` ≥ 0, `order_by` with `+` or `-`.

use crate::flows::Refusal;
use crate::http::Query;
use doorward_store::{Direction, Page, Selection};
use serde_json::{Value, json};

/// The page a query asks for.
pub fn page(query: &Query) -> Result<Page, Refusal> {
    page_with_default(query, 10)
}

/// As [`page`], with another default limit.
pub fn page_with_default(query: &Query, default_limit: i64) -> Result<Page, Refusal> {
    let limit = query.int("limit")?.unwrap_or(default_limit);
    if !(1..=500).contains(&limit) {
        return Err(Refusal::QueryInvalid { param: "limit".into(), reason: "must be between 1 and 500".into() });
    }
    let offset = query.int("offset")?.unwrap_or(0);
    if offset < 0 {
        return Err(Refusal::QueryInvalid { param: "offset".into(), reason: "must not be negative".into() });
    }
    Ok(Page { limit, offset })
}

/// The order a query asks for; `default` where it asks for none. Without a sign the order is ascending.
pub fn order<T: Copy>(query: &Query, known: &[(&str, T)], default: (T, Direction)) -> Result<(T, Direction), Refusal> {
    // A plus sign in a query reads as a space.
    let Some(wanted) = query.text("order_by").map(|text| text.trim_start_matches([' ', '+'])) else {
        return Ok(default);
    };
    let (direction, name) = match wanted.strip_prefix('-') {
        Some(name) => (Direction::Descending, name),
        None => (Direction::Ascending, wanted),
    };
    match known.iter().find(|(word, _)| *word == name) {
        Some((_, column)) => Ok((*column, direction)),
        None => {
            let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            let reason = format!("must be one of {}, with + or - before it", words.join(", "));
            Err(Refusal::QueryInvalid { param: "order_by".into(), reason })
        }
    }
}

/// Ids to include (bare or `+`) and to exclude (`-`).
pub fn selection(query: &Query, name: &str) -> Result<Selection, Refusal> {
    let mut selection = Selection::default();
    for value in query.texts(name)? {
        match value.strip_prefix('-') {
            Some(excluded) => selection.exclude.push(excluded.to_owned()),
            None => selection.include.push(value.trim_start_matches([' ', '+']).to_owned()),
        }
    }
    Ok(selection)
}

/// A list on the wire.
pub fn list(data: Vec<Value>, total_count: i64) -> Value {
    json!({"data": data, "total_count": total_count})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn org22_bounds_and_defaults() {
        assert_eq!(page(&Query::parse("")).unwrap(), Page { limit: 10, offset: 0 });
        assert_eq!(page(&Query::parse("limit=500&offset=7")).unwrap(), Page { limit: 500, offset: 7 });
        for bad in ["limit=0", "limit=501", "limit=x", "offset=-1"] {
            assert!(page(&Query::parse(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn order_takes_signs_and_refuses_unknown_words() {
        let known = [("name", 1), ("created_at", 2)];
        let default = (2, Direction::Descending);
        let order = |text: &str| order(&Query::parse(text), &known, default);
        assert_eq!(order("").unwrap(), default);
        assert_eq!(order("order_by=name").unwrap(), (1, Direction::Ascending));
        assert_eq!(order("order_by=%2Bname").unwrap(), (1, Direction::Ascending));
        assert_eq!(order("order_by=+name").unwrap(), (1, Direction::Ascending));
        assert_eq!(order("order_by=-name").unwrap(), (1, Direction::Descending));
        assert!(order("order_by=secret").is_err());
    }

    #[test]
    fn a_selection_has_two_sides() {
        let found = selection(&Query::parse("id=a&id=%2Bb&id=-c"), "id").unwrap();
        assert_eq!(found, Selection { include: vec!["a".into(), "b".into()], exclude: vec!["c".into()] });
    }
}
