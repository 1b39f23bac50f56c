//! Every filter and every order of every list, each with its count.

mod connections;
mod members;
mod organizations;
mod sessions;
mod users;

use doorward_store::Selection;

fn include<T: AsRef<str>>(ids: &[T]) -> Selection {
    Selection { include: texts(ids), exclude: Vec::new() }
}

fn exclude<T: AsRef<str>>(ids: &[T]) -> Selection {
    Selection { include: Vec::new(), exclude: texts(ids) }
}

fn texts<T: AsRef<str>>(ids: &[T]) -> Vec<String> {
    ids.iter().map(|id| id.as_ref().to_owned()).collect()
}

/// `size` ids of which as many as possible exist. Lists of values are padded in SQL, so sizes on both sides of a power of two matter.
fn ids_of_size(size: usize, prefix: &str, existing: usize) -> Vec<String> {
    let numbers = (0..size).map(|n| if n < existing { n as i64 } else { 1_000_000 + n as i64 });
    numbers.map(|n| crate::support::samples::id::<String>(prefix, n)).collect()
}

/// Sizes of value lists to try.
const SIZES: [usize; 5] = [1, 2, 3, 5, 100];
