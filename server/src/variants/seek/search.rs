//! Filters that no single index answers in the order of the list: near first, then far.
//!
//! *Near* walks the order from where the page begins, over a bounded number of rows. Filters that many customers pass
//! find their page there, in a few milliseconds. If they don't, matches are few, or far away, and *far* collects all of
//! them and sorts. It is planned as a set, without the LIMIT that leads the planner astray (`OFFSET 0` keeps it out), and
//! does not run at all when near was enough: its condition on the count of `near` is evaluated once, before its scan.

use std::fmt::Write as _;

use sqlx::Error;

use crate::customers::filters::Filters;
use crate::variants::condition::{self, Labels};
use crate::variants::seek::Ground;
use crate::variants::statement::Values;

/// Rows of the order that near looks at when the covering index has all that is filtered on: about 3 ms.
const NEAR_BY_INDEX: u32 = 20_000;

/// Rows of the order that near looks at when each costs a heap fetch or a probe of another table: about 5 ms.
const NEAR_BY_ROW: u32 = 3_000;

pub(super) fn seek(values: &mut Values, ground: &Ground, filters: &Filters) -> Result<String, Error> {
    let Ground { tenant, ahead, others, walk, skip } = ground;
    let has_columns_only =
        filters.attribute.is_none() && filters.labels.is_empty() && filters.without_labels.is_empty();
    let reach = if has_columns_only { NEAR_BY_INDEX } else { NEAR_BY_ROW };
    let probed = condition::conditions(values, filters, Labels::Probed)?;
    let joined = condition::conditions(values, filters, Labels::Joined)?;
    let enough = format!("{skip} + $2 + 1");
    let order_by = walk.order_by();
    let mut sql = format!(
        "WITH near AS MATERIALIZED (
    SELECT c.id, c.created_at
      FROM (SELECT c.* FROM customer AS c WHERE {tenant}{ahead} {order_by} LIMIT {reach}) AS c
     WHERE true{probed}
     {order_by}
     LIMIT {enough}),
far AS MATERIALIZED (
    SELECT c.id, c.created_at
      FROM (SELECT c.id, c.created_at FROM customer AS c
             WHERE {tenant}{ahead}{joined} AND (SELECT count(*) FROM near) < {enough}
            OFFSET 0) AS c
     {order_by}
     LIMIT {enough}),
"
    );
    let behind = if let Some(others) = others {
        let order_by = walk.reversed().order_by();
        // Both sides of a cursor make up the list, so near and far of both read it once at most.
        let _ = write!(
            sql,
            "near_behind AS MATERIALIZED (
    SELECT
      FROM (SELECT c.* FROM customer AS c WHERE {tenant}{others} {order_by} LIMIT {reach}) AS c
     WHERE true{probed}
     LIMIT 1),
far_behind AS MATERIALIZED (
    SELECT count(*) AS matches FROM customer AS c
     WHERE {tenant}{others}{joined} AND (SELECT count(*) FROM near_behind) = 0),
"
        );
        "EXISTS (SELECT FROM near_behind) OR (SELECT matches FROM far_behind) > 0"
    } else {
        "false"
    };
    let _ = write!(
        sql,
        "seek AS MATERIALIZED (
    SELECT ARRAY(SELECT c.id
                   FROM (SELECT id, created_at FROM near WHERE (SELECT count(*) FROM near) >= {enough}
                          UNION ALL
                         SELECT id, created_at FROM far) AS c
                  {order_by}
                 OFFSET {skip} LIMIT $2 + 1) AS ids,
           {behind} AS behind)"
    );
    Ok(sql)
}
