//! The conditions of a plan's node, read from the text in which PostgreSQL prints them.
//!
//! It prints `((workspace_id = '…'::uuid) AND (NOT is_deleted) AND ((status)::text = ANY ('{a,b}'::text[])))`: every
//! condition in parentheses, the column first, its alias before it if the statement has several tables, and the cast of a
//! `varchar` to `text` written out. What an index can't serve, or what can't be read, is no condition at all.

/// A condition on one column that an index could serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Condition<'t> {
    pub(crate) column: &'t str,
    /// Whether the column is cast to `text`, as every `varchar` is in a comparison.
    pub(crate) is_cast: bool,
    pub(crate) test: Test,
}

/// What a column is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Test {
    /// It equals one value, or is null.
    Equal,
    /// It equals one of several values.
    AnyOf,
    /// It is true.
    True,
    /// It is false.
    False,
    /// It lies below or above a value.
    Range,
    /// A document contains another (`@>` of jsonb).
    Contains,
}

/// The conditions in `text` on the table that the statement calls `alias`.
pub(crate) fn conditions<'t>(text: &'t str, alias: &str) -> Vec<Condition<'t>> {
    let mut found = Vec::new();
    collect(text, alias, &mut found);
    found
}

fn collect<'t>(text: &'t str, alias: &str, found: &mut Vec<Condition<'t>>) {
    let text = bare(text);
    let parts = split(text, " AND ");
    if parts.len() > 1 {
        for part in parts {
            collect(part, alias, found);
        }
    } else if let Some(condition) = either(text, alias) {
        found.push(condition);
    }
}

/// A condition, or several on the same column of which one must hold.
fn either<'t>(printed: &'t str, alias: &str) -> Option<Condition<'t>> {
    let parts = split(printed, " OR ");
    let [first, others @ ..] = &parts[..] else { return None };
    let first = single(bare(first), alias)?;
    if others.is_empty() {
        return Some(first);
    }
    let is_same = |part: &&str| single(bare(part), alias).is_some_and(|other| other == first);
    let test = match first.test {
        Test::Equal | Test::AnyOf => Test::AnyOf,
        Test::Contains => Test::Contains,
        Test::True | Test::False | Test::Range => return None,
    };
    others.iter().all(is_same).then_some(Condition { test, ..first })
}

fn single<'t>(printed: &'t str, alias: &str) -> Option<Condition<'t>> {
    let condition = |printed: &'t str, test: Test| {
        column(printed, alias).map(|column| Condition { column, is_cast: printed.contains("::"), test })
    };
    if let Some(negated) = printed.strip_prefix("NOT ") {
        return condition(negated, Test::False);
    }
    if let Some(tested) = printed.strip_suffix(" IS NULL") {
        return condition(tested, Test::Equal);
    }
    let words = split(printed, " ");
    let [left, operator, right @ ..] = &words[..] else {
        return condition(printed, Test::True);
    };
    // Of a comparison of rows, the first column is what bounds a scan.
    let left =
        left.strip_prefix("ROW(").map_or(*left, |row| row.split([',', ')']).next().unwrap_or_default());
    let test = match (*operator, right) {
        (_, [] | ["ALL", ..]) => return None,
        ("=", ["ANY", values]) => any_of(values),
        ("@>", [document] | ["ANY", document]) if document.contains("::jsonb") => Test::Contains,
        (_, ["ANY", ..]) => return None,
        // The value may be of several words: `'1'::double precision`.
        ("=", _) => Test::Equal,
        ("<" | ">" | "<=" | ">=", _) => Test::Range,
        _ => return None,
    };
    let mirrored = || match (right, test) {
        ([right], Test::Equal | Test::Range) => condition(right, test),
        _ => None,
    };
    condition(left, test).or_else(mirrored)
}

/// Whether a list has one value only, which PostgreSQL does not print as an equality.
fn any_of(values: &str) -> Test {
    let is_one = values.contains("'{") && !values.contains(',');
    if is_one { Test::Equal } else { Test::AnyOf }
}

/// The column of the table that the statement calls `alias` which `text` is: `c.status`, `(status)::text`,
/// `"Name"`. Any other cast or function changes the value, so an index on the column would not serve.
pub(crate) fn column<'t>(text: &'t str, alias: &str) -> Option<&'t str> {
    let text = bare(text);
    // A text of limited length is compared and sorted as one without.
    let text = match text.split_once(")::") {
        Some((column, cast)) if cast == "text" || cast.starts_with("character varying") => {
            column.strip_prefix('(')?
        }
        _ => text,
    };
    let (before, name) = match split_name(text)? {
        (first, None) => (None, first),
        (first, Some(second)) => (Some(first), second),
    };
    let is_its = before.is_none_or(|before| before.trim_matches('"') == alias);
    let is_constant = matches!(name, "true" | "false" | "null");
    (is_its && !is_constant).then_some(name)
}

/// `name`, or `alias.name`, each perhaps in quotes, and nothing else.
fn split_name(text: &str) -> Option<(&str, Option<&str>)> {
    let first = name_at(text)?;
    match text[first.len()..].strip_prefix('.') {
        None => (first.len() == text.len()).then_some((first, None)),
        Some(rest) => {
            let second = name_at(rest)?;
            (second.len() == rest.len()).then_some((first, Some(second)))
        }
    }
}

