//! A figure over the time of the run, small: one of several that stand beside each other on the same clock.

use maud::{Markup, html};

use super::scale::Linear;
use super::{grid, legend, line, px, series, svg, text};
use crate::meanwhile::Point;
use crate::quantity;

/// Most points of a line; longer runs are drawn in steps, each with its greatest figure.
const MOST_POINTS: usize = 120;

/// The figure of one subject.
pub(crate) struct Strip {
    /// Place of the subject in the run.
    pub(crate) index: usize,
    /// In the order of time; between stretches that don't meet there is a gap.
    pub(crate) points: Vec<Point>,
}

/// How figures are written beside the axis.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ink {
    /// In powers of ten.
    Decimal(fn(f64) -> String),
    /// In powers of 1024.
    Bytes,
}

impl Ink {
    /// A figure in words.
    pub(crate) fn write(self, value: f64) -> String {
        match self {
            Self::Decimal(print) => print(value),
            Self::Bytes => quantity::bytes(value),
        }
    }

    /// At most about three figures from zero on that are round in their unit.
    fn ticks(self, high: f64) -> Vec<f64> {
        let unit = match self {
            Self::Decimal(_) => 1.0,
            Self::Bytes => 1024_f64.powf((high.max(1.0).ln() / 1024_f64.ln()).floor()),
        };
        let axis = Linear { low: 0.0, high: high / unit, from: 0.0, to: 1.0 };
        axis.ticks(3).into_iter().map(|tick| tick * unit).collect()
    }
}

/// Lines over the seconds of the run, from the first stretch to the last, above zero.
pub(crate) fn strip(strips: &[Strip], subjects: &[&str], title: &str, ink: Ink, width: f64) -> Markup {
    let height = 168.0;
    let (top, bottom, right) = (32.0, height - 26.0, width - 16.0);
    let all = || strips.iter().flat_map(|strip| &strip.points);
    let highest = all().map(|point| point.value).fold(0.0, f64::max);
    let began_s = all().map(|point| point.from_s).fold(f64::INFINITY, f64::min);
    let ended_s = all().map(|point| point.to_s).fold(began_s + 1.0, f64::max);
    // Air above the highest, and an axis even if nothing ever happened.
    let high = if highest > 0.0 { highest * 1.1 } else { 1.0 };
    let y = Linear { low: 0.0, high, from: bottom, to: top };
    let ticks: Vec<f64> = if highest > 0.0 { ink.ticks(high) } else { vec![0.0] };
    let labels: Vec<String> = ticks.iter().map(|tick| ink.write(*tick)).collect();
    let left = labels.iter().map(|label| super::width_of(label)).fold(0.0, f64::max) + 10.0;
    let x = Linear { low: began_s, high: ended_s, from: left, to: right };
    let body = html! {
        (legend(subjects, false))
        (grid(&html! { @for tick in &ticks { (line((left, y.at(*tick)), (right, y.at(*tick)))) } }))
        @for (tick, label) in ticks.iter().zip(&labels) { (text(left - 6.0, y.at(*tick) + 4.0, "end", label)) }
        @for tick in x.ticks(4) { (text(x.at(tick), height - 8.0, "middle", &format!("{} s", quantity::number(tick)))) }
        @for strip in strips { (series(strip.index, &drawn(&thinned(&strip.points), &x, &y))) }
    };
    svg(width, height, title, "A line over the seconds of the run, where each subject was under load.", &body)
}

fn drawn(points: &[Point], x: &Linear, y: &Linear) -> Markup {
    let mut path = String::new();
    let mut joined = f64::NEG_INFINITY;
    for point in points {
        let place =
            format!("{} {}", px(x.at(f64::midpoint(point.from_s, point.to_s))), px(y.at(point.value)));
        if (point.from_s - joined).abs() < 0.01 {
            path.push('L');
        } else {
            // The first point of a line twice: one that stands alone is a line without length, whose round caps are a dot.
            path.push('M');
            path.push_str(&place);
            path.push('L');
        }
        path.push_str(&place);
        joined = point.to_s;
    }
    html! {
        @if !path.is_empty() {
            path d=(path) stroke="currentColor" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round" fill="none" {}
        }
    }
}

/// Several stretches drawn as one where there are too many: their whole length, and the greatest figure.
fn thinned(points: &[Point]) -> Vec<Point> {
    let step = points.len().div_ceil(MOST_POINTS).max(1);
    let mut thin: Vec<Point> = Vec::new();
    let mut merged = 0;
    for point in points {
        match thin.last_mut() {
            // Only what meets: a gap stays a gap.
            Some(last) if merged < step && (point.from_s - last.to_s).abs() < 0.01 => {
                last.to_s = point.to_s;
                last.value = last.value.max(point.value);
                merged += 1;
            }
            _ => {
                thin.push(*point);
                merged = 1;
            }
        }
    }
    thin
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(second: u32, value: f64) -> Point {
        Point { from_s: f64::from(second), to_s: f64::from(second + 1), value }
    }

    #[test]
    fn a_gap_in_time_is_a_gap_in_the_line() {
        let points = vec![point(0, 1.0), point(1, 2.0), point(5, 3.0)];
        let strips = [Strip { index: 0, points }];
        let chart = strip(&strips, &["live"], "t", Ink::Decimal(quantity::number), 448.0).into_string();
        let path = chart.split(" d=\"").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!((path.matches('M').count(), path.matches('L').count()), (2, 3), "{path}");
    }

    #[test]
    fn a_long_run_is_thinned_but_keeps_its_peak_and_its_gaps() {
        let mut points: Vec<Point> = (0..3_000).map(|second| point(second, 1.0)).collect();
        points[1_234].value = 70.0;
        points.extend((4_000..4_010).map(|second| point(second, 1.0)));
        let thin = thinned(&points);
        assert!((MOST_POINTS / 2..=MOST_POINTS + 2).contains(&thin.len()), "{}", thin.len());
        assert!(thin.iter().any(|point| (point.value - 70.0).abs() < 1e-9));
        assert!(thin.iter().all(|point| point.to_s <= 3_000.0 || point.from_s >= 4_000.0));
    }

    #[test]
    fn ticks_are_round_in_their_unit() {
        let written =
            |ink: Ink, high| ink.ticks(high).into_iter().map(|tick| ink.write(tick)).collect::<Vec<_>>();
        assert_eq!(written(Ink::Bytes, 400_000.0), ["0 B", "200 KiB"]);
        assert_eq!(written(Ink::Bytes, 3_000_000.0), ["0 B", "1.00 MiB", "2.00 MiB"]);
        assert_eq!(written(Ink::Decimal(quantity::number), 4_700.0), ["0", "2,000", "4,000"]);
    }

    #[test]
    fn a_figure_that_was_always_zero_still_has_an_axis() {
        let strips = [Strip { index: 0, points: vec![point(0, 0.0)] }];
        let chart = strip(&strips, &["live"], "t", Ink::Decimal(quantity::number), 348.0).into_string();
        assert!(!chart.contains("NaN") && !chart.contains("inf"), "{chart}");
    }
}
