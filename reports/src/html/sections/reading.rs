//! How to read the page: the words it uses, and what it can't tell.

use maud::{Markup, html};

use super::super::Page;
use crate::quantity;
use crate::run::LoadModel;
use crate::stats::quantile::minimum_samples;

pub(in crate::html) fn section(page: &Page<'_>, confidence: f64) -> Markup {
    let percent = quantity::share(confidence);
    html! {
        dl class="glossary" {
            dt { "Lag, service, response" }
            dd { "Lag is the wait from the moment a request was due until it was sent, service the time from sending to the last byte, response their sum: what a user would have waited. Budgets judge the response." }
            dt { "Coordinated omission" }
            dd {
                @match page.run.plan.load {
                    LoadModel::Open { .. } => { "A client that waits for a slow answer before it sends the next request hides the wait of everybody behind it. Here requests are due on a schedule, however slow the answers are, so that a freeze shows in every request that it held up." },
                    LoadModel::Closed { .. } => { "In this closed loop each user waits for an answer before sending the next request, so a slow server is asked less often and looks better than to users who come by themselves. Use the open loop (a rate instead of users) to see those waits." },
                }
            }
            dt { "Percentile" }
            dd { "p95 is the time within which 95 of 100 requests were answered. It takes enough requests to bound it from above: p95 needs " (minimum_samples(0.95, confidence)) ", p99 " (minimum_samples(0.99, confidence)) ", p99.9 " (quantity::count(minimum_samples(0.999, confidence))) ". With fewer, the figure stands in parentheses, and curves end where the requests do." }
            dt { "Interval" }
            dd { "Each end holds with " (percent) " confidence. It comes from order statistics, without a model of the distribution, and is widened to what the rounds show. A failed request counts as one that was never answered." }
            dt { "Round, ratio" }
            dd { "Each round measures every subject once, in shuffled order. The ratio is taken within a round, where both met the same machine; printed is the median over rounds. Six rounds hold the true median between the smallest and the greatest ratio with 97 % confidence." }
            dt { "Noise floor" }
            dd { "One subject is measured twice in each round. The greatest difference between two equal measurements is the noise floor: a ratio within it means nothing." }
            dt { "Verdict" }
            dd { "Pass: the whole interval satisfies the rule. Fail: none of it does. Inconclusive: the limit lies inside the interval, the samples are too few, or the window can't be trusted. Headroom is the part of the limit that is left." }
            dt { "Limits of this page" }
            dd { "Milliseconds hold for this machine, on which the load generator, the server and the database share the cores; ratios and counted work travel better. Caches were " (page.run.plan.cache) ". Requests of one window resemble each other, so intervals are approximate." }
        }
    }
}