fn name_at(text: &str) -> Option<&str> {
    if let Some(quoted) = text.strip_prefix('"') {
        return quoted.find('"').map(|end| &text[..end + 2]);
    }
    // Names without quotes are printed in lower case; words such as ROW are not.
    let begins = |character: char| character == '_' || character.is_ascii_lowercase();
    let goes_on = |character: char| begins(character) || character.is_ascii_digit() || character == '$';
    if !text.starts_with(begins) {
        return None;
    }
    Some(&text[..text.find(|character| !goes_on(character)).unwrap_or(text.len())])
}

/// Without the parentheses around all of it.
fn bare(text: &str) -> &str {
    let mut text = text.trim();
    while text.starts_with('(') && closes_at_end(text) {
        text = text[1..text.len() - 1].trim();
    }
    text
}

fn closes_at_end(text: &str) -> bool {
    Depths::of(text)
        .find(|(_, depth, character)| *depth == 0 && *character == ')')
        .is_some_and(|(at, ..)| at + 1 == text.len())
}

/// The parts between separators that stand outside of all parentheses, brackets and quotes.
pub(crate) fn split<'t>(text: &'t str, separator: &str) -> Vec<&'t str> {
    let mut parts = Vec::new();
    let mut begin = 0;
    for (at, depth, _) in Depths::of(text) {
        if depth == 0 && at >= begin && text[at..].starts_with(separator) {
            parts.push(&text[begin..at]);
            begin = at + separator.len();
        }
    }
    parts.push(&text[begin..]);
    parts
}

/// The characters outside of quotes, each with its place and the depth of parentheses after it.
struct Depths<'t> {
    rest: std::str::CharIndices<'t>,
    depth: i32,
    quote: Option<char>,
}

impl<'t> Depths<'t> {
    fn of(text: &'t str) -> Self {
        Self { rest: text.char_indices(), depth: 0, quote: None }
    }
}

impl Iterator for Depths<'_> {
    type Item = (usize, i32, char);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (at, character) = self.rest.next()?;
            match (self.quote, character) {
                // A doubled quote closes and opens again.
                (Some(quote), _) if quote == character => self.quote = None,
                (None, '\'' | '"') => self.quote = Some(character),
                (None, '(' | '[') => self.depth += 1,
                (None, ')' | ']') => self.depth -= 1,
                (Some(_) | None, _) => {}
            }
            if self.quote.is_none() && !matches!(character, '\'' | '"') {
                return Some((at, self.depth, character));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Test::{AnyOf, Contains, Equal, False, Range, True};
    use super::*;

    fn read(text: &str) -> Vec<(&str, Test)> {
        conditions(text, "c").into_iter().map(|condition| (condition.column, condition.test)).collect()
    }

    #[test]
    fn conditions_on_columns_are_read_as_postgresql_prints_them() {
        for (text, expected) in [
            ("(workspace_id = '1'::uuid)", vec![("workspace_id", Equal)]),
            (
                "((workspace_id = $1) AND (NOT is_deleted) AND is_test)",
                vec![("workspace_id", Equal), ("is_deleted", False), ("is_test", True)],
            ),
            ("((c.status)::text = 'a AND (b'::text)", vec![("status", Equal)]),
            ("((status)::text = ANY ('{a,b}'::text[]))", vec![("status", AnyOf)]),
            ("((status)::text = ANY ('{a}'::text[]))", vec![("status", Equal)]),
            ("(status = ANY ($2))", vec![("status", AnyOf)]),
            ("(((status)::text = 'it''s'::text) OR ((status)::text = 'b'::text))", vec![("status", AnyOf)]),
            (
                "(ROW(created_at, id) < ROW('2024-01-01'::timestamp with time zone, '1'::uuid))",
                vec![("created_at", Range)],
            ),
            (
                "((duration >= '1'::double precision) AND (duration < '9'::double precision))",
                vec![("duration", Range), ("duration", Range)],
            ),
            ("(customer_id = o.id)", vec![("customer_id", Equal)]),
            ("(o.id = c.customer_id)", vec![("customer_id", Equal)]),
            ("(employee_id IS NULL)", vec![("employee_id", Equal)]),
            (
                r#"((other_attributes @> '{"a": "(b"}'::jsonb) AND ("Name" = 1))"#,
                vec![("other_attributes", Contains), (r#""Name""#, Equal)],
            ),
            ("((a @> '1'::jsonb) OR (a @> '2'::jsonb))", vec![("a", Contains)]),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn what_no_index_on_a_column_serves_is_no_condition() {
        for text in [
            "(lower((name)::text) = 'x'::text)",
            "((id)::bigint = 3)",
            "((a = 1) OR (b = 2))",
            "((a < 1) OR (a > 2))",
            "(a <> 1)",
            "(o.status = 'x'::text)",
            "(employee_id IS NOT NULL)",
            "((other_attributes ->> 'a'::text) = 'x'::text)",
            "(NOT (SubPlan 1))",
            "((name)::text ~~ 'x%'::text)",
            "(tags @> '{a}'::text[])",
            "(1 = 2)",
            "",
            "((",
        ] {
            assert_eq!(read(text), [], "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(text in r#"([a-z(). =<']| AND | OR |NOT |ANY |"|ä){0,30}"#) {
            conditions(&text, "c");
        }
    }
}
