//! What a statement says of columns: by which it looks rows up, in which order it wants them, which must be false.

use super::{Text, Token, Word};
use crate::profile::advice::TENANT;

/// Where an ORDER BY ends.
const AFTER_ORDER: [&str; 7] = ["limit", "offset", "fetch", "for", "union", "intersect", "except"];

/// What may stand behind NOT without being a column.
const AFTER_NOT: [&str; 13] = [
    "any",
    "between",
    "case",
    "distinct",
    "exists",
    "false",
    "ilike",
    "in",
    "like",
    "materialized",
    "null",
    "similar",
    "true",
];

/// A column as a statement names it, with the alias before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reference<'s> {
    pub(crate) alias: Option<&'s str>,
    pub(crate) column: &'s str,
}

impl<'s> Text<'s> {
    /// The column that a statement which runs again and again looks its rows up by: one that is compared with a parameter.
    /// The tenant is the same each time, so another column is preferred.
    pub(crate) fn looked_up_by(&self) -> Option<&'s str> {
        let compared: Vec<&str> = self
            .words
            .windows(3)
            .filter_map(|three| match (three[0].token, three[1].token, three[2].token) {
                (column, Token::Symbol('='), Token::Parameter(_)) => column.name(),
                _ => None,
            })
            .collect();
        compared.iter().find(|column| **column != TENANT).or(compared.first()).copied()
    }

    /// The columns that must be false: `NOT c.is_deleted`.
    pub(crate) fn negated(&self) -> Vec<Reference<'s>> {
        self.words
            .iter()
            .enumerate()
            .filter(|(_, word)| word.token.is("not"))
            .filter_map(|(at, _)| {
                let first = self.token(at + 1).filter(|token| !token.is_any(&AFTER_NOT))?.name()?;
                let is_path = self.token(at + 2) == Some(Token::Symbol('.'));
                let (column, next) = self.path(at + 1)?;
                // A call, or a comparison, which NOT turns as a whole.
                let is_alone =
                    !matches!(next, Some(Token::Symbol(symbol)) if !matches!(symbol, ')' | ',' | ';'));
                is_alone.then_some(Reference { alias: is_path.then_some(first), column })
            })
            .collect()
    }

    /// Whether it casts this column, to whatever type: `id::text`, `CAST(id AS text)`.
    pub(crate) fn casts(&self, column: &str) -> bool {
        self.words.windows(3).any(|three| {
            let [first, second, third] = [three[0].token, three[1].token, three[2].token];
            let is_behind =
                first.name() == Some(column) && (second, third) == (Token::Symbol(':'), Token::Symbol(':'));
            is_behind || (first.is("cast") && second == Token::Symbol('(') && third.name() == Some(column))
        })
    }

    /// Every ORDER BY, as its keys are written: `c.created_at DESC`.
    pub(crate) fn orders(&self) -> Vec<Vec<String>> {
        let begins = |at: usize| {
            self.token(at).is_some_and(|token| token.is("order"))
                && self.token(at + 1).is_some_and(|token| token.is("by"))
        };
        (0..self.words.len()).filter(|at| begins(*at)).map(|at| self.keys(at + 2)).collect()
    }

    /// The keys that begin here, up to the end of their clause.
    fn keys(&self, from: usize) -> Vec<String> {
        let Some(first) = self.words.get(from) else { return Vec::new() };
        let mut keys = vec![String::new()];
        let mut is_glued = true;
        for Word { token, depth, .. } in &self.words[from..] {
            let is_outer = *depth == first.depth;
            let is_end = token.is_any(&AFTER_ORDER) || *token == Token::Symbol(';');
            if *depth < first.depth || (is_outer && is_end) {
                break;
            }
            if is_outer && *token == Token::Symbol(',') {
                keys.push(String::new());
                is_glued = true;
                continue;
            }
            let is_dot = *token == Token::Symbol('.');
            let key = keys.last_mut().expect("there is always one");
            if !is_glued && !is_dot {
                key.push(' ');
            }
            key.push_str(&token.text());
            is_glued = is_dot;
        }
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_looked_up_by_the_column_that_is_not_the_tenant() {
        for (sql, column) in [
            ("SELECT id FROM call WHERE customer_id = $1 AND created_at >= $2", Some("customer_id")),
            ("SELECT id FROM employee AS e WHERE e.workspace_id = $2 AND e.id = $1", Some("id")),
            ("SELECT id FROM employee WHERE workspace_id = $1", Some("workspace_id")),
            ("SELECT id FROM call WHERE id = ANY($1)", None),
        ] {
            assert_eq!(Text::of(sql).looked_up_by(), column, "{sql}");
        }
    }

    #[test]
    fn columns_that_must_be_false_are_those_behind_not() {
        let found = |sql| Text::of(sql).negated();
        let of = |alias, column| vec![Reference { alias, column }];
        assert_eq!(
            found("SELECT 1 FROM a AS c WHERE NOT c.is_deleted AND x = $1"),
            of(Some("c"), "is_deleted")
        );
        assert_eq!(found("SELECT 1 FROM a WHERE (x = $1 and not is_deleted)"), of(None, "is_deleted"));
        for sql in [
            "SELECT 1 WHERE NOT EXISTS (SELECT 1)",
            "SELECT 1 WHERE NOT (a AND b) AND c IS NOT NULL AND d NOT IN (1)",
            "SELECT 1 WHERE NOT starts_with(a, 'x') AND NOT a = b AND NOT c.a < 3",
            "WITH x AS NOT MATERIALIZED (SELECT 1) SELECT 1",
        ] {
            assert_eq!(found(sql), [], "{sql}");
        }
    }

    #[test]
    fn an_order_is_read_key_by_key() {
        let found = |sql| Text::of(sql).orders();
        assert_eq!(
            found(
                r#"SELECT 1 FROM (SELECT 2 ORDER BY b) x ORDER BY c.created_at DESC, "id" DESC NULLS LAST LIMIT 5"#
            ),
            [
                vec!["b".to_owned()],
                vec!["c.created_at DESC".to_owned(), r#""id" DESC NULLS LAST"#.to_owned()]
            ]
        );
        assert_eq!(
            found("SELECT 1 ORDER BY lower(a, b), c"),
            [["lower ( a , b )".to_owned(), "c".to_owned()]]
        );
        assert!(found("SELECT 1 FROM \"order\"").is_empty());
        assert_eq!(found("SELECT 1 ORDER BY"), [Vec::<String>::new()]);
    }
}
