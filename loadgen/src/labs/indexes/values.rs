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
            for (name, value) in whole.flatten() {
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
