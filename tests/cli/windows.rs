//! The windows of a result, as far as tests look at them.

use serde_json::Value;

/// The operation of each window, its requests, and its errors by kind.
pub(crate) fn windows(run: &Value) -> impl Iterator<Item = (&str, u64, &Value)> {
    run["windows"].as_array().expect("windows").iter().map(|window| {
        let requests = window["requests"].as_u64().expect("a count");
        (window["operation"].as_str().expect("a name"), requests, &window["errors"])
    })
}
