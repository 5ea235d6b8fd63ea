//! Reading `[data.NAME]`.

use std::ops::Range;
use std::sync::Arc;

use reports::document::{Mistake, in_order, string, unknown_key};
use serde_json::Value;
use toml::de::DeTable;

use super::data::{Data, Inquiry, Origin};
use super::file::Place;
use super::placeholders::Placeholders;
use super::plain::{Written, integer, number, scalar, table};
use super::pointer::Pointer;

const DATA_KEYS: [&str; 5] = ["values", "file", "range", "from", "skew"];
const FROM_KEYS: [&str; 4] = ["path", "each", "next", "at_most"];

/// Values that are taken from the server unless the file says how many.
const AT_MOST: usize = 1_000;

impl Place<'_> {
    pub(super) fn data_section(
        self,
        name: &str,
        span: &Range<usize>,
        section: &DeTable<'_>,
    ) -> Result<Data, Mistake> {
        let (mut origin, mut skew) = (None, 0.0);
        for (key, span, value) in in_order(section) {
            let found = match key {
                "values" => listed(value)?,
                "file" => self.lines(value)?,
                "range" => range(value)?,
                "from" => Origin::Asked(self.inquiry(&span, value)?),
                "skew" => {
                    let expected = "expected a number from 0 (all alike) on, such as 1.0";
                    skew = number(value, expected)?;
                    if skew < 0.0 {
                        return Err(Mistake::new(value.span(), "negative skew", expected));
                    }
                    continue;
                }
                _ => return Err(unknown_key(span, key, &format!("data.{name}"), &DATA_KEYS)),
            };
            if origin.replace(found).is_some() {
                let expected = "data have one of values, file, range and from";
                return Err(Mistake::new(span, "second origin", expected));
            }
        }
        let origin = origin.ok_or_else(|| {
            let expected = "expected one of values, file, range and from";
            Mistake::new(span.clone(), "data without values", expected)
        })?;
        Ok(Data { origin, skew })
    }

    /// The lines of a file; empty ones are no values.
    fn lines(self, value: &Written<'_>) -> Result<Origin, Mistake> {
        let name = string(value, "expected the name of a file, beside this one")?;
        let text = std::fs::read_to_string(self.folder.join(name)).map_err(|cause| {
            let expected = format!("{cause}; a file is looked for in the folder of this one");
            Mistake::new(value.span(), "unreadable file", expected)
        })?;
        let lines = text.trim_start_matches('\u{feff}').lines().filter(|line| !line.is_empty());
        let values: Arc<[Value]> = lines.map(Value::from).collect();
        if values.is_empty() {
            return Err(Mistake::new(value.span(), "empty file", "expected a value on each line"));
        }
        Ok(Origin::Given(values))
    }

    fn inquiry(self, span: &Range<usize>, value: &Written<'_>) -> Result<Inquiry, Mistake> {
        let expected = "expected { path = \"/api/products/\", each = \"/results/*/id\" }";
        let (mut path, mut each, mut next, mut at_most) = (None, None, None, AT_MOST);
        let mut placeholders = Placeholders::only(&["workspace"]);
        for (key, span, value) in in_order(table(value, span, expected)?) {
            let pointer = |read: fn(&str) -> Result<Pointer, Mistake>| {
                let text = string(value, "expected a JSON pointer in quotes")?;
                read(text).map_err(|mistake| Mistake { span: value.span(), ..mistake })
            };
            match key {
                "path" => path = Some(self.path(value, &mut placeholders)?),
                "each" => each = Some(pointer(Pointer::to_each)?),
                "next" => next = Some(pointer(Pointer::to_one)?),
                "at_most" => {
                    let expected = "expected a whole number from 1 on";
                    let most = usize::try_from(integer(value, expected)?).ok().filter(|most| *most > 0);
                    at_most = most.ok_or_else(|| Mistake::new(value.span(), "bad number", expected))?;
                }
                _ => return Err(unknown_key(span, key, "from", &FROM_KEYS)),
            }
        }
        match (path, each) {
            (Some(path), Some(each)) => Ok(Inquiry { path, each, next, at_most }),
            _ => Err(Mistake::new(span.clone(), "path or each is missing", expected)),
        }
    }
}

fn listed(value: &Written<'_>) -> Result<Origin, Mistake> {
    let wrong = |expected| Mistake::new(value.span(), "not a list of values", expected);
    let expected = "expected texts, numbers or booleans, such as [\"red\", \"blue\"]";
    let items = value.get_ref().as_array().ok_or_else(|| wrong(expected))?;
    let values: Arc<[Value]> = items
        .iter()
        .map(|item| match (item.get_ref().as_str(), scalar(item)?) {
            (Some(text), _) => Ok(text.into()),
            (None, Some(value)) => Ok(value),
            (None, None) => Err(Mistake::new(item.span(), "value with parts", expected)),
        })
        .collect::<Result<_, _>>()?;
    if values.is_empty() { Err(wrong("expected at least one value")) } else { Ok(Origin::Given(values)) }
}

fn range(value: &Written<'_>) -> Result<Origin, Mistake> {
    let expected = "expected the first and the last whole number, such as [1, 100]";
    let wrong = || Mistake::new(value.span(), "bad range", expected);
    let Some([first, last]) = value.get_ref().as_array().map(|ends| &ends[..]) else { return Err(wrong()) };
    let (first, last) = (integer(first, expected)?, integer(last, expected)?);
    let count = last.checked_sub(first).and_then(|width| u64::try_from(width).ok()).ok_or_else(wrong)?;
    Ok(Origin::Range(first, count + 1))
}
