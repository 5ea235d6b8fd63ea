//! The ids of a page: where it begins, what it leaves out, and whether there are rows on either side of it.
//!
//! The list is ordered by `(created_at DESC, id DESC)`, and an index has that order. The trap is a filter that few rows
//! pass: `ORDER BY … LIMIT 51` makes the planner walk the order and drop what does not match, in the belief that matches
//! are spread evenly. A value that is rare, absent, or that only the oldest customers have turns that walk into a read
//! of the whole tenant: 360 to 460 ms on a million customers. No single index answers that for every filter, so there
//! are three ways, and which one a request takes follows from the names of its filters alone:
//!
//! - [`order`]: no filter. The index of the order, from the place of the cursor.
//! - [`branches`]: one filter by the value of a column. One LATERAL branch for each value over an index that leads with
//!   the column and goes on with the order: each branch is sorted and stops after a page. An absent value costs one
//!   descent of the index. This way wins wherever it can be taken.
//! - [`search`]: everything else, which is ranges, labels, attributes, and filters together. First a bounded walk of the
//!   order, which is all that filters with many matches need; only if it finds no full page, the set of all matches
//!   ahead, planned as a set: the planner then compares what it is good at comparing (the GIN index, one of the columns'
//!   indexes, the labels' side, or the covering index from end to end, which bounds every
//!   combination of columns).
//!
//! What was measured against it, and lost, stands in `search`.

use sqlx::Error;

use crate::customers::cursor::{Cursor, Direction};
use crate::customers::filters::Filters;
use crate::customers::paging::Start;
use crate::permission::Admission;
use crate::variants::statement::Values;

mod branches;
mod order;
mod search;

/// The order in which ids are sought: that of the list, or its reverse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Walk {
    Down,
    Up,
}

impl Walk {
    /// The way that leads from a start to the rows of its page.
    pub(crate) fn of(start: Start) -> Self {
        match start {
            Start::Cursor(Cursor { direction: Direction::Previous, .. }) => Self::Up,
            _ => Self::Down,
        }
    }

    fn reversed(self) -> Self {
        match self {
            Self::Down => Self::Up,
            Self::Up => Self::Down,
        }
    }

    /// `ORDER BY` over the keys of the customer `c`.
    fn order_by(self) -> &'static str {
        match self {
            Self::Down => "ORDER BY c.created_at DESC, c.id DESC",
            Self::Up => "ORDER BY c.created_at, c.id",
        }
    }
}

/// What every way needs to know.
#[derive(Debug)]
struct Ground {
    /// The rows that this member may see, as a condition on a customer `c`.
    tenant: String,
    /// The rows that the page is taken from: ` AND …`, or nothing.
    ahead: String,
    /// The rows on the other side of where the page begins, if there can be any: ` AND …`, or nothing for "any row".
    others: Option<String>,
    /// The direction in which the page is taken.
    walk: Walk,
    /// How many rows are left out first, as SQL.
    skip: String,
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

impl Ground {
    fn new(values: &mut Values, admission: &Admission, start: Start) -> Result<Self, Error> {
        let mut tenant = "c.workspace_id = $1 AND NOT c.is_deleted".to_owned();
        if let Some(employee_id) = admission.employee_id {
            tenant = format!("{tenant} AND c.employee_id = {}::uuid", values.bind(employee_id)?);
        }
        let (ahead, others) = match start {
            Start::Top | Start::Offset { rows: 0, .. } => (String::new(), None),
            // A row comparison over key columns that run the same way is where an index scan starts. An OR of the two
            // cases would be a filter, and read from the top.
            Start::Cursor(cursor) => {
                let (to, from) = sides(cursor);
                let created_at = values.bind(cursor.place.created_at)?;
                let id = values.bind(cursor.place.id)?;
                let compared = |side| format!(" AND (c.created_at, c.id) {side} ({created_at}, {id})");
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
        Ok(Self { tenant, ahead, others, walk: Walk::of(start), skip })
    }
}

/// The first half of the page statement: common table expressions, the last of which is `seek` with one row. Its `ids`
/// are at most `page_size + 1`, in the order of the walk: the extra one says that more rows follow. `behind` says whether
/// there are rows on the other side. `$1` is the workspace and `$2` the size of the page. All parts of the statement see
/// one snapshot, so both edges are exact.
pub(crate) fn seek(
    values: &mut Values,
    admission: &Admission,
    filters: &Filters,
    start: Start,
) -> Result<String, Error> {
    let ground = Ground::new(values, admission, start)?;
    if filters.is_empty() {
        return Ok(order::seek(&ground));
    }
    // An employee's customers have an index of their own, which no branch can use.
    if admission.employee_id.is_none()
        && let Some(branch) = branches::Branch::of(filters)
    {
        return branch.seek(values, &ground);
    }
    search::seek(values, &ground, filters)
}
