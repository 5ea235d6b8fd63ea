//! Where in a JSON document something stands: a JSON pointer (RFC 6901), in which `*` may stand for all elements.

use reports::document::Mistake;
use serde_json::Value;

/// A place, or with `*` several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pointer {
    text: String,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    All,
}

impl Pointer {
    /// Reads a pointer to one place.
    pub(super) fn to_one(text: &str) -> Result<Self, Mistake> {
        let pointer = Self::parse(text)?;
        match text.split('/').position(|step| step == "*") {
            Some(_) => {
                let expected = "`*` stands for all elements, which are looked at in `each`";
                Err(Mistake::new(0..text.len(), "pointer to several places", expected))
            }
            None => Ok(pointer),
        }
    }

    /// Reads a pointer to all elements of something.
    pub(super) fn to_each(text: &str) -> Result<Self, Mistake> {
        let pointer = Self::parse(text)?;
        if pointer.steps.contains(&Step::All) {
            Ok(pointer)
        } else {
            let expected = "expected a `*` that stands for all elements, such as in \"/results/*/id\"";
            Err(Mistake::new(0..text.len(), "pointer to one place", expected))
        }
    }

    fn parse(text: &str) -> Result<Self, Mistake> {
        let wrong = |expected: &str| Mistake::new(0..text.len(), "bad pointer", expected);
        let Some(path) = text.strip_prefix('/') else {
            let whole = Self { text: "the document".to_owned(), steps: Vec::new() };
            return if text.is_empty() {
                Ok(whole)
            } else {
                Err(wrong("it begins with `/`, such as \"/results\"; \"\" is the whole document"))
            };
        };
        let mut steps = Vec::new();
        for step in path.split('/') {
            if step.replace("~0", "").replace("~1", "").contains('~') {
                return Err(wrong("`~` is written `~0`, and `/` within a key `~1`"));
            }
            steps.push(match step {
                "*" => Step::All,
                key => Step::Key(key.replace("~1", "/").replace("~0", "~")),
            });
        }
        Ok(Self { text: text.to_owned(), steps })
    }

    /// What stands in one place; `None` if nothing does.
    pub(super) fn find<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        let mut found = None;
        self.visit(document, &mut |value| {
            found = found.or(value);
            Ok::<(), ()>(())
        })
        .ok();
        found
    }

    /// Shows what stands in all its places, and `None` for each where nothing does. A list without elements has no places.
    /// The first error ends it.
    pub(super) fn visit<'a, E>(
        &self,
        document: &'a Value,
        see: &mut impl FnMut(Option<&'a Value>) -> Result<(), E>,
    ) -> Result<(), E> {
        walk(&self.steps, document, see)
    }
}

fn walk<'a, E>(
    steps: &[Step],
    value: &'a Value,
    see: &mut impl FnMut(Option<&'a Value>) -> Result<(), E>,
) -> Result<(), E> {
    let Some((step, rest)) = steps.split_first() else { return see(Some(value)) };
    match (step, value) {
        (Step::All, Value::Array(items)) => items.iter().try_for_each(|item| walk(rest, item, see)),
        (Step::All, Value::Object(members)) => {
            members.values().try_for_each(|member| walk(rest, member, see))
        }
        (Step::Key(key), Value::Array(items)) => match index(key).and_then(|index| items.get(index)) {
            Some(item) => walk(rest, item, see),
            None => see(None),
        },
        (Step::Key(key), Value::Object(members)) => match members.get(key) {
            Some(member) => walk(rest, member, see),
            None => see(None),
        },
        _ => see(None),
    }
}

/// An index is written without leading zeros and signs (RFC 6901, §4).
fn index(key: &str) -> Option<usize> {
    let index: usize = key.parse().ok()?;
    (index.to_string() == key).then_some(index)
}

impl std::fmt::Display for Pointer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The example of RFC 6901, §5, as far as it differs by kind.
    #[test]
    fn a_pointer_leads_where_the_standard_says() {
        let document = json!({ "foo": ["bar", "baz"], "": 0, "a/b": 1, "m~n": 8, " ": 7, "~1": 9 });
        for (pointer, value) in [
            ("", Some(document.clone())),
            ("/foo", Some(json!(["bar", "baz"]))),
            ("/foo/0", Some(json!("bar"))),
            ("/foo/00", None),
            ("/foo/2", None),
            ("/foo/-", None),
            ("/foo/0/x", None),
            ("/", Some(json!(0))),
            ("/a~1b", Some(json!(1))),
            ("/m~0n", Some(json!(8))),
            ("/ ", Some(json!(7))),
            ("/~01", Some(json!(9))),
        ] {
            assert_eq!(Pointer::to_one(pointer).unwrap().find(&document), value.as_ref(), "{pointer}");
        }
    }

    #[test]
    fn a_star_is_every_element_and_every_member() {
        let document = json!({ "rows": [{ "x": 1 }, {}, { "x": null }], "by": { "a": [2, 3], "b": [] } });
        for (pointer, seen) in [
            ("/rows/*/x", json!([1, "missing", null])),
            ("/by/*/*", json!([2, 3])),
            ("/by/*/0", json!([2, "missing"])),
            ("/none/*", json!(["missing"])),
            ("/rows/0/x/*", json!(["missing"])),
        ] {
            let mut found = Vec::new();
            let pointer = Pointer::to_each(pointer).unwrap();
            let all = pointer.visit(&document, &mut |value| {
                found.push(value.cloned().unwrap_or(json!("missing")));
                Ok::<(), ()>(())
            });
            assert_eq!((all, Value::Array(found)), (Ok(()), seen), "{pointer}");
        }
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        for (text, says) in [
            ("results", "begins with `/`"),
            ("/a~b", "`~` is written `~0`"),
            ("/a~", "`~` is written `~0`"),
            ("/results/*/id", "in `each`"),
        ] {
            assert!(Pointer::to_one(text).unwrap_err().expected.contains(says), "{text}");
        }
        assert!(Pointer::to_each("/results").unwrap_err().expected.contains("`*`"));
        assert!(Pointer::to_each("*").is_err());
    }
}
