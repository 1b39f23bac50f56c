//! Lists that are short enough to be read whole: roles, permissions, role sets.

use crate::flows::Refusal;
use crate::http::Query;
use crate::http::pagination::{order, page};
use doorward_model::Millis;
use doorward_store::Direction;
use std::cmp::Ordering;

/// What an item is found and ordered by.
pub(super) struct Entry<'a> {
    pub(super) id: &'a str,
    pub(super) key: &'a str,
    pub(super) name: &'a str,
    pub(super) created_at: Millis,
}

#[derive(Clone, Copy)]
enum Order {
    CreatedAt,
    Name,
    Key,
}

const ORDERS: &[(&str, Order)] = &[("created_at", Order::CreatedAt), ("name", Order::Name), ("key", Order::Key)];

fn compare(left: &Entry<'_>, right: &Entry<'_>, order: Order) -> Ordering {
    let by_column = match order {
        Order::CreatedAt => left.created_at.cmp(&right.created_at),
        Order::Name => left.name.cmp(right.name),
        Order::Key => left.key.cmp(right.key),
    };
    by_column.then_with(|| left.id.cmp(right.id))
}

/// The page a query asks for and how many items it would find in all. `query` is exact on the id, partial on name and key.
pub(super) fn cut<T>(items: Vec<T>, query: &Query, entry: fn(&T) -> Entry<'_>) -> Result<(Vec<T>, i64), Refusal> {
    let (order, direction) = order(query, ORDERS, (Order::CreatedAt, Direction::Descending))?;
    let page = page(query)?;
    let wanted = query.text("query");
    let part = wanted.unwrap_or_default().to_lowercase();
    let is_wanted = |item: &T| {
        let Entry { id, key, name, .. } = entry(item);
        wanted.is_none_or(|text| id == text)
            || key.to_lowercase().contains(&part)
            || name.to_lowercase().contains(&part)
    };
    let mut found: Vec<T> = items.into_iter().filter(is_wanted).collect();
    found.sort_by(|left, right| {
        let ascending = compare(&entry(left), &entry(right), order);
        if direction == Direction::Descending { ascending.reverse() } else { ascending }
    });
    let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let offset = usize::try_from(page.offset).unwrap_or(usize::MAX);
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    Ok((found.into_iter().skip(offset).take(limit).collect(), total))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Item = (&'static str, &'static str, &'static str, Millis);

    fn found(query: &str) -> (Vec<&'static str>, i64) {
        let items: Vec<Item> = vec![
            ("role_1", "org:admin", "Admin", 1),
            ("role_2", "org:member", "Member", 2),
            ("role_3", "org:auditor", "Reads all", 3),
        ];
        let entry: fn(&Item) -> Entry<'_> =
            |(id, key, name, created_at)| Entry { id, key, name, created_at: *created_at };
        let (page, total) = cut(items, &Query::parse(query), entry).unwrap();
        (page.into_iter().map(|item| item.0).collect(), total)
    }

    #[test]
    fn newest_first_or_as_asked() {
        assert_eq!(found(""), (vec!["role_3", "role_2", "role_1"], 3));
        assert_eq!(found("order_by=name"), (vec!["role_1", "role_2", "role_3"], 3));
        assert_eq!(found("order_by=-key"), (vec!["role_2", "role_3", "role_1"], 3));
    }

    #[test]
    fn exact_on_the_id_and_partial_on_name_and_key() {
        assert_eq!(found("query=role_2"), (vec!["role_2"], 1));
        assert_eq!(found("query=role_"), (vec![], 0));
        assert_eq!(found("query=READS"), (vec!["role_3"], 1));
        assert_eq!(found("query=org:a"), (vec!["role_3", "role_1"], 2));
    }

    #[test]
    fn pages_keep_the_total() {
        assert_eq!(found("limit=1&offset=1"), (vec!["role_2"], 3));
        assert_eq!(found("offset=7"), (vec![], 3));
    }
}
