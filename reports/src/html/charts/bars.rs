//! Bars from zero, for counts: a length is a number.

use maud::{Markup, html};

use super::scale::Linear;
use super::{px, series, strong, svg, text};

/// One bar.
pub(crate) struct Bar {
    /// Place of the subject in the run, for the colour; `None` for what belongs to no subject.
    pub(crate) index: Option<usize>,
    pub(crate) label: String,
    pub(crate) value: f64,
    /// The value as printed.
    pub(crate) words: String,
}

/// Bars in groups, each under its heading; a group without a heading has none.
pub(crate) fn bars(groups: &[(String, Vec<Bar>)], title: &str, width: f64) -> Markup {
    let (row, heading) = (24.0, 24.0);
    let all = || groups.iter().flat_map(|(_, bars)| bars);
    let widest = |word: fn(&Bar) -> &str| all().map(|bar| super::width_of(word(bar))).fold(0.0, f64::max);
    let left = (widest(|bar| &bar.label) + 12.0).min(width * 0.45);
    let right = width - widest(|bar| &bar.words) - 14.0;
    let x = Linear {
        low: 0.0,
        high: all().map(|bar| bar.value).fold(0.0, f64::max),
        from: left,
        to: right.max(left + 20.0),
    };
    let headings = groups.iter().filter(|(words, _)| !words.is_empty()).count();
    let height = all().count() as f64 * row + headings as f64 * heading + 4.0;
    // Where each heading and each bar stands.
    let (mut titles, mut placed, mut y) = (Vec::new(), Vec::new(), 0.0);
    for (words, bars) in groups {
        if !words.is_empty() {
            titles.push((y, words));
            y += heading;
        }
        for bar in bars {
            placed.push((y, bar));
            y += row;
        }
    }
    let body = html! {
        @for (y, words) in titles { (strong(0.0, y + 16.0, "start", words)) }
        @for (y, bar) in placed {
            (text(left - 8.0, y + 16.0, "end", &bar.label))
            @let length = (x.at(bar.value) - left).max(1.5);
            @let drawn = html! {
                rect x=(px(left)) y=(px(y + 4.0)) width=(px(length)) height=(px(row - 8.0)) fill="currentColor" rx="1.5" {}
            };
            @if let Some(index) = bar.index { (series(index, &drawn)) } @else { (drawn) }
            (strong(x.at(bar.value).max(left + 1.5) + 6.0, y + 16.0, "start", &bar.words))
        }
    };
    svg(width, height, title, "Bars from zero; the data are in the table below.", &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_in_proportion_and_the_smallest_is_still_seen() {
        let bar = |value: f64| Bar { index: Some(0), label: "a".into(), value, words: String::new() };
        let chart = bars(&[(String::new(), vec![bar(100.0), bar(50.0), bar(0.0)])], "t", 400.0).into_string();
        let widths: Vec<f64> = chart
            .split("<rect ")
            .skip(1)
            .filter_map(|rect| rect.split("width=\"").nth(1)?.split('"').next()?.parse().ok())
            .collect();
        assert!((widths[0] / widths[1] - 2.0).abs() < 0.01, "{widths:?}");
        assert!((widths[2] - 1.5).abs() < 1e-9);
    }
}
