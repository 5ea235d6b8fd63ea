//! The waterfall: when each statement of a request ran.
//!
//! Statements of equal text share a lane, so that hundreds of them fit a page, and a statement that runs once for each row
//! of another is a comb.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::scale::Linear;
use super::{ROOMY, grid, line, px, series, strong, svg, text, tick_label, width_of};

/// Statements of equal text.
pub(crate) struct Lane {
    /// The text, on one line, as long as there is room for: on wide charts and on narrow ones.
    pub(crate) label: [String; 2],
    /// Number and time, as printed.
    pub(crate) words: String,
    /// The place of its layer among all layers, which decides the colour; `None` for a layer that is not known.
    pub(crate) layer: Option<usize>,
    /// Start and length of each statement in milliseconds.
    pub(crate) bars: Vec<(f64, f64)>,
}

/// `layers` are the names of all layers; `end_ms` is when the request had its answer.
pub(crate) fn waterfall(lanes: &[Lane], layers: &[&str], end_ms: f64, title: &str, width: f64) -> Markup {
    let roomy = width >= ROOMY;
    let (row, top, bottom) = (if roomy { 22.0 } else { 40.0 }, 30.0, 26.0);
    let words = lanes.iter().map(|lane| width_of(&lane.words)).fold(0.0, f64::max);
    let left = if roomy { LABELS } else { 4.0 };
    let right = if roomy { width - words - 12.0 } else { width - 4.0 };
    let last = lanes.iter().flat_map(|lane| &lane.bars).map(|(start, length)| start + length);
    let x = Linear { low: 0.0, high: last.fold(end_ms, f64::max), from: left, to: right };
    let height = top + lanes.len() as f64 * row + bottom;
    let ticks = x.ticks(if roomy { 7 } else { 4 });
    let used: Vec<usize> =
        (0..layers.len()).filter(|layer| lanes.iter().any(|lane| lane.layer == Some(*layer))).collect();
    let body = html! {
        (legend(&used, layers))
        (grid(&html! { @for tick in &ticks { (line((x.at(*tick), top), (x.at(*tick), height - bottom))) } }))
        @for tick in &ticks { (text(x.at(*tick), height - 8.0, "middle", &tick_label(tick * 1e3))) }
        @for (lane, y) in lanes.iter().zip((0..).map(|place| top + f64::from(place) * row)) {
            @let drawn = drawn(lane, y + if roomy { 4.0 } else { 20.0 }, &x);
            @if roomy {
                (text(0.0, y + 15.0, "start", &lane.label[0]))
                (text(width, y + 15.0, "end", &lane.words))
            } @else {
                (text(left, y + 15.0, "start", &lane.label[1]))
                (text(width, y + 15.0, "end", &lane.words))
            }
            @if let Some(layer) = lane.layer { (series(layer, &drawn)) } @else { (drawn) }
        }
    };
    svg(
        width,
        height,
        title,
        "When each statement ran, one lane for statements of equal text; the data are in the table below.",
        &body,
    )
}

/// Room for the text of a statement beside its lane.
const LABELS: f64 = 330.0;

/// Letters that fit beside a lane on a wide chart, and above it on a narrow one.
pub(crate) const LETTERS: [usize; 2] = [47, 33];

/// All statements of a lane as one shape: hundreds of elements would make a page slow.
fn drawn(lane: &Lane, y: f64, x: &Linear) -> Markup {
    const HEIGHT: f64 = 14.0;
    let mut shape = String::new();
    for (start, length) in &lane.bars {
        let from = x.at(*start);
        // What ran is seen, however short it was.
        let long = (x.at(start + length) - from).max(0.7);
        let _ = write!(shape, "M{} {}h{}v{HEIGHT}h-{}z", px(from), px(y), px(long), px(long));
    }
    html! { path d=(shape) fill="currentColor" { title { (lane.words) } } }
}

fn legend(used: &[usize], layers: &[&str]) -> Markup {
    let mut end = 0.0;
    let mut placed = Vec::new();
    for layer in used {
        placed.push((end, *layer, layers[*layer]));
        end += 16.0 + width_of(layers[*layer]) + 12.0;
    }
    html! {
        @for (x, layer, name) in placed {
            (series(layer, &html! {
                rect x=(px(x)) y="4" width="10" height="12" fill="currentColor" {}
                (strong(x + 16.0, 14.0, "start", name))
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(layer: Option<usize>, bars: Vec<(f64, f64)>) -> Lane {
        let label = ["SELECT … FROM call".to_owned(), "SELECT … call".to_owned()];
        Lane { label, words: "2 x, 3.00 ms".into(), layer, bars }
    }

    #[test]
    fn the_chart_is_drawn_as_before() {
        let lanes = [lane(Some(1), vec![(0.0, 1.0)]), lane(Some(3), vec![(1.0, 2.0), (9.0, 0.001)])];
        let layers = ["middleware", "permission", "queryset", "serializer"];
        let chart = waterfall(&lanes, &layers, 10.0, "Statements", 348.0).into_string();
        insta::assert_snapshot!(chart.replace("><", ">\n<"));
        let wide = waterfall(&lanes, &layers, 10.0, "Statements", 920.0).into_string();
        assert!(wide.contains("SELECT … FROM call") && !wide.contains("middleware"));
    }

    #[test]
    fn a_statement_that_ended_after_the_answer_still_lies_on_the_chart() {
        let chart = waterfall(&[lane(None, vec![(5.0, 15.0)])], &[], 10.0, "t", 348.0).into_string();
        let shape = chart.split("<path d=\"").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!(shape, "M89 50h255v14h-255z");
    }

    #[test]
    fn hundreds_of_statements_are_one_shape() {
        let bars = (0..750).map(|at| (f64::from(at), 0.5)).collect();
        let chart = waterfall(&[lane(Some(0), bars)], &["serializer"], 750.0, "t", 920.0).into_string();
        assert_eq!(chart.matches("<path").count(), 1);
        assert!(chart.len() < 40_000, "{}", chart.len());
    }
}
