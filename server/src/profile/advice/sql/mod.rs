//! What the text of a statement alone tells: whether it counts, which table it is about, by which column it looks rows up,
//! and in which order it wants them.
//!
//! Not a parser: the statements of a server and of an ORM are plain enough for their words. What can't be told reads as
//! nothing, and advice that needs it is worded without it, or not given.

pub(crate) mod clauses;
mod tokens;

use tokens::{Token, tokens};

/// Whether a statement counts rows: `count(…)` anywhere in it.
pub(crate) fn counts(sql: &str) -> bool {
    Text::of(sql).calls(&["count"]).next().is_some()
}

/// What a statement does, as far as advice differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    /// It reads rows.
    Select,
    /// It reads rows and makes one of them: a count, a sum.
    Aggregate,
    /// It reads the first row of an order.
    First,
    /// It adds rows.
    Insert,
    /// It changes or removes rows.
    Change,
}

/// The functions that make one row of many.
const AGGREGATES: [&str; 12] = [
    "array_agg",
    "avg",
    "bool_and",
    "bool_or",
    "count",
    "json_agg",
    "json_object_agg",
    "jsonb_agg",
    "max",
    "min",
    "string_agg",
    "sum",
];

/// A statement in words.
#[derive(Debug)]
pub(crate) struct Text<'s> {
    words: Vec<Word<'s>>,
}

/// A word and where it stands.
#[derive(Debug, Clone, Copy)]
struct Word<'s> {
    token: Token<'s>,
    /// Parentheses around it. They belong to what is around them.
    depth: usize,
    /// Whether it is part of a statement within the statement.
    is_nested: bool,
}

