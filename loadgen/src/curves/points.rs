//! From measured windows and counted work to the points of a curve.

use std::collections::BTreeMap;

use reports::curves::{Point, Series};
use reports::latency::Latency;

use crate::measure::Measured;

/// Points, as they are collected.
#[derive(Debug, Default)]
pub struct Points {
    /// By operation and subject, in the order in which they first came.
    series: Vec<((String, String), Vec<Point>)>,
}

impl Points {
    /// Adds what was measured. `place` says of each operation which one it is a point of, and at which size; `None` leaves it
    /// out.
    pub fn add(&mut self, measured: &Measured, place: impl Fn(&str) -> Option<(String, u64)>) {
        let mut pools: BTreeMap<(&str, &str), (Latency, u64)> = BTreeMap::new();
        for window in measured.windows.iter().filter(|window| window.pass == 1) {
            let (response, failed) = pools.entry((&window.subject, &window.operation)).or_default();
            response.add(&window.timings.response);
            *failed += window.errors.values().sum::<u64>();
        }
        for ((subject, operation), (response, failed)) in pools {
            let Some((name, size)) = place(operation) else { continue };
            let (Some(p50_us), Some(p95_us)) = (response.quantile_us(0.5), response.quantile_us(0.95)) else {
                continue;
            };
            let counted = |work: &&reports::run::Work| work.subject == subject && work.operation == operation;
            let work = measured.work.iter().find(counted);
            let point = Point {
                size,
                requests: response.count(),
                failed,
                p50_us,
                p95_us,
                buffers: work.map(|work| work.buffers_per_request),
                statements: work.map(|work| work.statements_per_request),
                response,
            };
            let key = (name, subject.to_owned());
            match self.series.iter_mut().find(|(of, _)| *of == key) {
                Some((_, points)) => points.push(point),
                None => self.series.push((key, vec![point])),
            }
        }
    }

    /// The series with their fitted powers, by operation, and the subjects in the order of `subjects`.
    #[must_use]
    pub fn series(self, subjects: &[String]) -> Vec<Series> {
        let mut operations: Vec<String> = Vec::new();
        for ((operation, _), _) in &self.series {
            if !operations.contains(operation) {
                operations.push(operation.clone());
            }
        }
        let place = |(operation, subject): &(String, String)| {
            let of = |names: &[String], name: &String| names.iter().position(|known| known == name);
            (of(&operations, operation), of(subjects, subject))
        };
        let mut series = self.series;
        series.sort_by_key(|(key, _)| place(key));
        series
            .into_iter()
            .map(|((operation, subject), points)| Series::new(&subject, &operation, points))
            .collect()
    }
}
