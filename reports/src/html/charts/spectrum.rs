//! The percentile spectrum: every percentile of the response on the axis of nines, where the tail has as much room as
//! the rest. A curve ends at the last percentile that has enough samples for an upper bound.

use maud::{Markup, html};

use super::scale::{Log, Nines};
use super::{ROOMY, grid, legend, limit, line, mark, series, svg, text, tick_label};
use crate::latency::Latency;
use crate::quantity;

/// One curve.
pub(in crate::html) struct Curve<'a> {
    /// Place of the subject in the run.
    pub(in crate::html) index: usize,
    pub(in crate::html) subject: &'a str,
    pub(in crate::html) response: &'a Latency,
    /// `(quantile, microseconds)` of its budgets.
    pub(in crate::html) limits: Vec<(f64, f64)>,
}

/// Points of a curve: more would not be seen.
const POINTS: u32 = 120;

/// `(quantile, microseconds)`.
type Points = Vec<(f64, f64)>;

pub(in crate::html) fn spectrum(
    curves: &[Curve<'_>],
    subjects: &[&str],
    title: &str,
    confidence: f64,
    width: f64,
) -> Markup {
    let height = if width >= ROOMY { 300.0 } else { 260.0 };
    let (left, right, top, bottom) = (50.0, width - 22.0, 32.0, height - 26.0);
    let drawn: Vec<(&Curve<'_>, f64, Points)> = curves
        .iter()
        .filter_map(|curve| {
            let last = last_quantile(curve.response.count(), confidence)?;
            Some((curve, last, points(curve.response, last)))
        })
        .collect();
    let x = Nines::up_to(drawn.iter().map(|(_, last, _)| *last).fold(0.9, f64::max), left, right);
    let limits = || drawn.iter().flat_map(|(curve, _, _)| &curve.limits);
    let values = drawn
        .iter()
        .flat_map(|(_, _, points)| points.iter().map(|(_, us)| *us))
        .chain(limits().map(|(_, us)| *us));
    let y = Log::over(values, bottom, top);
    let ticks = y.ticks(6);
    let body = html! {
        (legend(subjects, limits().next().is_some()))
        (grid(&html! {
            @for tick in &ticks { (line((left, y.at(*tick)), (right, y.at(*tick)))) }
            @for (quantile, _) in x.ticks() { (line((x.at(quantile), top), (x.at(quantile), bottom))) }
        }))
        @for tick in &ticks { (text(left - 6.0, y.at(*tick) + 4.0, "end", &tick_label(*tick))) }
        @for (quantile, label) in x.ticks() { (text(x.at(quantile), height - 8.0, "middle", label)) }
        @for (curve, last, points) in &drawn {
            (series(curve.index, &html! {
                @for (quantile, us) in &curve.limits {
                    @let (x, y) = (x.at(*quantile), y.at(*us));
                    (limit((x - 16.0, y), (x + 16.0, y), &format!("limit {}", quantity::time_us(*us))))
                }
                path d=(path(points.iter().map(|(quantile, us)| (x.at(*quantile), y.at(*us))))) fill="none"
                    stroke="currentColor" stroke-width="2" stroke-linejoin="round" {}
                @if let Some((quantile, us)) = points.last() {
                    @let words = format!("{}: last percentile with enough samples, p{}, {}", curve.subject, quantity::number(last * 100.0), quantity::time_us(*us));
                    (mark(curve.index, x.at(*quantile), y.at(*us), false, &words))
                }
            }))
        }
    };
    svg(
        width,
        height,
        title,
        "Response time against the percentile on an axis of nines; the data are in the table below.",
        &body,
    )
}

fn points(response: &Latency, last: f64) -> Points {
    let at = |quantile| Some((quantile, response.quantile_us(quantile)? as f64));
    Nines::points(last, POINTS).filter_map(at).collect()
}

/// The greatest quantile that `n` samples can bound from above: `1 - q^n >= confidence`; `None` when there are too few
/// for the median.
pub(in crate::html) fn last_quantile(n: u64, confidence: f64) -> Option<f64> {
    let last = (1.0 - confidence).powf(1.0 / n as f64);
    (n > 0 && last >= 0.5).then_some(last)
}

fn path(points: impl Iterator<Item = (f64, f64)>) -> String {
    let places: Vec<String> = points.map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
    format!("M{}", places.join("L"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::quantile::minimum_samples;
    use std::time::Duration;

    #[test]
    fn the_last_percentile_is_the_one_that_the_samples_just_bound() {
        let last = last_quantile(299, 0.95).unwrap();
        assert!(last > 0.99 && last < 0.9901, "{last}");
        assert_eq!(minimum_samples(last, 0.95), 299);
        assert_eq!(last_quantile(4, 0.95), None);
        assert_eq!(last_quantile(0, 0.95), None);
    }

    #[test]
    fn a_curve_without_samples_is_left_out() {
        let (mut full, empty) = (Latency::new(), Latency::new());
        for us in 1..1_000 {
            full.record(Duration::from_micros(us));
        }
        let curve = |index, response| Curve { index, subject: "s", response, limits: vec![(0.95, 2_000.0)] };
        let chart =
            spectrum(&[curve(0, &empty), curve(1, &full)], &["a", "b"], "t", 0.95, 452.0).into_string();
        assert_eq!(chart.matches("<path").count(), 1);
        assert!(chart.contains("p99") && !chart.contains(">p99.9<"), "the axis ends where the samples do");
    }
}
