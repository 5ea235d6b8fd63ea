//! Times and buffers against the number of a page.

use std::sync::Arc;
use std::time::Duration;

use reports::curves::Series;

use super::Points;
use crate::load::Load;
use crate::measure::Measured;
use crate::operations::{Depths, PageAt};
use crate::plan::Plan;
use crate::scenarios::Scenario;

/// What the series of a depth are called: all pages are pages of the list.
const OPERATION: &str = "list";

/// The plan that measures pages: one request after another, so that what is measured is the page and not a queue, with a
/// window for each page and target in each of the rounds, in a drawn order.
#[must_use]
pub fn depth_plan(pages: &[u32], depths: &Arc<Depths>, rounds: u32, window: Duration) -> Plan {
    let scenario = |page: &u32| Scenario::of(Arc::new(PageAt::new(*page, Arc::clone(depths))));
    Plan {
        scenarios: pages.iter().map(scenario).collect(),
        rounds,
        window,
        warm_up: Duration::from_millis(300),
        load: Load::Closed { users: 1 },
        ..Plan::default()
    }
}

/// What such a plan has measured, against the number of the page.
#[must_use]
pub fn depth_series(measured: &Measured, pages: &[u32], subjects: &[String]) -> Vec<Series> {
    let mut points = Points::default();
    points.add(measured, |operation| {
        let page = pages.iter().find(|page| PageAt::name_of(**page) == operation)?;
        Some((OPERATION.to_owned(), u64::from(*page)))
    });
    points.series(subjects)
}
