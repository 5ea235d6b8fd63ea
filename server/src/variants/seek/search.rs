//! Filters that no single index answers in the order of the list: near first, then further, then all there is.
//!
//! *Near* walks the order from where the page begins, over a bounded number of rows. Filters that many customers pass
//! find their page there, in a few milliseconds. If they don't, matches are few, or far away, and *far* collects all of
//! them and sorts. It is planned as a set, without the LIMIT that leads the planner astray (`OFFSET 0` keeps it out), and
//! does not run at all when near was enough: its condition on the count of `near` is evaluated once, before its scan.
//!
//! What far costs is the smallest set that an index has, however few pass everything: 300 ms for 33,000 customers with a
//! label and 85,000 in a city, 390 ms for those in the city alone, each a visit of the table. (PostgreSQL intersects the
//! bitmaps of two indexes only if they share no condition, and all of ours begin with the tenant.) So filters on labels or
//! attributes that come together with others have a second walk before it:
//!
//! - with filters on columns, over *candidates*: rows that pass those, found in the covering index without a visit of the
//!   table, from end to end if need be (100 ms for a million). When there are fewer than the walk takes, it was the whole
//!   answer, and far is not asked.
//! - without, over more rows of the order.

use std::fmt::Write as _;

use sqlx::Error;

use crate::customers::filters::Filters;
use crate::variants::condition::{self, Labels};
use crate::variants::seek::{Ground, Walk};
use crate::variants::statement::Values;

/// Rows of the order that near looks at when the covering index has all that is filtered on: about 3 ms.
const NEAR_BY_INDEX: u32 = 20_000;

/// Rows of the order that near looks at when each costs a heap fetch or a probe of another table: about 2 ms.
const NEAR_BY_ROW: u32 = 3_000;

/// Rows of the order that the second walk looks at: about 60 ms.
const FURTHER: u32 = 60_000;

/// Candidates that the second walk looks at: about 100 ms, because each is found by its id. A page that one in 330
/// candidates passes is found among the first 17,000.
const CANDIDATES: u32 = 20_000;

/// On the other side of a cursor one match is enough.
const CANDIDATES_BEHIND: u32 = 5_000;

/// What a walk is made of.
struct Steps<'a> {
    ground: &'a Ground,
    /// Conditions on columns of the covering index, and all others, for one row at a time.
    columns: String,
    others: String,
    /// All of them, for a set.
    joined: String,
    reach: u32,
    walks_further: bool,
}

pub(super) fn seek(values: &mut Values, ground: &Ground, filters: &Filters) -> Result<String, Error> {
    let (on_columns, on_others) = filters.split();
    let columns = condition::conditions(values, &on_columns, Labels::Probed)?;
    let others = condition::conditions(values, &on_others, Labels::Probed)?;
    let steps = Steps {
        ground,
        joined: condition::conditions(values, filters, Labels::Joined)?,
        reach: if on_others.is_empty() { NEAR_BY_INDEX } else { NEAR_BY_ROW },
        // One filter on labels or attributes alone has an index of its own, which far takes.
        walks_further: on_others.beside_columns() > 1 || !(on_others.is_empty() || on_columns.is_empty()),
        columns,
        others,
    };
    let Ground { ahead, others, walk, skip, .. } = ground;
    let order_by = walk.order_by();
    let enough = format!("{skip} + $2 + 1");
    let mut sql = "WITH ".to_owned();
    let found = steps.side(&mut sql, "", ahead, *walk, &enough, CANDIDATES);
    let behind = if let Some(others) = others {
        // Both sides of a cursor make up the list, so near and far of both read it once at most. One match is enough here.
        let found = steps.side(&mut sql, "_behind", others, walk.reversed(), "1", CANDIDATES_BEHIND);
        format!("EXISTS (SELECT FROM ({found}) AS found)")
    } else {
        "false".to_owned()
    };
    let _ = write!(
        sql,
        "seek AS MATERIALIZED (
    SELECT ARRAY(SELECT c.id FROM ({found}) AS c {order_by} OFFSET {skip} LIMIT $2 + 1) AS ids,
           {behind} AS behind)"
    );
    Ok(sql)
}

impl Steps<'_> {
    /// Adds the steps of one side of the list, whose names end with `suffix`, and gives what selects the `enough` first
    /// matches of them, or all. At most so many `candidates` are looked at one by one.
    fn side(
        &self,
        sql: &mut String,
        suffix: &str,
        side: &str,
        walk: Walk,
        enough: &str,
        candidates: u32,
    ) -> String {
        let Self { ground: Ground { tenant, .. }, columns, others, joined, reach, walks_further } = self;
        let order_by = walk.order_by();
        let is_short = |step: &str| format!("(SELECT count(*) FROM {step}{suffix}) < {enough}");
        let near_is_short = is_short("near");
        let _ = write!(
            sql,
            "near{suffix} AS MATERIALIZED (
    SELECT c.id, c.created_at
      FROM (SELECT c.* FROM customer AS c WHERE {tenant}{side} {order_by} LIMIT {reach}) AS c
     WHERE true{columns}{others}
     {order_by}
     LIMIT {enough}),
"
        );
        let mut far_runs = near_is_short.clone();
        let mut further = String::new();
        if *walks_further {
            if columns.is_empty() {
                let _ = write!(
                    sql,
                    "further{suffix} AS MATERIALIZED (
    SELECT c.id, c.created_at
      FROM (SELECT c.* FROM customer AS c WHERE {tenant}{side} AND {near_is_short} {order_by} LIMIT {FURTHER}) AS c
     WHERE true{others}
     {order_by}
     LIMIT {enough}),
"
                );
                let _ = write!(far_runs, " AND {}", is_short("further"));
            } else {
                // The candidates come in the order of the walk, and a lateral join keeps it: so it can stop when it has
                // enough.
                let _ = write!(
                    sql,
                    "candidates{suffix} AS MATERIALIZED (
    SELECT c.id FROM customer AS c
     WHERE {tenant}{side}{columns} AND {near_is_short}
     {order_by}
     LIMIT {candidates}),
further{suffix} AS MATERIALIZED (
    SELECT c.id, c.created_at
      FROM candidates{suffix} AS candidate
     CROSS JOIN LATERAL (SELECT c.id, c.created_at FROM customer AS c WHERE c.id = candidate.id{others} OFFSET 0) AS c
     LIMIT {enough}),
"
                );
                let all = format!("(SELECT count(*) FROM candidates{suffix}) < {candidates}");
                let _ = write!(far_runs, " AND {} AND NOT {all}", is_short("further"));
            }
            // Empty when near was enough, and replaced by far when there may be more.
            further = format!("SELECT id, created_at FROM further{suffix} WHERE NOT ({far_runs}) UNION ALL ");
        }
        let _ = write!(
            sql,
            "far{suffix} AS MATERIALIZED (
    SELECT c.id, c.created_at
      FROM (SELECT c.id, c.created_at FROM customer AS c
             WHERE {tenant}{side}{joined} AND {far_runs}
            OFFSET 0) AS c
     {order_by}
     LIMIT {enough}),
"
        );
        format!(
            "SELECT id, created_at FROM near{suffix} WHERE NOT {near_is_short} UNION ALL {further}SELECT id, created_at FROM \
             far{suffix}"
        )
    }
}
