//! What the layers of a request took, and what was seen in two of them.

use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

use super::ms;
use crate::profile::Layer;
use crate::profile::advice;
use crate::profile::evidence::plan_of;
use crate::profile::groups::Group;
use crate::profile::plans::Plans;
use crate::profile::recorder::Notes;

/// Time in each layer.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names of the contract")]
pub(super) struct Breakdown {
    pub(super) middleware_time_ms: f64,
    pub(super) permission_time_ms: f64,
    pub(super) queryset_time_ms: f64,
    pub(super) serializer_time_ms: f64,
}

/// What it took to let the request in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Permission<'a> {
    statements: usize,
    time_ms: f64,
    /// Those that count rows.
    count_statements: Vec<&'a str>,
    /// Tables that were read from end to end; known only with the plans.
    full_scans: Vec<String>,
    /// Checks that ask again what was asked before.
    repeated_checks: usize,
}

/// What it took to make the answer out of rows.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Serializer<'a> {
    /// Records of the answer; null where it is no list.
    #[schema(required)]
    records: Option<usize>,
    /// Null without records.
    #[schema(required)]
    us_per_record: Option<f64>,
    /// Of the total, from 0 to 1.
    share: f64,
    /// What was loaded for each record by itself.
    loaded_one_by_one: Vec<Loaded<'a>>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Loaded<'a> {
    sql: &'a str,
    count: usize,
}

impl Breakdown {
    pub(super) fn of(notes: &Notes) -> Self {
        let layer = |layer: Layer| ms(notes.layers[layer as usize]);
        Self {
            middleware_time_ms: layer(Layer::Middleware),
            permission_time_ms: layer(Layer::Permission),
            queryset_time_ms: layer(Layer::Queryset),
            serializer_time_ms: layer(Layer::Serializer),
        }
    }
}

impl<'a> Permission<'a> {
    pub(super) fn of(notes: &Notes, groups: &'a [Group<'a>], plans: Option<&Plans>) -> Self {
        let checks = || groups.iter().filter(|group| group.layer() == Layer::Permission);
        Self {
            statements: checks().map(Group::count).sum(),
            time_ms: ms(notes.layers[Layer::Permission as usize]),
            count_statements: checks()
                .map(|group| group.sql.as_str())
                .filter(|sql| advice::counts(sql))
                .collect(),
            full_scans: checks()
                .filter_map(|group| plan_of(plans, &group.sql))
                .flat_map(|plan| advice::scans_whole(&plan))
                .collect(),
            repeated_checks: checks().map(Group::duplicates).sum(),
        }
    }
}

impl<'a> Serializer<'a> {
    pub(super) fn of(notes: &Notes, n_plus_one: &[&'a Group<'a>], total: Duration) -> Self {
        let time = notes.layers[Layer::Serializer as usize];
        Self {
            records: notes.records,
            us_per_record: notes
                .records
                .filter(|records| *records > 0)
                .map(|records| time.as_nanos() as f64 / 1e3 / records as f64),
            share: if total.is_zero() { 0.0 } else { time.div_duration_f64(total) },
            loaded_one_by_one: n_plus_one
                .iter()
                .filter(|group| group.layer() == Layer::Serializer)
                .map(|group| Loaded { sql: &group.sql, count: group.count() })
                .collect(),
        }
    }
}
