//! Values for statements, drawn from the rows that are there.

use std::collections::BTreeMap;

use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection};

use super::Error;
use super::statements::{GIVEN, Statement, Statements};

/// The rows of all draws.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// For each name the values of its draw, in the order of its rows.
    drawn: BTreeMap<String, Vec<String>>,
}

impl Values {
    /// Carries out the draws of some statements.
    pub(super) async fn draw(
        connection: &mut PgConnection,
        statements: &Statements,
        workspace: &str,
    ) -> Result<Self, Error> {
        let mut values = Self::default();
        values.drawn.insert(GIVEN.to_owned(), vec![workspace.to_owned()]);
        for draw in &statements.draws {
            let Some(bound) = values.of(draw, 0) else { continue };
            // Safe: the text is a file's of this program or of the user, who may do with the copy what they like.
            let sql = AssertSqlSafe(format!("SELECT to_jsonb(drawn) FROM ({}) AS drawn", draw.sql));
            let query = bound.iter().fold(sqlx::query_scalar(sql), |query, value| query.bind(*value));
            let rows: Vec<Value> = query
                .fetch_all(&mut *connection)
                .await
                .map_err(|cause| Error::Draw { sql: draw.sql.clone(), cause })?;
            // A row with a gap would put the values of its columns out of step.
            let whole =
                rows.iter().filter_map(Value::as_object).filter(|row| !row.values().any(Value::is_null));
            let whole: Vec<_> = whole.collect();
            // Two draws of one name would put it out of step with the other columns of its rows.
            let columns = whole.first().into_iter().flat_map(|row| row.keys());
            if let Some(twice) = columns.into_iter().find(|name| values.drawn.contains_key(*name)) {
                let what = format!(
                    "`{twice}` is drawn twice, or is given; name the column otherwise in one [[draw]]"
                );
                return Err(Error::File { file: statements.file.clone(), what });
            }
            for (name, value) in whole.into_iter().flatten() {
                let text = match value {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                values.drawn.entry(name.clone()).or_default().push(text);
            }
        }
        Ok(values)
    }

    /// How many different rows of values a statement has; 0 when one of its names was never drawn.
    pub(super) fn times(&self, statement: &Statement) -> usize {
        let drawn = |name: &String| self.drawn.get(name).map_or(0, Vec::len);
        if !self.missing(statement).is_empty() {
            return 0;
        }
        statement.names.iter().map(drawn).max().unwrap_or(1)
    }

    /// The names of a statement that nothing was drawn for.
    pub(super) fn missing<'a>(&self, statement: &'a Statement) -> Vec<&'a str> {
        let is_missing = |name: &&String| self.drawn.get(*name).is_none_or(Vec::is_empty);
        statement.names.iter().filter(is_missing).map(String::as_str).collect()
    }

    /// The values of a statement the `time`th time, from 0; `None` where nothing was drawn for one.
    pub(super) fn of(&self, statement: &Statement, time: usize) -> Option<Vec<&str>> {
        let mut bound = Vec::new();
        for name in &statement.names {
            match self.drawn.get(name) {
                Some(values) if !values.is_empty() => bound.push(values[time % values.len()].as_str()),
                _ => return None,
            }
        }
        Some(bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_two_draws_have_is_refused() {
        let database = cluster::testing::database("lab_draws").await;
        let mut connection = super::super::connect(database.url()).await.unwrap();
        let draws = |first: &str, second: &str| {
            let text = format!(
                "[[draw]]\nsql = \"SELECT 1 AS {first}, 2 AS b\"\n[[draw]]\nsql = \"SELECT 3 AS {second}\"\n\
                 [[read]]\nname = \"r\"\nsql = \"SELECT ${{b}}\"\n"
            );
            Statements::parse_reads("mine.toml", &text).unwrap()
        };
        assert!(Values::draw(&mut connection, &draws("a", "c"), "acme").await.is_ok());
        for (first, second, twice) in [("a", "a", "`a`"), ("a", "b", "`b`"), (GIVEN, "c", GIVEN)] {
            let told =
                Values::draw(&mut connection, &draws(first, second), "acme").await.unwrap_err().to_string();
            assert!(told.starts_with("mine.toml") && told.contains(twice), "{told}");
        }
    }
}
