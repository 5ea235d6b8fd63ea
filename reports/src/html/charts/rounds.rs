//! The rounds strip: how far each round lay from the median of its subject. What is steady stays near the line, and
//! what moves all subjects of a round together was the machine.

use maud::{Markup, html};

use super::scale::Linear;
use super::{GRID, grid, legend, line, mark, series, svg, text};
use crate::quantity;

/// One measurement of one round.
pub(in crate::html) struct Dot<'a> {
    /// Place of the subject in the run.
    pub(in crate::html) index: usize,
    pub(in crate::html) subject: &'a str,
    pub(in crate::html) round: u32,
    /// Whether it is the second look at the control subject.
    pub(in crate::html) again: bool,
    pub(in crate::html) us: f64,
    /// Its distance from the median of the subject's rounds: 0.02 for 2 % above.
    pub(in crate::html) deviation: f64,
}

pub(in crate::html) fn strip(dots: &[Dot<'_>], subjects: &[&str], title: &str, width: f64) -> Markup {
    let height = 210.0;
    let (left, right, top, bottom) = (50.0, width - 12.0, 32.0, height - 26.0);
    let last = dots.iter().map(|dot| dot.round).max().unwrap_or(1);
    let widest = dots.iter().map(|dot| dot.deviation.abs()).fold(0.0, f64::max);
    // Never finer than 5 %: a calm run has to look calm.
    let reach = [0.05, 0.1, 0.2, 0.5, 1.0]
        .into_iter()
        .find(|reach| widest <= *reach)
        .unwrap_or_else(|| widest.ceil());
    let x = Linear { low: 0.5, high: f64::from(last) + 0.5, from: left, to: right };
    let y = Linear { low: -reach, high: reach, from: bottom - 8.0, to: top + 8.0 };
    let levels = [-reach, -reach / 2.0, 0.0, reach / 2.0, reach];
    let spread = (subjects.len().max(1) as f64 - 1.0) / 2.0;
    let place = |dot: &Dot<'_>| {
        let aside = (dot.index as f64 - spread) * 16.0 + if dot.again { 7.0 } else { 0.0 };
        (x.at(f64::from(dot.round)) + aside, y.at(dot.deviation))
    };
    let body = html! {
        (legend(subjects, false))
        (grid(&html! { @for level in levels { (line((left, y.at(level)), (right, y.at(level)))) } }))
        @for level in levels {
            (text(left - 6.0, y.at(level) + 4.0, "end", &if level == 0.0 { "median".to_owned() } else { signed(level) }))
        }
        @for round in 1..=last {
            (text(x.at(f64::from(round)), height - 8.0, "middle", &if width > 400.0 { format!("round {round}") } else { round.to_string() }))
            @let places: Vec<(f64, f64)> = dots.iter().filter(|dot| dot.round == round && !dot.again).map(place).collect();
            g class="rule" stroke=(GRID) stroke-width="2" {
                @for pair in places.windows(2) { (line(pair[0], pair[1])) }
            }
        }
        @for dot in dots {
            @let (x, y) = place(dot);
            @let words = format!(
                "{}{}, round {}: {} ({})",
                dot.subject, if dot.again { ", second look" } else { "" }, dot.round, quantity::time_us(dot.us), signed(dot.deviation)
            );
            (series(dot.index, &mark(dot.index, x, y, dot.again, &words)))
        }
    };
    svg(
        width,
        height,
        title,
        "Each round as a mark; its height is the distance from the median of its subject.",
        &body,
    )
}

/// `+2.5 %`, `-4 %`.
pub(in crate::html) fn signed(deviation: f64) -> String {
    let percent = deviation * 100.0;
    let digits = usize::from(percent.abs() < 9.95 && (percent - percent.round()).abs() > 0.04);
    format!("{percent:+.digits$} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dot(index: usize, round: u32, deviation: f64, again: bool) -> Dot<'static> {
        Dot { index, subject: "live", round, again, us: 7_000.0, deviation }
    }

    #[test]
    fn every_round_of_every_subject_is_a_mark() {
        let dots =
            [dot(0, 1, 0.01, false), dot(1, 1, 0.02, false), dot(1, 1, 0.03, true), dot(0, 2, 0.0, false)];
        let chart = strip(&dots, &["naive", "live"], "t", 452.0).into_string();
        // Two circles and two squares, and one of each in the legend.
        assert_eq!((chart.matches("<circle").count(), chart.matches("<polygon").count()), (3, 3));
        assert!(chart.contains("second look"));
    }

    #[test]
    fn deviations_are_signed() {
        assert_eq!([signed(0.025), signed(-0.04), signed(0.333)], ["+2.5 %", "-4 %", "+33 %"]);
    }
}
