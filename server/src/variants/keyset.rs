//! One statement for a page: the keys by their place in an index, then everything about those customers.
//!
//! The statement has two halves, and its shape is what keeps it fast:
//!
//! 1. *Seek.* The ids of at most `page_size + 1` customers, from an index that has the order of the list, beginning at
//!    the place of the cursor. `(created_at, id) < (…)` is a row comparison over key columns that run the same way, so
//!    it is where the index scan starts, not a filter; an `OR` of the two cases would read from the top. The extra id
//!    says whether more rows follow, and the nearest row on the other side of the place whether any precede. Both see
//!    the same snapshot, so the two links are exact.
//!    A filter by values takes one branch for each value, over the index that leads with that column: each branch is in
//!    the order of the list and stops after a page, so that a rare or absent value costs a descent, not a walk of the
//!    tenant. `= ANY (…)` over the same index would lose the order, and the planner would guess.
//! 2. *Fill.* For each of these ids, in a lateral join, the customer and one pass over its calls, from the covering
//!    index alone.
//!
//!
//! The ids pass from one half to the other as an array, for the reason that `fill` gives. Pages without filters come from
//! a plan that is kept for all tenants (see `database`), so the shape alone has to say what is fast.

use sqlx::postgres::PgArguments;
use sqlx::{AssertSqlSafe, Error, Row as _};

use crate::Variant;
use crate::customers::cursor::{Cursor, Direction};
use crate::customers::filters::Filters;
use crate::customers::paging::{Page, Start};
use crate::database::Session;
use crate::permission::Admission;
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
    let rows = sqlx::query_with(AssertSqlSafe(sql), arguments).fetch_all(session).await?;
    // There is always a row: a page without customers is one row with nothing in it but the edges.
    let edges = rows.first().ok_or(Error::RowNotFound)?;
    let (beyond, behind) = (edges.try_get("beyond")?, edges.try_get("behind")?);
    let is_empty = edges.try_get::<Option<uuid::Uuid>, _>("id")?.is_none();
    let filled = if is_empty { &[] } else { rows.as_slice() };
    let mut customers = filled.iter().map(fill::customer).collect::<Result<Vec<_>, _>>()?;
    if !Walk::of(page.start).is_down() {
        customers.reverse();
    }
    Ok(Rows { customers, beyond, behind, count: None })
}

/// The order in which ids are sought: that of the list, or its reverse.
#[derive(Clone, Copy)]
enum Walk {
    Down,
    Up,
}

impl Walk {
    fn of(start: Start) -> Self {
        match start {
            Start::Cursor(Cursor { direction: Direction::Previous, .. }) => Self::Up,
            _ => Self::Down,
        }
    }

    fn is_down(self) -> bool {
        matches!(self, Self::Down)
    }

    fn reversed(self) -> Self {
        if self.is_down() { Self::Up } else { Self::Down }
    }

    /// The keyword of ORDER BY.
    fn order(self) -> &'static str {
        if self.is_down() { "DESC" } else { "ASC" }
    }
}

/// The comparisons that split the list at a cursor: the rows that it leads to, and all others.
fn sides(cursor: Cursor) -> (&'static str, &'static str) {
    match (cursor.direction, cursor.inclusive) {
        (Direction::Next, false) => ("<", ">="),
        (Direction::Next, true) => ("<=", ">"),
        (Direction::Previous, false) => (">", "<="),
        (Direction::Previous, true) => (">=", "<"),
    }
}

/// The text of the page statement, and its values.
fn statement(
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
        "{seek}
SELECT cardinality(seek.ids) > $2 AS beyond, seek.behind, {COLUMNS}
  FROM seek
  LEFT JOIN LATERAL unnest(seek.ids[1:$2]) WITH ORDINALITY AS page (id, position) ON true
  LEFT JOIN customer AS c ON c.id = page.id AND c.workspace_id = $1
  {RELATED} {calls}
 ORDER BY page.position",
        COLUMNS = fill::COLUMNS,
        RELATED = fill::RELATED,
        calls = fill::calls(variant),
    );
    Ok((sql, values.into_arguments()))
}

