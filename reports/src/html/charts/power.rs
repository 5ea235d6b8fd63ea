//! Values against a size, both axes logarithmic: a power law is a straight line, and its exponent the slope.

use maud::{Markup, html};

use super::scale::Log;
use super::{ROOMY, grid, legend, limit, line, mark, series, svg, text};

/// One row of points.
pub(crate) struct Row<'a> {
    /// Its name in the legend.
    pub(crate) name: &'a str,
    pub(crate) points: Vec<Point>,
    /// Whether a line leads from point to point.
    pub(crate) joined: bool,
    /// Two ends of a fitted line.
    pub(crate) fitted: Option<[(f64, f64); 2]>,
}

/// One mark.
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) hollow: bool,
    /// What it says when it is pointed at.
    pub(crate) title: String,
}

/// What stands beside the axes.
pub(crate) struct Axes<'a> {
    pub(crate) title: &'a str,
    /// What lies along the horizontal axis.
    pub(crate) x: &'a str,
    pub(crate) x_label: fn(f64) -> String,
    pub(crate) y_label: fn(f64) -> String,
    /// Limits of the vertical axis, with the rule that each is of.
    pub(crate) limits: Vec<(f64, String)>,
}

pub(crate) fn power(rows: &[Row<'_>], axes: &Axes<'_>, width: f64) -> Markup {
    let height = if width >= ROOMY { 320.0 } else { 270.0 };
    let (left, right, top, bottom) = (60.0, width - 16.0, 32.0, height - 42.0);
    let points = || rows.iter().flat_map(|row| &row.points);
    let x = Log::over(points().map(|point| point.x), left, right);
    let limits = axes.limits.iter().map(|(limit, _)| *limit);
    let y = Log::over(points().map(|point| point.y).chain(limits), bottom, top);
    let (across, up) = (x.ticks(if width >= ROOMY { 9 } else { 5 }), y.ticks(6));
    let names: Vec<&str> = rows.iter().map(|row| row.name).collect();
    let place = |(size, value): &(f64, f64)| (x.at(*size), y.at(*value));
    let body = html! {
        (legend(&names, false))
        (grid(&html! {
            @for tick in &up { (line((left, y.at(*tick)), (right, y.at(*tick)))) }
            @for tick in &across { (line((x.at(*tick), top), (x.at(*tick), bottom))) }
        }))
        @for tick in &up { (text(left - 6.0, y.at(*tick) + 4.0, "end", &(axes.y_label)(*tick))) }
        @for tick in &across { (text(x.at(*tick), bottom + 16.0, "middle", &(axes.x_label)(*tick))) }
        (text(right, height - 6.0, "end", axes.x))
        @for (value, rule) in &axes.limits {
            (limit((left, y.at(*value)), (right, y.at(*value)), rule))
            (text(right - 4.0, y.at(*value) - 5.0, "end", rule))
        }
        @for (index, row) in rows.iter().enumerate() {
            (series(index, &html! {
                @if let Some([from, to]) = &row.fitted {
                    g stroke="currentColor" stroke-width="1.5" stroke-dasharray="5 4" { (line(place(from), place(to))) }
                }
                @if row.joined {
                    g stroke="currentColor" stroke-width="2" {
                        @for pair in row.points.windows(2) { (line(place(&(pair[0].x, pair[0].y)), place(&(pair[1].x, pair[1].y)))) }
                    }
                }
                @for point in &row.points {
                    (mark(index, x.at(point.x), y.at(point.y), point.hollow, &point.title))
                }
            }))
        }
    };
    svg(width, height, axes.title, "Both axes are logarithmic; the data are in the table below.", &body)
}

/// A label of a time axis.
pub(crate) fn time(us: f64) -> String {
    super::tick_label(us)
}

/// A label of an axis of plain numbers.
pub(crate) fn number(value: f64) -> String {
    crate::quantity::number(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_law_is_drawn_as_a_straight_line_of_marks() {
        let points =
            [1.0, 10.0, 100.0].map(|x| Point { x, y: x * 50.0, hollow: false, title: String::new() });
        let row = Row { name: "naive", points: points.into(), joined: false, fitted: None };
        let axes = Axes {
            title: "t",
            x: "page",
            x_label: number,
            y_label: time,
            limits: vec![(400.0, "p99".into())],
        };
        let chart = power(&[row], &axes, 920.0).into_string();
        let at = |name: &str| -> Vec<f64> {
            let values =
                chart.split("<circle").skip(2).filter_map(|mark| mark.split(&format!("{name}=\"")).nth(1));
            values.map(|rest| rest.split('"').next().unwrap().parse().unwrap()).collect()
        };
        let (xs, ys) = (at("cx"), at("cy"));
        assert_eq!(xs.len(), 3, "the first circle is that of the legend");
        let slope = |a: usize, b: usize| (ys[b] - ys[a]) / (xs[b] - xs[a]);
        assert!((slope(0, 1) - slope(1, 2)).abs() < 0.01 && slope(0, 1) < 0.0, "{xs:?} {ys:?}");
        assert!(chart.contains("class=\"limit\""));
    }
}
