//! Reading `expect`.

use std::ops::Range;

use reports::document::{Mistake, in_order, string, unknown_key};

use super::condition::{Condition, KINDS, Test};
use super::expectation::Expectation;
use super::file::Place;
use super::placeholders::Placeholders;
use super::plain::{Written, boolean, integer, number, one_or_many, table};
use super::pointer::Pointer;

const EXPECT_KEYS: [&str; 5] = ["status", "json", "each", "contains", "header"];
const CONDITION_KEYS: [&str; 6] = ["equals", "one_of", "type", "at_least", "at_most", "exists"];

/// A condition that would make every reply wrong, or none.
const IMPOSSIBLE: &str = "nothing that could hold";

impl Place<'_> {
    pub(super) fn expectation(
        self,
        span: &Range<usize>,
        value: &Written<'_>,
        placeholders: &mut Placeholders<'_>,
    ) -> Result<Expectation, Mistake> {
        let mut expectation = Expectation::default();
        let expected = "expected what a right reply has, such as { status = 200 }";
        for (key, span, value) in in_order(table(value, span, expected)?) {
            match key {
                "status" => {
                    let statuses = one_or_many(value).into_iter().map(status);
                    expectation.statuses = statuses.collect::<Result<_, _>>()?;
                    if expectation.statuses.is_empty() {
                        return Err(Mistake::new(value.span(), "no HTTP status", "expected at least one"));
                    }
                }
                "header" => expectation.headers = self.headers(&span, value, placeholders)?,
                "contains" => {
                    let texts = one_or_many(value).into_iter().map(|text| self.template(text, placeholders));
                    expectation.texts = texts.collect::<Result<_, _>>()?;
                }
                "json" => expectation.conditions.extend(self.conditions(
                    &span,
                    value,
                    Pointer::to_one,
                    placeholders,
                )?),
                "each" => expectation.conditions.extend(self.conditions(
                    &span,
                    value,
                    Pointer::to_each,
                    placeholders,
                )?),
                _ => return Err(unknown_key(span, key, "expect", &EXPECT_KEYS)),
            }
        }
        Ok(expectation)
    }

    fn conditions(
        self,
        span: &Range<usize>,
        value: &Written<'_>,
        pointer: fn(&str) -> Result<Pointer, Mistake>,
        placeholders: &mut Placeholders<'_>,
    ) -> Result<Vec<Condition>, Mistake> {
        let expected = "expected JSON pointers and what stands there, such as { \"/count\" = 3 }";
        let entries = in_order(table(value, span, expected)?).into_iter();
        let condition = |(text, span, value)| {
            let pointer = pointer(text).map_err(|mistake| Mistake { span, ..mistake })?;
            Ok(Condition { pointer, tests: self.tests(value, placeholders)? })
        };
        entries.map(condition).collect()
    }

    fn tests(self, value: &Written<'_>, placeholders: &mut Placeholders<'_>) -> Result<Vec<Test>, Mistake> {
        let Some(conditions) = value.get_ref().as_table() else {
            return Ok(vec![Test::OneOf(vec![self.shape(value, placeholders)?])]);
        };
        let mut tests = Vec::new();
        for (key, span, value) in in_order(conditions) {
            let size = "expected a number: of a number its least or most, of a text, list or object that of its length";
            tests.push(match key {
                "equals" => Test::OneOf(vec![self.shape(value, placeholders)?]),
                "one_of" => {
                    let values = one_or_many(value).into_iter().map(|value| self.shape(value, placeholders));
                    let values: Vec<_> = values.collect::<Result<_, _>>()?;
                    if values.is_empty() {
                        return Err(Mistake::new(value.span(), IMPOSSIBLE, "expected at least one value"));
                    }
                    Test::OneOf(values)
                }
                "type" => Test::Type(kind(value)?),
                "at_least" => Test::AtLeast(number(value, size)?),
                "at_most" => Test::AtMost(number(value, size)?),
                "exists" => Test::Exists(boolean(value)?),
                _ => return Err(unknown_key(span, key, "condition", &CONDITION_KEYS)),
            });
        }
        if tests.is_empty() || (tests.len() > 1 && tests.contains(&Test::Exists(false))) {
            let expected =
                "expected what has to hold, or `exists = false` alone; { equals = {} } is an empty object";
            return Err(Mistake::new(value.span(), IMPOSSIBLE, expected));
        }
        let limit = |of: fn(&Test) -> Option<f64>| tests.iter().find_map(of);
        let least = limit(|test| if let Test::AtLeast(least) = test { Some(*least) } else { None });
        let most = limit(|test| if let Test::AtMost(most) = test { Some(*most) } else { None });
        if least.zip(most).is_some_and(|(least, most)| least > most) {
            let expected = "`at_least` is above `at_most`";
            return Err(Mistake::new(value.span(), IMPOSSIBLE, expected));
        }
        Ok(tests)
    }
}

fn status(value: &Written<'_>) -> Result<u16, Mistake> {
    let expected = "expected a status such as 200";
    let status = u16::try_from(integer(value, expected)?).ok().filter(|status| (100..600).contains(status));
    status.ok_or_else(|| Mistake::new(value.span(), "no HTTP status", expected))
}

fn kind(value: &Written<'_>) -> Result<super::condition::Kind, Mistake> {
    let names = KINDS.map(|(name, _)| name);
    let expected = format!("expected one of {}", names.join(", "));
    let word = string(value, &expected)?;
    let known = KINDS.iter().find(|(name, _)| *name == word).map(|(_, kind)| *kind);
    known.ok_or_else(|| Mistake::new(value.span(), "unknown type", expected).suggest(word, names))
}