impl<'s> Text<'s> {
    /// Takes a statement apart.
    pub(crate) fn of(sql: &'s str) -> Self {
        let tokens = tokens(sql);
        let mut words = Vec::with_capacity(tokens.len());
        // For each open parenthesis, whether what is in it belongs to a statement within the statement.
        let mut around: Vec<bool> = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            if *token == Token::Symbol(')') {
                around.pop();
            }
            let is_nested = around.last().copied().unwrap_or(false);
            words.push(Word { token: *token, depth: around.len(), is_nested });
            if *token == Token::Symbol('(') {
                let begins = tokens.get(at + 1).is_some_and(|next| next.is_any(&["select", "with"]));
                around.push(is_nested || (begins && at > 0));
            }
        }
        Self { words }
    }

    fn token(&self, at: usize) -> Option<Token<'s>> {
        self.words.get(at).map(|word| word.token)
    }

    /// Pairs of neighbours.
    fn pairs(&self) -> impl Iterator<Item = (Word<'s>, Token<'s>)> {
        self.words.windows(2).map(|pair| (pair[0], pair[1].token))
    }

    /// The calls of one of these functions. Those of a schema of somebody's own may do anything.
    fn calls<'f>(&self, functions: &'f [&str]) -> impl Iterator<Item = Word<'s>> + use<'_, 's, 'f> {
        self.pairs().enumerate().filter_map(move |(at, (word, next))| {
            let before = |steps: usize| at.checked_sub(steps).and_then(|at| self.token(at));
            let is_own = before(1) == Some(Token::Symbol('.'))
                && !before(2).is_some_and(|schema| schema.is("pg_catalog"));
            (word.token.is_any(functions) && next == Token::Symbol('(') && !is_own).then_some(word)
        })
    }

    /// What it does; `None` for words about transactions and settings.
    pub(crate) fn verb(&self) -> Option<Verb> {
        let leading = self.words.iter().map(|word| word.token).find(|token| *token != Token::Symbol('('))?;
        let outer = || self.pairs().filter(|(word, _)| !word.is_nested);
        if leading.is("insert") {
            Some(Verb::Insert)
        } else if leading.is_any(&["update", "delete", "merge"]) {
            Some(Verb::Change)
        } else if !leading.is_any(&["select", "with"]) {
            None
        } else if outer().any(|(word, next)| word.token.is("limit") && next == Token::Literal("1")) {
            Some(Verb::First)
        } else if self.calls(&AGGREGATES).any(|word| !word.is_nested)
            && !outer().any(|(word, _)| word.token.is_any(&["group", "over"]))
        {
            Some(Verb::Aggregate)
        } else {
            Some(Verb::Select)
        }
    }

    /// The table that it is about: the first that it reads or writes, at the lowest depth of parentheses.
    pub(crate) fn table(&self) -> Option<&'s str> {
        let mut best: Option<(usize, &str)> = None;
        for (at, Word { token, depth, .. }) in self.words.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|before| self.token(before));
            // FOR UPDATE and ON CONFLICT DO UPDATE name no table.
            let is_clause = before.is_some_and(|word| word.is_any(&["for", "key", "do"]));
            let writes = token.is("into") || (token.is("update") && !is_clause);
            if (writes || token.is("from"))
                && let Some((name, next)) = self.path(at + 1)
                // What is called is a function, except behind INSERT INTO, where columns follow.
                && (writes || next != Some(Token::Symbol('(')))
                && !self.is_expression(name)
                && best.is_none_or(|(least, _)| *depth < least)
            {
                best = Some((*depth, name));
            }
        }
        best.map(|(_, name)| name)
    }

    /// The last part of the name, perhaps `schema.table`, that begins here, and what follows it.
    fn path(&self, mut at: usize) -> Option<(&'s str, Option<Token<'s>>)> {
        while self.token(at)?.is_any(&["only", "lateral"]) {
            at += 1;
        }
        let mut name = self.token(at)?.name()?;
        while self.token(at + 1) == Some(Token::Symbol('.')) {
            at += 2;
            name = self.token(at)?.name()?;
        }
        Some((name, self.token(at + 1)))
    }

    /// Whether a name is that of a common table expression: `name AS (`, `name AS MATERIALIZED (`, `name (a, b) AS (`.
    fn is_expression(&self, name: &str) -> bool {
        let starts = |at: usize| {
            let after = self.token(at + 1);
            self.token(at).is_some_and(|token| token.is("as"))
                && (after == Some(Token::Symbol('('))
                    || after.is_some_and(|token| token.is_any(&["materialized", "not"])))
        };
        let has_with = self.words.iter().any(|word| word.token.is("with"));
        has_with
            && self.words.iter().enumerate().any(|(at, word)| {
                let columns_end = || {
                    let closes = |end: &usize| {
                        self.words[*end].depth == word.depth && self.words[*end].token == Token::Symbol(')')
                    };
                    (at + 2..self.words.len()).find(closes)
                };
                word.token.name() == Some(name)
                    && (starts(at + 1)
                        || (self.token(at + 1) == Some(Token::Symbol('('))
                            && columns_end().is_some_and(|end| starts(end + 1))))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_a_count_however_it_is_written() {
        for sql in [
            "SELECT COUNT(*) FROM customer",
            "select\n count\t( * ) from customer",
            "SELECT Count(DISTINCT id) > 0 FROM customer",
            "SELECT count/* all */(1) FROM customer",
            "SELECT (SELECT pg_catalog.count(*) FROM customer) > 0",
            r#"SELECT COUNT(*) AS "__count" FROM "customer""#,
        ] {
            assert!(counts(sql), "{sql}");
        }
        for sql in [
            "SELECT EXISTS (SELECT FROM customer WHERE id = $1)",
            "SELECT count FROM customer",
            "SELECT 'count(*)' FROM customer",
            "SELECT 1 -- not count(*)\nFROM customer",
            "SELECT 1 /* nor /* count(*) */ count(*) */ FROM customer",
            "SELECT $$count(*)$$, E'\\'count(*)' FROM customer",
            r#"SELECT "count"(1) FROM customer"#,
            "SELECT mine.count(1), account(2), count_all(3) FROM customer",
        ] {
            assert!(!counts(sql), "{sql}");
        }
    }

    #[test]
    fn a_statement_is_about_the_table_of_its_outermost_from() {
        for (sql, table) in [
            ("SELECT id FROM call WHERE customer_id = $1", Some("call")),
            ("SELECT (SELECT name FROM label LIMIT 1) FROM public.customer AS c", Some("customer")),
            ("SELECT extract(epoch FROM created_at) FROM ONLY call", Some("call")),
            ("WITH page (id) AS (SELECT id FROM customer) SELECT id FROM page", Some("customer")),
            ("WITH page AS MATERIALIZED (SELECT id FROM customer) SELECT id FROM page", Some("customer")),
            ("SELECT id FROM unnest($1::uuid[]) AS page (id)", None),
            ("INSERT INTO call (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET id = $1", Some("call")),
            ("UPDATE customer SET name = $1", Some("customer")),
            ("SELECT id FROM customer WHERE id = $1 FOR UPDATE", Some("customer")),
            (r#"SELECT 1 FROM "Customer""#, Some(r#""Customer""#)),
            ("BEGIN", None),
        ] {
            assert_eq!(Text::of(sql).table(), table, "{sql}");
        }
    }

    #[test]
    fn what_a_statement_does_is_told_by_its_words() {
        for (sql, verb) in [
            ("SELECT id FROM call", Some(Verb::Select)),
            ("SELECT id, count(*) FROM call GROUP BY id", Some(Verb::Select)),
            ("SELECT coalesce(sum(duration), 0) FROM call", Some(Verb::Aggregate)),
            ("SELECT id FROM call ORDER BY id LIMIT 1", Some(Verb::First)),
            ("SELECT id FROM (SELECT id FROM call LIMIT 1) AS x", Some(Verb::Select)),
            ("SELECT id, (SELECT count(*) FROM call) FROM customer", Some(Verb::Select)),
            ("WITH x AS (SELECT sum(a) FROM call) SELECT * FROM x", Some(Verb::Select)),
            ("SELECT count(*) OVER () FROM call", Some(Verb::Select)),
            ("INSERT INTO call (id) VALUES ($1)", Some(Verb::Insert)),
            ("DELETE FROM call", Some(Verb::Change)),
            ("COMMIT", None),
            ("", None),
        ] {
            assert_eq!(Text::of(sql).verb(), verb, "{sql}");
        }
    }
}
