//! One filter by the value of a column: one branch for each value, over an index that leads with the column and goes on
//! with the order of the list.
//!
//! `= ANY (…)` over the same index would lose the order: PostgreSQL 15 to 17 sort all matches then, 18 can merge them but
//! need not. A branch stops after a page, so the cost is that of a page for each value, whether it is rare, absent, or
//! one that only the oldest customers have.

use std::borrow::Cow;

use sqlx::Error;

use crate::customers::filters::{Choice, Comparison, Filters};
use crate::variants::condition::ChoiceColumn;
use crate::variants::seek::Ground;
use crate::variants::statement::Values;

/// The one filter of a request.
#[derive(Debug)]
pub(super) enum Branch<'f> {
    /// The column is one of the values.
    OneOf(&'static str, Cow<'f, [String]>),
    /// The column is none of the values. The others are found by skipping from one value of the tenant to the next.
    NoneOf(&'static str, &'f [String]),
    /// `duration` is exactly this.
    Duration(f64),
    /// `is_test` and `checked`, of which at least one is given. One index leads with both.
    Flags(Option<bool>, Option<bool>),
}

impl<'f> Branch<'f> {
    /// The branch of a request whose filters are one that has such an index.
    pub(super) fn of(filters: &'f Filters) -> Option<Self> {
        let alone = |rest: Filters| rest.is_empty();
        for column in ChoiceColumn::ALL {
            let choice = column.of(filters);
            let mut rest = filters.clone();
            *column.within(&mut rest) = Choice::default();
            match choice {
                Choice { any_of: Some(any_of), none_of } if alone(rest.clone()) => {
                    let is_left = |value: &&String| !none_of.contains(value);
                    let left = any_of.iter().filter(is_left).cloned().collect();
                    return Some(Self::OneOf(column.name(), Cow::Owned(left)));
                }
                Choice { any_of: None, none_of } if !none_of.is_empty() && alone(rest) => {
                    return Some(Self::NoneOf(column.name(), none_of));
                }
                _ => {}
            }
        }
        if let Some(carriers) = &filters.carrier
            && alone(Filters { carrier: None, ..filters.clone() })
        {
            return Some(Self::OneOf("carrier", Cow::Borrowed(carriers)));
        }
        if let [(Comparison::Equal, seconds)] = filters.duration[..]
            && alone(Filters { duration: Vec::new(), ..filters.clone() })
        {
            return Some(Self::Duration(seconds));
        }
        let has_flag = filters.is_test.is_some() || filters.checked.is_some();
        if has_flag && alone(Filters { is_test: None, checked: None, ..filters.clone() }) {
            return Some(Self::Flags(filters.is_test, filters.checked));
        }
        None
    }

    pub(super) fn seek(&self, values: &mut Values, ground: &Ground) -> Result<String, Error> {
        let Ground { tenant, ahead, others, walk, skip } = ground;
        let mut before = String::new();
        let (wanted, condition) = match self {
            Self::OneOf(column, any_of) => (
                format!("unnest({}::text[]) AS wanted (value)", values.bind(any_of.as_ref())?),
                format!("c.{column} = wanted.value"),
            ),
            Self::NoneOf(column, none_of) => {
                before = format!(
                    "RECURSIVE present (value) AS (
    (SELECT c.{column} FROM customer AS c
      WHERE c.workspace_id = $1 AND NOT c.is_deleted ORDER BY c.{column} LIMIT 1)
     UNION ALL
     SELECT (SELECT c.{column} FROM customer AS c
              WHERE c.workspace_id = $1 AND NOT c.is_deleted AND c.{column} > present.value
              ORDER BY c.{column} LIMIT 1)
       FROM present WHERE present.value IS NOT NULL),
"
                );
                (
                    format!(
                        "(SELECT value FROM present
                           WHERE value IS NOT NULL AND value <> ALL ({}::text[])) AS wanted",
                        values.bind(*none_of)?
                    ),
                    format!("c.{column} = wanted.value"),
                )
            }
            Self::Duration(seconds) => (
                format!("(SELECT {}::float8) AS wanted (value)", values.bind(*seconds)?),
                "c.duration = wanted.value".to_owned(),
            ),
            Self::Flags(is_test, checked) => {
                let either = |flag: &Option<bool>| flag.map_or(vec![false, true], |flag| vec![flag]);
                let (is_test, checked) = (values.bind(either(is_test))?, values.bind(either(checked))?);
                (
                    format!(
                        "(SELECT t.is_test, k.checked
                            FROM unnest({is_test}::boolean[]) AS t (is_test), unnest({checked}::boolean[]) AS k (checked)
                         ) AS wanted"
                    ),
                    "c.is_test = wanted.is_test AND c.checked = wanted.checked".to_owned(),
                )
            }
        };
        let behind = others.as_ref().map_or_else(
            || "false".to_owned(),
            |others| {
                let order_by = walk.reversed().order_by();
                format!(
                    "EXISTS (SELECT FROM {wanted}
                    CROSS JOIN LATERAL (SELECT FROM customer AS c
                                         WHERE {tenant} AND {condition}{others}
                                         {order_by}
                                         LIMIT 1) AS branch)"
                )
            },
        );
        let order_by = walk.order_by();
        Ok(format!(
            "WITH {before}seek AS MATERIALIZED (
    SELECT ARRAY(SELECT c.id
                   FROM {wanted}
                  CROSS JOIN LATERAL (SELECT c.id, c.created_at FROM customer AS c
                                       WHERE {tenant} AND {condition}{ahead}
                                       {order_by}
                                       LIMIT {skip} + $2 + 1) AS c
                  {order_by}
                 OFFSET {skip} LIMIT $2 + 1) AS ids,
           {behind} AS behind)"
        ))
    }
}
