//! Charts as pure functions from data to SVG.
//!
//! Each takes the width it is drawn for and returns one `<svg>`: no script, no font, no picture from elsewhere. Shapes
//! and colours are presentation attributes, so that a chart keeps its form even where style sheets are blocked; the
//! style sheet then replaces the colours for dark pages and print. A subject is told apart by colour, by the shape of
//! its marks and by its name beside them.

pub(crate) mod bars;
pub(super) mod dumbbell;
pub(super) mod headroom;
pub(crate) mod power;
pub(crate) mod repeats;
pub(super) mod rounds;
mod scale;
pub(super) mod spectrum;
pub(crate) mod strip;
pub(super) mod timeline;
pub(crate) mod waterfall;

use maud::{Markup, html};

use crate::quantity;

/// Ink of axes and labels where no style sheet applies.
const INK: &str = "#57606a";
/// Grid lines where no style sheet applies.
const GRID: &str = "#e2e5e8";
/// Colours of the subjects where no style sheet applies: orange and blue first, which most eyes tell apart.
const SERIES: [&str; 4] = ["#c2570c", "#0b63b0", "#0f766e", "#7c4a9e"];

/// Width from which a chart has room for words beside its marks.
const ROOMY: f64 = 600.0;

/// The frame of a chart, with what it says to those who don't see it.
fn svg(width: f64, height: f64, title: &str, description: &str, body: &Markup) -> Markup {
    html! {
        svg viewBox={ "0 0 " (px(width)) " " (px(height)) } width=(px(width)) height=(px(height)) role="img"
            aria-label=(title) font-family="system-ui, sans-serif" font-size="12" color=(INK) {
            title { (title) }
            desc { (description) }
            (body)
        }
    }
}

/// A coordinate, to a tenth.
fn px(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

/// Text at a place; `anchor` is `start`, `middle` or `end`.
fn text(x: f64, y: f64, anchor: &str, words: &str) -> Markup {
    html! { text x=(px(x)) y=(px(y)) text-anchor=(anchor) fill="currentColor" { (words) } }
}

/// Text that matters more than a tick label.
fn strong(x: f64, y: f64, anchor: &str, words: &str) -> Markup {
    html! { text class="strong" x=(px(x)) y=(px(y)) text-anchor=(anchor) fill="currentColor" font-weight="600" { (words) } }
}

fn line(from: (f64, f64), to: (f64, f64)) -> Markup {
    html! { line x1=(px(from.0)) y1=(px(from.1)) x2=(px(to.0)) y2=(px(to.1)) {} }
}

/// Grid lines; the style sheet colours them.
fn grid(lines: &Markup) -> Markup {
    html! { g class="grid" stroke=(GRID) stroke-width="1" { (lines) } }
}

/// Everything that belongs to one subject, in its colour.
fn series(index: usize, body: &Markup) -> Markup {
    html! { g class={ "c" (index % SERIES.len()) } color=(SERIES[index % SERIES.len()]) { (body) } }
}

/// The mark of a subject: circle, square, triangle, diamond; hollow for a second look.
fn mark(index: usize, x: f64, y: f64, hollow: bool, title: &str) -> Markup {
    let radius = 5.0;
    let points = match index % SERIES.len() {
        0 => None,
        1 => Some(vec![(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)]),
        2 => Some(vec![(0.0, -1.1), (1.05, 0.8), (-1.05, 0.8)]),
        _ => Some(vec![(0.0, -1.2), (1.2, 0.0), (0.0, 1.2), (-1.2, 0.0)]),
    };
    let fill = if hollow { "none" } else { "currentColor" };
    html! {
        @if let Some(points) = points {
            @let corners: Vec<String> =
                points.iter().map(|(dx, dy)| format!("{},{}", px(x + dx * radius), px(y + dy * radius))).collect();
            polygon points=(corners.join(" ")) fill=(fill) stroke="currentColor" stroke-width="1.5" { title { (title) } }
        } @else {
            circle cx=(px(x)) cy=(px(y)) r=(px(radius)) fill=(fill) stroke="currentColor" stroke-width="1.5" { title { (title) } }
        }
    }
}

/// A legend at the top of a chart, in one row: mark and name of each subject, and what a dashed line is.
fn legend(names: &[&str], limits: bool) -> Markup {
    let y = 14.0;
    let (mut places, mut end) = (Vec::new(), 0.0);
    for name in names {
        places.push(end);
        end += 15.0 + width_of(name) + 18.0;
    }
    html! {
        @for ((index, name), x) in names.iter().enumerate().zip(places) {
            (series(index, &html! {
                (mark(index, x + 5.0, y - 4.0, false, name))
                (strong(x + 15.0, y, "start", name))
            }))
        }
        @if limits {
            (limit((end, y - 4.0), (end + 18.0, y - 4.0), "limit of a budget"))
            (text(end + 24.0, y, "start", "limit of a budget"))
        }
    }
}

/// The limit of a budget, in the colour of whatever it stands in.
fn limit(from: (f64, f64), to: (f64, f64), title: &str) -> Markup {
    html! {
        g class="limit" stroke="currentColor" stroke-width="1.8" stroke-dasharray="3 2" { (line(from, to)) title { (title) } }
    }
}

/// About how wide a text of the charts is; there is no font to ask.
fn width_of(words: &str) -> f64 {
    6.7 * words.chars().count() as f64
}

/// A label of a logarithmic time axis: `5 ms`, `1 s`.
fn tick_label(us: f64) -> String {
    let (value, unit) = match us {
        us if us < 1e3 => (us, "us"),
        us if us < 1e6 => (us / 1e3, "ms"),
        us => (us / 1e6, "s"),
    };
    format!("{} {unit}", quantity::number(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_inside_a_chart() {
        let chart = svg(10.0, 10.0, "<b>", "&", &mark(0, 1.0, 1.0, false, "</svg>")).into_string();
        assert!(chart.contains("aria-label=\"&lt;b&gt;\"") && chart.contains("&lt;/svg&gt;"), "{chart}");
    }

    #[test]
    fn coordinates_have_at_most_one_decimal() {
        assert_eq!([px(1.0), px(1.24), px(-0.06)], ["1", "1.2", "-0.1"]);
    }

    #[test]
    fn each_subject_has_a_mark_of_its_own() {
        let marks: std::collections::BTreeSet<_> =
            (0..SERIES.len()).map(|index| mark(index, 0.0, 0.0, false, "").into_string()).collect();
        assert_eq!(marks.len(), SERIES.len());
    }
}