/// The first half. It names one row: `ids`, in the order of the walk, and `behind`.
fn seek(
    values: &mut Values,
    admission: &Admission,
    filters: &Filters,
    start: Start,
) -> Result<String, Error> {
    let (ahead, others) = match start {
        Start::Top | Start::Offset { rows: 0, .. } => (String::new(), None),
        Start::Cursor(cursor) => {
            let (to, from) = sides(cursor);
            let created_at = values.bind(cursor.place.created_at)?;
            let id = values.bind(cursor.place.id)?;
            let compared = |side| format!("AND (created_at, id) {side} ({created_at}, {id})");
            (compared(to), Some(compared(from)))
        }
        // Before a later row there is one exactly when there is any.
        Start::Offset { .. } => (String::new(), Some(String::new())),
    };
    let skip = match start {
        Start::Offset { rows, .. } => {
            format!("{}::int", values.bind(i32::try_from(rows).unwrap_or(i32::MAX))?)
        }
        Start::Top | Start::Cursor(_) => "0".to_owned(),
    };
    let walk = Walk::of(start);
    let (order, reverse) = (walk.order(), walk.reversed().order());

    // The column whose values each get a branch. An employee's customers are few, and have an index of their own.
    let mut branch = None;
    let mut also = String::new();
    if let Some(employee_id) = admission.employee_id {
        also = format!("AND employee_id = {}", values.bind(employee_id)?);
    }
    for (column, wanted) in [("status", &filters.status.any_of), ("quality", &filters.quality.any_of)] {
        let Some(wanted) = wanted else { continue };
        let wanted = values.bind(wanted.as_slice())?;
        if branch.is_none() && admission.employee_id.is_none() {
            branch = Some((column, wanted));
        } else {
            also = format!("{also} AND {column} = ANY ({wanted})");
        }
    }

    // The row on the other side is the nearest one, asked for in order. A bare EXISTS has no order, and the planner may
    // then read the table from its start, in the belief that a row of this tenant comes soon.
    let (ids, behind) = match branch {
        None => (
            format!(
                "SELECT id FROM customer
                  WHERE workspace_id = $1 AND NOT is_deleted {also} {ahead}
                  ORDER BY created_at {order}, id {order}
                 OFFSET {skip} LIMIT $2 + 1"
            ),
            others.map(|others| {
                format!(
                    "(SELECT true FROM customer
                       WHERE workspace_id = $1 AND NOT is_deleted {also} {others}
                       ORDER BY created_at {reverse}, id {reverse}
                       LIMIT 1) IS NOT NULL"
                )
            }),
        ),
        Some((column, wanted)) => (
            format!(
                "SELECT branch.id
                   FROM unnest({wanted}::text[]) AS wanted (value)
                  CROSS JOIN LATERAL (
                        SELECT id, created_at FROM customer
                         WHERE workspace_id = $1 AND NOT is_deleted AND {column} = wanted.value {also} {ahead}
                         ORDER BY created_at {order}, id {order}
                         LIMIT {skip} + $2 + 1) AS branch
                  ORDER BY branch.created_at {order}, branch.id {order}
                 OFFSET {skip} LIMIT $2 + 1"
            ),
            others.map(|others| {
                format!(
                    "EXISTS (SELECT FROM unnest({wanted}::text[]) AS wanted (value)
                      CROSS JOIN LATERAL (
                            SELECT FROM customer
                             WHERE workspace_id = $1 AND NOT is_deleted AND {column} = wanted.value {also} {others}
                             ORDER BY created_at {reverse}, id {reverse}
                             LIMIT 1) AS branch)"
                )
            }),
        ),
    };
    let behind = behind.unwrap_or_else(|| "false".to_owned());
    Ok(format!("WITH seek AS MATERIALIZED (SELECT ARRAY({ids}) AS ids, {behind} AS behind)"))
}
