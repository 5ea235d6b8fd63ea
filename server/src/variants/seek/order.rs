//! Without filters: the index of the order, from where the page begins.

use crate::variants::seek::Ground;

pub(super) fn seek(ground: &Ground) -> String {
    let Ground { tenant, ahead, walk, skip, .. } = ground;
    // The row on the other side is the nearest one, asked for in order. A bare EXISTS has no order, and the planner may
    // then read the table from its start, in the belief that a row of this tenant comes soon.
    let behind = ground.others.as_ref().map_or_else(
        || "false".to_owned(),
        |others| {
            let order_by = walk.reversed().order_by();
            format!("(SELECT true FROM customer AS c WHERE {tenant}{others} {order_by} LIMIT 1) IS NOT NULL")
        },
    );
    let order_by = walk.order_by();
    format!(
        "WITH seek AS MATERIALIZED (
    SELECT ARRAY(SELECT c.id FROM customer AS c
                  WHERE {tenant}{ahead}
                  {order_by}
                 OFFSET {skip} LIMIT $2 + 1) AS ids,
           {behind} AS behind)"
    )
}
