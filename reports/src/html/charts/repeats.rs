//! The same request asked several times: each answer at its total time, in the order of sending from top to bottom.

use maud::{Markup, html};

use super::scale::Linear;
use super::{GRID, grid, line, mark, series, strong, svg, text, tick_label};
use crate::quantity;

/// `totals_ms` in the order of sending; `median` is the place of the one that is shown.
pub(crate) fn repeats(totals_ms: &[f64], median: usize, title: &str, width: f64) -> Markup {
    let (left, right, top, bottom) = (12.0, width - 12.0, 28.0, 26.0);
    let rows = (totals_ms.len() as f64 * 16.0).clamp(16.0, 240.0);
    let height = top + rows + bottom;
    let slowest = totals_ms.iter().copied().fold(0.0, f64::max);
    // From zero, so that answers that are about equal look so.
    let x = Linear { low: 0.0, high: slowest * 1.05, from: left, to: right };
    let ticks = x.ticks(if width > 400.0 { 8 } else { 4 });
    let step = rows / totals_ms.len().max(1) as f64;
    let place = |at: usize, ms: f64| (x.at(ms), top + (at as f64 + 0.5) * step);
    let body = html! {
        (grid(&html! { @for tick in &ticks { (line((x.at(*tick), top), (x.at(*tick), height - bottom))) } }))
        @for tick in &ticks { (text(x.at(*tick), height - 8.0, "middle", &tick_label(tick * 1e3))) }
        @if let Some(ms) = totals_ms.get(median) {
            g class="rule" stroke=(GRID) stroke-width="2" { (line((x.at(*ms), top), (x.at(*ms), height - bottom))) }
            (strong(x.at(*ms).min(width - 130.0), 16.0, "start", &format!("median {}", quantity::time_ms(*ms))))
        }
        @for (at, ms) in totals_ms.iter().enumerate() {
            @let (x, y) = place(at, *ms);
            (series(1, &mark(0, x, y, at != median, &format!("request {}: {}", at + 1, quantity::time_ms(*ms)))))
        }
    };
    svg(width, height, title, "Total time of each counted answer; the data are in the table below.", &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_has_a_mark_and_the_median_one_is_filled() {
        let chart = repeats(&[61.2, 58.3, 60.0], 2, "t", 920.0).into_string();
        assert_eq!(chart.matches("<circle").count(), 3);
        assert_eq!(chart.matches("r=\"5\" fill=\"none\"").count(), 2);
        assert!(chart.contains("median 60.0 ms"));
        assert!(repeats(&[0.0], 0, "t", 348.0).into_string().contains("<circle"), "a time of zero");
    }
}
