//! One statement for a page: the keys by their place in an index, then everything about those customers.
//!
//! The statement has two halves, and its shape is what keeps it fast:
//!
//! 1. *Seek* (`seek`). The ids of at most `page_size + 1` customers, found by their place in an index.
//! 2. *Fill* (`fill`). For each of these ids, in a lateral join, the customer and everything that belongs to it.
//!
//! The ids pass from one half to the other as an array, for the reason that `fill` gives. Pages without filters come from
//! a plan that is kept for all tenants (see `database`), so the shape alone has to say what is fast.

use sqlx::postgres::PgArguments;
use sqlx::{AssertSqlSafe, Error};

use crate::Variant;
use crate::customers::filters::Filters;
use crate::customers::paging::{Page, Start};
use crate::customers::row::Customer;
use crate::database::{Found, Session};
use crate::permission::Admission;
use crate::profile::{self, Layer};
use crate::variants::clock::clock;
use crate::variants::seek::{Walk, seek};
use crate::variants::statement::Values;
use crate::variants::{Rows, fill};

#[cfg(test)]
mod plans;

/// Reads a page.
pub(crate) async fn page(
    session: &mut Session,
    variant: Variant,
    admission: &Admission,
    filters: &Filters,
    page: &Page,
) -> Result<Rows, Error> {
    let (sql, arguments) = statement(variant, admission, filters, page)?;
    // Safe: the parts of the text are constants of these modules, and values are bound.
    let rows = session.find(sqlx::query_with(AssertSqlSafe(sql), arguments)).await?;
    profile::enter(Layer::Serializer);
    // There is always a row: a page without customers is one row with nothing in it but the edges.
    let edges = rows.first().ok_or(Error::RowNotFound)?;
    let (beyond, behind) = (edges.get("beyond")?, edges.get("behind")?);
    let mut customers = customers(&rows)?;
    if Walk::of(page.start) == Walk::Up {
        customers.reverse();
    }
    Ok(Rows { customers, beyond, behind, count: None })
}

/// The customers in the rows of the statement, in the order of the walk.
pub(crate) fn customers(rows: &[Found]) -> Result<Vec<Customer>, Error> {
    let Some(first) = rows.first() else { return Ok(Vec::new()) };
    if first.get::<Option<uuid::Uuid>>("id")?.is_none() {
        return Ok(Vec::new());
    }
    rows.iter().map(fill::customer).collect()
}

/// The text of the statement of the first page, without filters.
pub(crate) fn first_page(variant: Variant) -> Result<String, Error> {
    let everybody = Admission { workspace_id: uuid::Uuid::nil(), employee_id: None };
    let page = Page { start: Start::Top, size: 1 };
    Ok(statement(variant, &everybody, &Filters::default(), &page)?.0)
}

/// The text of the page statement, and its values.
pub(crate) fn statement(
    variant: Variant,
    admission: &Admission,
    filters: &Filters,
    page: &Page,
) -> Result<(String, PgArguments), Error> {
    let mut values = Values::default();
    // $1 and $2, which every page has.
    values.bind(admission.workspace_id)?;
    values.bind(i32::try_from(page.size).unwrap_or(i32::MAX))?;
    let seek = seek(&mut values, admission, filters, page.start)?;
    let sql = format!(
        "{seek},
{clock}
SELECT cardinality(seek.ids) > $2 AS beyond, seek.behind, {COLUMNS}
  FROM seek CROSS JOIN clock
  LEFT JOIN LATERAL unnest(seek.ids[1:$2]) WITH ORDINALITY AS page (id, position) ON true
  LEFT JOIN customer AS c ON c.id = page.id AND c.workspace_id = $1
  {RELATED} {calls}
 ORDER BY page.position",
        COLUMNS = fill::COLUMNS,
        RELATED = fill::RELATED,
        clock = clock(),
        calls = fill::calls(variant),
    );
    Ok((sql, values.into_arguments()))
}
