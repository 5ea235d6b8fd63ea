//! What a request asks of the list, beside the page: which customers, and whether to count them.

use crate::customers::filters::Filters;
use crate::customers::reading::Reading;
use crate::customers::values;
use crate::preferences::Handling;
use crate::query::Query;
use crate::refusal::Refusal;

/// Which customers, and what else about them.
#[derive(Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) filters: Filters,
    pub(crate) count: Count,
}

/// What `count` in the body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// What the variant gives without being asked: nothing, or what it has counted anyway.
    Unasked,
    /// An estimate that costs no scan.
    Estimated,
}

impl Asked {
    /// Reads all of it. `count` takes `estimated` and nothing else: a client that asks for another kind would take null
    /// for an answer.
    pub(crate) fn read(query: &Query, handling: Handling) -> Result<Self, Refusal> {
        let mut reading = Reading::of(query);
        if handling == Handling::Strict {
            reading.refuse_unknown();
        }
        let filters = Filters::read(&mut reading);
        let count = reading.value("count", |text| values::one_of(text, &["estimated"]));
        let count = if count.is_some() { Count::Estimated } else { Count::Unasked };
        reading.finish(Self { filters, count })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn wrong(raw: &str, handling: Handling) -> Value {
        match Asked::read(&Query::parse(raw), handling) {
            Err(Refusal::InvalidParameters(wrong)) => json!(wrong),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_count_is_estimated_or_not_asked_for() {
        let count = |raw| Asked::read(&Query::parse(raw), Handling::Lenient).map(|asked| asked.count);
        assert_eq!(count("count=estimated"), Ok(Count::Estimated));
        for raw in ["", "count=", "count=estimated&count="] {
            assert_eq!(count(raw), Ok(Count::Unasked), "{raw}");
        }
        let message = "Select a valid choice. exact is not one of the available choices.";
        assert_eq!(wrong("count=exact", Handling::Lenient), json!({ "count": [message] }));
    }

    #[test]
    fn unknown_parameters_are_named_with_everything_else_that_is_wrong_when_asked_to_be_strict() {
        let raw = "workspace_id=w&statsu=active&statsu=&is_test=maybe&count=0&%00=&duration__gt=&cursor=x";
        assert_eq!(
            wrong(raw, Handling::Strict),
            json!({
                "statsu": ["Unknown parameter."],
                "\0": ["Unknown parameter."],
                "is_test": ["Must be a valid boolean."],
                "count": ["Select a valid choice. 0 is not one of the available choices."],
            })
        );
        assert!(wrong(raw, Handling::Lenient).get("statsu").is_none());
        assert!(Asked::read(&Query::parse("statsu=active"), Handling::Lenient).is_ok());
    }
}
