//! The timeline: what each second of measurement was like, in the order in which it ran. Seconds in which other
//! operations were measured are cut out; rounds are told apart by their ground.

use maud::{Markup, html};

use super::scale::{Linear, Log};
use super::{GRID, ROOMY, grid, legend, line, series, svg, text, tick_label};
use crate::quantity;
use crate::run::Second;

/// The seconds of one window.
pub(in crate::html) struct Stretch<'a> {
    /// Place of the subject in the run.
    pub(in crate::html) index: usize,
    pub(in crate::html) subject: &'a str,
    pub(in crate::html) round: u32,
    pub(in crate::html) seconds: Vec<Second>,
}

/// Height of what is drawn of a second whose median is not known.
const DOT: f64 = 3.0;

/// Most points over the whole width; longer runs are drawn in steps of several seconds.
const MOST_POINTS: usize = 600;

pub(in crate::html) fn timeline(
    stretches: &[Stretch<'_>],
    subjects: &[&str],
    title: &str,
    width: f64,
) -> Markup {
    let stretches = thinned(stretches);
    let height = if width >= ROOMY { 290.0 } else { 270.0 };
    let (left, right, top, bottom) = (50.0, width - 12.0, 32.0, height - 92.0);
    let (rate_top, rate_bottom) = (height - 74.0, height - 26.0);
    let total: usize = stretches.iter().map(|stretch| stretch.seconds.len()).sum();
    let x = Linear { low: 0.0, high: total.max(1) as f64, from: left, to: right };
    let all = || stretches.iter().flat_map(|stretch| &stretch.seconds);
    let y = Log::over(all().flat_map(times), bottom, top);
    let busiest = all().map(|second| second.requests).max().unwrap_or(0);
    let rate = Linear { low: 0.0, high: busiest.max(1) as f64, from: rate_bottom, to: rate_top };
    let ticks = y.ticks(6);
    let mut starts = Vec::new();
    let mut at = 0;
    for stretch in &stretches {
        starts.push(at);
        at += stretch.seconds.len();
    }
    let body = html! {
        (legend(subjects, false))
        (rounds(&stretches, &starts, total, &x, (top, rate_bottom), height, width))
        (grid(&html! {
            @for tick in &ticks { (line((left, y.at(*tick)), (right, y.at(*tick)))) }
            (line((left, rate_bottom), (right, rate_bottom)))
            (line((left, rate_top), (right, rate_top)))
        }))
        @for tick in &ticks { (text(left - 6.0, y.at(*tick) + 4.0, "end", &tick_label(*tick))) }
        (text(left - 6.0, rate_top + 8.0, "end", &quantity::count(busiest)))
        (text(left - 6.0, rate_bottom, "end", "req/s"))
        @for (stretch, start) in stretches.iter().zip(&starts) {
            (series(stretch.index, &drawn(stretch, *start, &x, &y, &rate)))
        }
    };
    let has_medians = all().any(|second| second.p50_us.is_some());
    let words = if has_medians || all().all(|second| second.requests == 0) {
        "Per second: median response as a line, the slowest as a thin bar, requests below."
    } else {
        "Per second: the slowest response as a dot, requests below. Several processes had requests in each second, so that \
         its median is not known."
    };
    svg(width, height, title, words, &body)
}

/// The times of a second that are known.
fn times(second: &Second) -> impl Iterator<Item = f64> {
    let slowest = (second.requests > 0).then_some(second.max_us);
    second.p50_us.into_iter().chain(slowest).map(|us| us as f64)
}

fn drawn(stretch: &Stretch<'_>, start: usize, x: &Linear, y: &Log, rate: &Linear) -> Markup {
    let step = x.at(1.0) - x.at(0.0);
    let place = |second: usize| x.at((start + second) as f64) + step / 2.0;
    let answered: Vec<(usize, &Second)> =
        stretch.seconds.iter().enumerate().filter(|(_, second)| second.requests > 0).collect();
    let medians: Vec<(usize, u64)> =
        answered.iter().filter_map(|(place, second)| Some((*place, second.p50_us?))).collect();
    // The first point twice: a stretch of one second is a line without length, whose round caps are a dot.
    let median: Vec<String> = (medians.first().into_iter().chain(&medians))
        .map(|(second, p50_us)| format!("{:.1} {:.1}", place(*second), y.at(*p50_us as f64)))
        .collect();
    let upright = |second: usize, from: f64, to: f64| format!("M{:.1} {from:.1}V{to:.1}", place(second));
    let slowest: String = answered
        .iter()
        .map(|(second, values)| {
            let slowest = y.at(values.max_us as f64);
            upright(*second, values.p50_us.map_or(slowest + DOT, |us| y.at(us as f64)), slowest)
        })
        .collect();
    let requests: String = (stretch.seconds.iter().enumerate())
        .map(|(second, values)| upright(second, rate.at(0.0), rate.at(values.requests as f64)))
        .collect();
    let bar = (step * 0.7).clamp(0.5, 6.0);
    html! {
        g {
            title { (stretch.subject) ", round " (stretch.round) }
            path d=(slowest) stroke="currentColor" stroke-width=(format!("{:.1}", bar * 0.6)) stroke-opacity="0.35" fill="none" {}
            @if !median.is_empty() {
                path d={ "M" (median.join("L")) } stroke="currentColor" stroke-width="3" stroke-linecap="round" stroke-linejoin="round" fill="none" {}
            }
            path d=(requests) stroke="currentColor" stroke-width=(format!("{bar:.1}")) stroke-opacity="0.55" fill="none" {}
        }
    }
}

/// The ground of every second round, and the numbers of all.
fn rounds(
    stretches: &[Stretch<'_>],
    starts: &[usize],
    total: usize,
    x: &Linear,
    ground: (f64, f64),
    height: f64,
    width: f64,
) -> Markup {
    let mut spans: Vec<(u32, usize, usize)> = Vec::new();
    for (stretch, start) in stretches.iter().zip(starts) {
        let end = start + stretch.seconds.len();
        match spans.last_mut() {
            Some((round, _, until)) if *round == stretch.round => *until = end,
            _ => spans.push((stretch.round, *start, end)),
        }
    }
    let label = |round: u32| {
        if width >= ROOMY && spans.len() <= 10 { format!("round {round}") } else { round.to_string() }
    };
    html! {
        @for (place, (round, start, end)) in spans.iter().enumerate() {
            @let (from, to) = (x.at(*start as f64), x.at((*end).min(total) as f64));
            @if place % 2 == 1 {
                rect class="band" x=(format!("{from:.1}")) y=(format!("{:.1}", ground.0)) width=(format!("{:.1}", to - from))
                    height=(format!("{:.1}", ground.1 - ground.0)) fill=(GRID) fill-opacity="0.45" {}
            }
            (text(f64::midpoint(from, to), height - 8.0, "middle", &label(*round)))
        }
    }
}

/// Several seconds drawn as one where there are too many: the sum of requests, the greatest maximum, the middle median.
fn thinned<'a>(stretches: &[Stretch<'a>]) -> Vec<Stretch<'a>> {
    let total: usize = stretches.iter().map(|stretch| stretch.seconds.len()).sum();
    let step = total.div_ceil(MOST_POINTS).max(1);
    stretches
        .iter()
        .map(|stretch| Stretch {
            index: stretch.index,
            subject: stretch.subject,
            round: stretch.round,
            seconds: stretch.seconds.chunks(step).map(merged).collect(),
        })
        .collect()
}

