//! A page of the list without the server around it: the cursor that leads to it, the statement that reads it, and its rows
//! as the API shows them.
//!
//! For whoever wants a link to a place of their own, looks at the plan of a page, sends its statement over another
//! connection, or times one of these by itself. A request walks through the same functions, between `entrance` and the
//! answer.

use serde::Serialize;
use sqlx::postgres::{PgArguments, PgRow};
use uuid::Uuid;

pub use crate::customers::cursor::{Cursor, Direction, Place};

use crate::Variant;
use crate::customers::asked::Asked;
use crate::customers::paging::Page;
use crate::customers::row::Customer;
use crate::database::Found;
use crate::permission::Admission;
use crate::preferences::Handling;
use crate::query::Query;
use crate::refusal::Refusal;
use crate::variants::keyset;

/// Why there is no statement for a page.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The variant sends several statements for each customer.
    #[error("the variant naive has no statement that reads a page; take live or rollup")]
    Naive,
    /// The server would answer 400 or 404.
    #[error("the query string `{query}` is refused with {answer}; correct it")]
    Refused {
        /// The query string.
        query: String,
        /// The body of the answer.
        answer: String,
    },
    /// A value can't be sent.
    #[error("a value of the page can't be sent to PostgreSQL: {0}")]
    Unsendable(#[source] sqlx::Error),
}

/// The statement with which a variant reads a page.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Its text. It follows from the names of the filters and from the direction of the cursor, never from values.
    pub sql: String,
    /// The values of `$1` and so on: the workspace, the size of the page, then those of the cursor and the filters.
    pub values: PgArguments,
}

impl Statement {
    /// The statement for a query string as it stands in a URL: `cursor` (or `page`, `limit`, `offset`), `page_size` and
    /// filters, read for a manager of the workspace. Everything else in it is ignored, `workspace_id` too.
    pub fn of(variant: Variant, workspace_id: Uuid, query: &str) -> Result<Self, Error> {
        if variant == Variant::Naive {
            return Err(Error::Naive);
        }
        let refused =
            |why: Refusal| Error::Refused { query: query.to_owned(), answer: why.body().to_string() };
        let read = Query::parse(query);
        let filters = Asked::read(&read, Handling::Lenient).map_err(refused)?.filters;
        let page = Page::read(&read).map_err(refused)?;
        let manager = Admission { workspace_id, employee_id: None };
        let (sql, values) =
            keyset::statement(variant, &manager, &filters, &page).map_err(Error::Unsendable)?;
        Ok(Self { sql, values })
    }
}

/// What a [`Statement`] has found.
#[derive(Debug)]
pub struct Rows(Vec<Found>);

impl Rows {
    /// All rows that the statement returned. There is always one: a page without customers is a row with nothing in it.
    #[must_use]
    pub fn new(rows: Vec<PgRow>) -> Self {
        Self(rows.into_iter().map(|row| Found::new(row, None)).collect())
    }

    /// The customers in them, in the order in which they were found: the newest first, or the oldest first if the cursor
    /// leads to the previous page. Fails for rows of another statement.
    pub fn customers(&self) -> Result<Customers, sqlx::Error> {
        keyset::customers(&self.0).map(Customers)
    }
}

/// Customers with everything that is computed for them; written as JSON they are what stands under `results` in an answer.
#[derive(Debug, Serialize)]
pub struct Customers(Vec<Customer>);

impl Customers {
    /// How many they are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(query: &str) -> Result<Statement, Error> {
        Statement::of(Variant::Live, Uuid::nil(), query)
    }

    #[test]
    fn the_text_follows_from_the_names_of_the_filters_and_not_from_values() {
        let text = |query| of(query).unwrap().sql;
        assert_eq!(text(""), crate::first_page_statement(Variant::Live).unwrap());
        assert_eq!(text("status=active&page_size=10&workspace_id=w"), text("status=absent"));
        assert_ne!(text("status=active"), text("quality=hot"));
    }

    #[test]
    fn what_the_server_refuses_has_no_statement() {
        let error = of("duration=many&is_test=maybe").unwrap_err().to_string();
        assert!(error.contains("Enter a number.") && error.contains("Must be a valid boolean."), "{error}");
        assert!(of("cursor=nonsense").unwrap_err().to_string().contains("Invalid cursor"));
        assert!(matches!(Statement::of(Variant::Naive, Uuid::nil(), ""), Err(Error::Naive)));
    }
}
