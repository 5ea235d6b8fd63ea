//! Lists of a body: the array of a bulk request, and lists of ids.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::bodies::MAX_ELEMENTS;
use crate::bodies::json::Json;
use crate::bodies::kinds;
use crate::bodies::messages::Messages;
use crate::bodies::object::Judged;
use crate::refusal::Refusal;

/// The elements of a list of 1 to 1,000.
fn elements(json: Json<'_>, may_be_empty: bool) -> Result<Vec<Json<'_>>, String> {
    match json.elements(MAX_ELEMENTS) {
        None => Err(format!("Expected a list of items but got type \"{}\".", json.python_type())),
        Some((_, 0)) if !may_be_empty => Err("This list may not be empty.".to_owned()),
        Some((_, count)) if count > MAX_ELEMENTS => {
            Err(format!("Ensure this field has no more than {MAX_ELEMENTS} elements."))
        }
        Some((elements, _)) => Ok(elements),
    }
}

/// The items of a bulk request, which is an array of 1 to 1,000.
pub(crate) fn items(json: Json<'_>) -> Result<Vec<Json<'_>>, Refusal> {
    elements(json, false).map_err(|told| Refusal::InvalidBody(Messages::of_the_whole(&told).into()))
}

/// A list of 1 to 1,000 ids, each once, in the order in which they were sent. What is wrong stands under the position.
pub(crate) fn ids(json: Json<'_>) -> Judged<Vec<Uuid>> {
    let mut wrong = Map::new();
    let mut ids = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for (position, element) in elements(json, false).map_err(|told| json!([told]))?.into_iter().enumerate() {
        match kinds::uuid(element) {
            Ok(id) => ids.extend(seen.insert(id).then_some(id)),
            Err(told) => {
                wrong.insert(position.to_string(), told);
            }
        }
    }
    if wrong.is_empty() { Ok(ids) } else { Err(Value::Object(wrong)) }
}

/// A list of up to 1,000 ids of related things, each once. Only the first that is wrong is told.
pub(crate) fn related(json: Json<'_>) -> Judged<Vec<Uuid>> {
    let elements = elements(json, true).map_err(|told| json!([told]))?;
    let mut ids = elements.into_iter().map(kinds::uuid).collect::<Judged<Vec<Uuid>>>()?;
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// Refuses a bulk if anything is wrong with any of its items: a list with an empty object for each that is good.
pub(crate) fn refuse_wrong(messages: Vec<Messages>) -> Result<(), Refusal> {
    if messages.iter().all(Messages::is_empty) {
        return Ok(());
    }
    Err(Refusal::InvalidBody(Value::Array(messages.into_iter().map(Value::from).collect())))
}
