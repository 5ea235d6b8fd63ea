//! The headroom bar of a verdict: the measured value as a part of its limit, with its interval. The limit stands at
//! the same place in every bar.

use maud::{Markup, html};

use super::{GRID, INK, line, px, svg};
use crate::quantity;
use crate::run::{Bound, Verdict};

const WIDTH: f64 = 150.0;
const LIMIT_AT: f64 = 120.0;

/// The bar; `None` where no length would mean anything (no value, or a limit of zero).
pub(in crate::html) fn bar(verdict: &Verdict) -> Option<Markup> {
    let observed = verdict.observed?;
    if verdict.limit <= 0.0 {
        return None;
    }
    let x = |value: f64| (value / verdict.limit * LIMIT_AT).clamp(0.0, WIDTH);
    let value = x(observed.value);
    let whisker = observed.low.map(x).zip(observed.high.map(x)).filter(|(low, high)| high - low >= 2.0);
    let words = format!(
        "{} of a limit of {}",
        quantity::value(observed.value, observed.unit),
        quantity::value(verdict.limit, observed.unit)
    );
    let wanted = match verdict.bound {
        Bound::Upper => "lower is better",
        Bound::Lower => "higher is better",
        Bound::Exact => "must be equal",
    };
    let body = html! {
        rect class="track" x="0" y="4" width=(px(LIMIT_AT)) height="8" fill=(GRID) rx="1.5" {}
        rect class="value" x="0" y="4" width=(px(value.max(1.5))) height="8" fill=(INK) rx="1.5" {}
        @if let Some((low, high)) = whisker {
            g class="whisker" stroke=(INK) stroke-width="1.5" { (line((low, 8.0), (high, 8.0))) (line((low, 5.0), (low, 11.0))) (line((high, 5.0), (high, 11.0))) }
        }
        g class="tick" stroke=(INK) stroke-width="2" { (line((LIMIT_AT, 0.0), (LIMIT_AT, 16.0))) }
    };
    Some(svg(WIDTH, 16.0, &words, wanted, &body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_value_beyond_its_limit_reaches_past_the_tick_but_not_out_of_the_bar() {
        let mut verdict = sample::run().verdicts.remove(0);
        let limit = verdict.limit;
        let mut width = |times: f64| {
            let observed = verdict.observed.as_mut().unwrap();
            (observed.value, observed.low, observed.high) = (times * limit, None, None);
            let chart = bar(&verdict).unwrap().into_string();
            let bar = chart.split("class=\"value\"").nth(1).unwrap();
            bar.split("width=\"").nth(1).unwrap().split('"').next().unwrap().parse::<f64>().unwrap()
        };
        assert!((width(0.5) - LIMIT_AT / 2.0).abs() < 0.1);
        assert!(width(1.1) > LIMIT_AT);
        assert!(width(50.0) <= WIDTH);
    }

    #[test]
    fn a_limit_of_zero_has_no_bar() {
        let run = sample::run();
        let errors = run.verdicts.iter().find(|verdict| verdict.rule == "errors = 0%").unwrap();
        assert!(bar(errors).is_none());
    }
}
