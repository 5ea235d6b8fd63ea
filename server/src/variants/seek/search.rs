//! Filters that no single index answers in the order of the list: near first, then far.
//!
//! *Near* walks the order from where the page begins, over a bounded number of rows. Filters that many customers pass
//! find their page there, in a few milliseconds. If they don't, matches are few, or far away, and *far* collects all of
//! them and sorts. Between the two, filters together on what only the row or another table knows walk further. Far is planned as a set, without the LIMIT that leads the planner astray (`OFFSET 0` keeps it out), and
//! does not run at all when near was enough: its condition on the count of `near` is evaluated once, before its scan.

use std::fmt::Write as _;

use sqlx::Error;

use crate::customers::filters::Filters;
use crate::variants::condition::{self, Labels};
use crate::variants::seek::Ground;
use crate::variants::statement::Values;

/// Rows of the order that near looks at when the covering index has all that is filtered on: about 3 ms.
const NEAR_BY_INDEX: u32 = 20_000;

/// Rows of the order that near looks at when each costs a heap fetch or a probe of another table: about 2 ms.
const NEAR_BY_ROW: u32 = 3_000;

/// Rows of the order that are looked at before all matches of several filters are collected, when each row costs so much:
/// about 35 ms. To collect them costs what the smallest set that an index has costs, however few are in all of them: 300 ms
/// for 33,000 customers with a label, 85,000 in a city, and 2,850 of both, which is one in 330.
const NEARBY_BY_ROW: u32 = 60_000;

pub(super) fn seek(values: &mut Values, ground: &Ground, filters: &Filters) -> Result<String, Error> {
    let Ground { tenant, ahead, others, walk, skip } = ground;
    let has_columns_only =
        filters.attribute.is_none() && filters.labels.is_empty() && filters.without_labels.is_empty();
    let reach = if has_columns_only { NEAR_BY_INDEX } else { NEAR_BY_ROW };
    let walks_further = !has_columns_only && filters.count() > 1;
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
"
    );
    // On the other side the first match is enough.
    let reach_behind = if walks_further { NEARBY_BY_ROW } else { reach };
    if walks_further {
        let _ = write!(
            sql,
            "nearby AS MATERIALIZED (
    SELECT c.id, c.created_at
      FROM (SELECT c.* FROM customer AS c
             WHERE {tenant}{ahead} AND (SELECT count(*) FROM near) < {enough}
             {order_by} LIMIT {NEARBY_BY_ROW}) AS c
     WHERE true{probed}
     {order_by}
     LIMIT {enough}),
"
        );
    }
    // A walk that was enough is all there is; each of the others is empty then, or too short.
    let walks: &[&str] = if walks_further { &["near", "nearby"] } else { &["near"] };
    let mut found = String::new();
    let mut short = String::new();
    for walk in walks {
        let _ = write!(
            found,
            "SELECT id, created_at FROM {walk} WHERE (SELECT count(*) FROM {walk}) >= {enough} UNION ALL "
        );
        let _ = write!(short, " AND (SELECT count(*) FROM {walk}) < {enough}");
    }
    let _ = write!(
        sql,
        "far AS MATERIALIZED (
    SELECT c.id, c.created_at
      FROM (SELECT c.id, c.created_at FROM customer AS c
             WHERE {tenant}{ahead}{joined}{short}
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
      FROM (SELECT c.* FROM customer AS c WHERE {tenant}{others} {order_by} LIMIT {reach_behind}) AS c
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
                   FROM ({found}SELECT id, created_at FROM far) AS c
                  {order_by}
                 OFFSET {skip} LIMIT $2 + 1) AS ids,
           {behind} AS behind)"
    );
    Ok(sql)
}
