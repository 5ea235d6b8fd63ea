//! Before and after: per percentile two marks on a logarithmic time axis, so that a ratio is a distance.

use maud::{Markup, html};

use super::scale::Log;
use super::{GRID, ROOMY, grid, legend, limit, line, mark, series, strong, svg, text, tick_label};
use crate::quantity;

/// The rows of one operation.
pub(in crate::html) struct Group {
    pub(in crate::html) heading: String,
    pub(in crate::html) rows: Vec<Row>,
}

/// One percentile of one subject, beside that of the base.
pub(in crate::html) struct Row {
    /// `p95`.
    pub(in crate::html) label: String,
    /// `(index of the subject, its name, microseconds)`; the base first.
    pub(in crate::html) marks: Vec<(usize, String, f64)>,
    /// `73x faster`, with its interval where there is one; empty without a base.
    pub(in crate::html) ratio: String,
    pub(in crate::html) interval: String,
    /// Limits of budgets: index of the subject, microseconds.
    pub(in crate::html) limits: Vec<(usize, f64)>,
}

pub(in crate::html) fn dumbbell(groups: &[Group], subjects: &[&str], title: &str, width: f64) -> Markup {
    let roomy = width >= ROOMY;
    let compared = groups.iter().flat_map(|group| &group.rows).any(|row| !row.ratio.is_empty());
    let (row_height, heading_height, top, bottom) = (if roomy { 34.0 } else { 46.0 }, 30.0, 30.0, 26.0);
    let left = if roomy { 52.0 } else { 28.0 };
    let right = match (compared, roomy) {
        (true, true) => width - 212.0,
        (true, false) => width - 8.0,
        (false, _) => width - 60.0,
    };
    let rows: usize = groups.iter().map(|group| group.rows.len()).sum();
    let height = top + rows as f64 * row_height + groups.len() as f64 * heading_height + bottom;
    let values = groups
        .iter()
        .flat_map(|group| &group.rows)
        .flat_map(|row| row.marks.iter().map(|(_, _, us)| *us).chain(row.limits.iter().map(|(_, us)| *us)));
    // Room for a value beside the outermost marks.
    let inset = 54.0;
    let axis = Log::over(values, left + inset, right - inset);
    let ticks = axis.ticks(if roomy { 9 } else { 4 });
    // Where each heading and each row stands.
    let (mut headings, mut placed, mut y) = (Vec::new(), Vec::new(), top);
    for group in groups {
        headings.push((y + 20.0, &group.heading));
        y += heading_height;
        for row in &group.rows {
            placed.push((y + if roomy { row_height / 2.0 } else { 16.0 }, row));
            y += row_height;
        }
    }
    let limited = placed.iter().any(|(_, row)| !row.limits.is_empty());
    let body = html! {
        (legend(subjects, limited))
        (grid(&html! { @for tick in &ticks { (line((axis.at(*tick), top + 4.0), (axis.at(*tick), height - bottom))) } }))
        @for tick in &ticks { (text(axis.at(*tick), height - 8.0, "middle", &tick_label(*tick))) }
        @for (y, heading) in headings { (strong(0.0, y, "start", heading)) }
        @for (y, row) in placed { (drawn(row, y, &axis, left, width, roomy)) }
    };
    svg(width, height, title, "Response times on a logarithmic axis; the data are in the table below.", &body)
}

fn drawn(row: &Row, y: f64, axis: &Log, left: f64, width: f64, roomy: bool) -> Markup {
    let places: Vec<f64> = row.marks.iter().map(|(_, _, us)| axis.at(*us)).collect();
    let (first, last) = places.iter().fold((f64::MAX, 0.0_f64), |(low, high), x| (low.min(*x), high.max(*x)));
    let apart = last - first > 70.0;
    let reach = if roomy { 12.0 } else { 8.0 };
    html! {
        (text(left - 8.0, y + 4.0, "end", &row.label))
        g class="rule" stroke=(GRID) stroke-width="3" stroke-linecap="round" { (line((first, y), (last, y))) }
        @for (index, us) in &row.limits {
            @let x = axis.at(*us);
            (series(*index, &limit((x, y - reach), (x, y + reach), &format!("limit {}", quantity::time_us(*us)))))
        }
        @for ((index, name, us), x) in row.marks.iter().zip(&places) {
            (series(*index, &html! {
                (mark(*index, *x, y, false, &format!("{name} {}: {}", row.label, quantity::time_us(*us))))
                @let outer_left = *x <= first;
                @if roomy || apart {
                    (text(if outer_left { x - 10.0 } else { x + 10.0 }, y + 4.0, if outer_left { "end" } else { "start" }, &quantity::time_us(*us)))
                }
            }))
        }
        @if !row.ratio.is_empty() {
            @if roomy {
                (strong(width - 204.0, y + 4.0, "start", &row.ratio))
                (text(width, y + 4.0, "end", &row.interval))
            } @else {
                (strong(left + 16.0, y + 21.0, "start", &row.ratio))
                (text(width, y + 21.0, "end", &row.interval))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ratio: &str) -> Row {
        Row {
            label: "p95".into(),
            marks: vec![(0, "naive".into(), 500_000.0), (1, "live".into(), 7_000.0)],
            ratio: ratio.into(),
            interval: "70x to 73x".into(),
            limits: vec![(1, 500_000.0)],
        }
    }

    #[test]
    fn a_row_shows_both_values_and_the_ratio() {
        let groups = [Group { heading: "First page".into(), rows: vec![row("71x faster")] }];
        for width in [348.0, 920.0] {
            let chart = dumbbell(&groups, &["naive", "live"], "t", width).into_string();
            for part in ["500 ms", "7.00 ms", "71x faster", "70x to 73x", "First page"] {
                assert!(chart.contains(part), "{part} at {width}");
            }
        }
    }

    /// The bytes of one chart, so that a change of its form is seen in review.
    #[test]
    fn the_chart_is_drawn_as_before() {
        let groups = [Group { heading: "First page".into(), rows: vec![row("71x faster")] }];
        let chart = dumbbell(&groups, &["naive", "live"], "Response times", 348.0).into_string();
        insta::assert_snapshot!(chart.replace("><", ">\n<"));
    }

    #[test]
    fn without_anything_to_compare_there_is_no_ratio() {
        let mut alone = row("");
        alone.marks.truncate(1);
        let chart = dumbbell(&[Group { heading: "a".into(), rows: vec![alone] }], &["target"], "t", 920.0)
            .into_string();
        assert!(!chart.contains("faster") && chart.contains("<circle"));
    }
}