fn merged(seconds: &[Second]) -> Second {
    let mut medians: Vec<u64> = seconds.iter().filter_map(|second| second.p50_us).collect();
    medians.sort_unstable();
    let count = seconds.len().max(1) as u64;
    Second {
        requests: seconds.iter().map(|second| second.requests).sum::<u64>() / count,
        errors: seconds.iter().map(|second| second.errors).sum(),
        p50_us: medians.get(medians.len() / 2).copied(),
        max_us: seconds.iter().map(|second| second.max_us).max().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(round: u32, seconds: usize) -> Stretch<'static> {
        let second = Second { requests: 50, errors: 0, p50_us: Some(6_000), max_us: 9_000 };
        Stretch { index: 1, subject: "live", round, seconds: vec![second; seconds] }
    }

    #[test]
    fn rounds_are_numbered_once_each() {
        let chart = timeline(&[stretch(1, 5), stretch(1, 5), stretch(2, 5)], &["naive", "live"], "t", 920.0)
            .into_string();
        assert_eq!(chart.matches(">round 1<").count(), 1);
        assert_eq!(chart.matches("class=\"band\"").count(), 1);
    }

    #[test]
    fn a_long_run_is_thinned_but_keeps_its_worst_second() {
        let mut long = stretch(1, 6_000);
        long.seconds[4_321].max_us = 2_000_000;
        let thin = thinned(&[long]);
        assert_eq!(thin[0].seconds.len(), MOST_POINTS);
        assert_eq!(thin[0].seconds.iter().map(|second| second.max_us).max(), Some(2_000_000));
        assert_eq!(thin[0].seconds[0].requests, 50);
    }

    #[test]
    fn a_second_whose_median_is_not_known_shows_its_slowest_and_no_line() {
        let mut merged = stretch(1, 3);
        for second in &mut merged.seconds {
            second.p50_us = None;
        }
        let chart = timeline(&[merged], &["live"], "t", 920.0).into_string();
        assert!(chart.contains("its median is not known") && !chart.contains("as a line"), "{chart}");
        assert!(!chart.contains("stroke-width=\"3\"") && !chart.contains("NaN"), "{chart}");
        let slowest = chart.split("<path d=\"").nth(1).expect("a path");
        assert_eq!(slowest.split('"').next().expect("its ends").matches('M').count(), 3, "{chart}");
    }

    #[test]
    fn a_second_without_requests_leaves_a_gap() {
        let mut gap = stretch(1, 3);
        gap.seconds[1] = Second::default();
        let chart = timeline(&[gap], &["live"], "t", 920.0).into_string();
        assert!(!chart.contains("NaN") && !chart.contains("inf"));
    }
}
