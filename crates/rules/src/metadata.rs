//! Merging metadata (ORG-19).

use doorward_model::JsonMap;
use serde_json::Value;

/// The largest metadata of one kind, in bytes of JSON.
pub const MAX_BYTES: usize = 8 * 1024;

/// Lays a change over metadata: objects merge key by key at every depth, null removes a key, anything else replaces.
pub fn merge(current: &mut JsonMap, change: JsonMap) {
    for (key, value) in change {
        match (current.get_mut(&key), value) {
            (_, Value::Null) => current.retain(|found, _| *found != key),
            (Some(Value::Object(inner)), Value::Object(change)) => merge(inner, change),
            (_, Value::Object(change)) => {
                // A new object is laid over nothing, so that the nulls in it do not stay.
                let mut fresh = JsonMap::new();
                merge(&mut fresh, change);
                current.insert(key, Value::Object(fresh));
            }
            (_, value) => drop(current.insert(key, value)),
        }
    }
}

/// Whether metadata may be stored: many small merges must not grow it without bound.
pub fn fits(metadata: &JsonMap) -> bool {
    serde_json::to_string(metadata).is_ok_and(|text| text.len() <= MAX_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn merged(current: Value, change: Value) -> String {
        let (Value::Object(mut current), Value::Object(change)) = (current, change) else { panic!("objects") };
        merge(&mut current, change);
        serde_json::to_string(&current).unwrap()
    }

    #[test]
    fn org19_objects_merge_at_every_depth_and_null_removes() {
        let current = json!({"a": 1, "nested": {"x": 1, "y": {"z": 1}}});
        let change = json!({"a": null, "nested": {"y": {"w": 2}}, "b": [1]});
        assert_eq!(merged(current, change), r#"{"nested":{"x":1,"y":{"z":1,"w":2}},"b":[1]}"#);
    }

    #[test]
    fn what_is_no_object_is_replaced_and_no_null_stays() {
        assert_eq!(
            merged(json!({"v": 1, "o": {"k": 1}}), json!({"v": {"k": 1, "n": null}, "o": 2})),
            r#"{"v":{"k":1},"o":2}"#
        );
        assert_eq!(merged(json!({}), json!({"absent": null})), "{}");
    }

    #[test]
    fn metadata_has_a_limit() {
        let mut metadata = JsonMap::new();
        assert!(fits(&metadata));
        metadata.insert("a".into(), Value::from("x".repeat(MAX_BYTES)));
        assert!(!fits(&metadata));
    }
}
