//! The plans: how the database carried each statement out, node by node.

use maud::{Markup, html};

use super::super::plan::{Explained, Node};
use super::super::record::{Plan, Profile};
use super::super::sql::{in_lines, shortened};
use crate::html::figure::scrolled;
use crate::quantity;

/// Letters of a statement above its plan.
const SUMMARY: usize = 140;

/// An estimate that is off by less is near enough.
const MISJUDGED: f64 = 10.0;

pub(super) fn section(profile: &Profile) -> Option<Markup> {
    let plans: Vec<(&Plan, Explained)> =
        profile.plans.iter().filter_map(|plan| Some((plan, Explained::read(&plan.plan)?))).collect();
    let missing: Vec<(&Plan, &String)> =
        profile.plans.iter().filter_map(|plan| Some((plan, plan.error.as_ref()?))).collect();
    if plans.is_empty() && missing.is_empty() {
        return None;
    }
    Some(html! {
        p class="muted" {
            "Each statement was carried out once more under EXPLAIN, apart from the timed request; being watched makes it slower. "
            "Time and buffers of a node are its own, over all loops, without those of the nodes below it; rows are per loop."
        }
        @for (plan, explained) in &plans {
            details class="sql" {
                summary {
                    @if let Some(ms) = explained.execution_ms { strong { (quantity::time_ms(ms)) } " " }
                    code { (shortened(&plan.sql, SUMMARY)) }
                }
                pre { code { (in_lines(&plan.sql)) } }
                (tree(explained))
                @if let Some(custom) = Explained::read(&plan.custom_plan) {
                    h3 { "The plan for these very values" }
                    p class="muted" { "The one above is made for all values, and differs." }
                    (tree(&custom))
                }
            }
        }
        @for (plan, error) in &missing {
            p { "No plan: " (error) br; code class="sql" { (shortened(&plan.sql, SUMMARY)) } }
        }
    })
}

fn tree(explained: &Explained) -> Markup {
    let longest = explained.nodes.iter().filter_map(|node| node.own_ms).fold(0.0, f64::max);
    let times = [("planning", explained.planning_ms), ("execution", explained.execution_ms)];
    let times: Vec<String> = times
        .into_iter()
        .filter_map(|(name, ms)| Some(format!("{name} {}", quantity::time_ms(ms?))))
        .collect();
    html! {
        @if !times.is_empty() { p class="muted small" { (times.join(", ")) } }
        (scrolled(&html! {
            table class="plan" {
                thead { tr {
                    th scope="col" { "Node" } th class="n" scope="col" { "Rows" } th class="n" scope="col" { "Loops" } th class="n" scope="col" { "Buffers" }
                    th class="n" scope="col" { "Read" } th class="n" scope="col" { "Own time" } th scope="col" { span class="muted" { "of the longest" } }
                } }
                tbody { @for node in &explained.nodes { (line(node, longest)) } }
            }
        }))
    }
}

fn line(node: &Node, longest: f64) -> Markup {
    let number = |number: Option<f64>| number.map_or_else(|| "–".into(), quantity::number);
    let blocks = |blocks: Option<u64>| blocks.map_or_else(|| "–".into(), quantity::count);
    let reached = node.loops != Some(0.0);
    html! {
        tr {
            td style={ "padding-left:" (node.depth * 18) "px" } {
                div class="node" { @if node.depth > 0 { span class="muted" { "└ " } } (node.operation) }
                @if let Some(factor) = node.misjudged().filter(|factor| *factor >= MISJUDGED) {
                    div class="off" { "expected " (number(node.planned_rows)) ": off by " (quantity::times(factor)) }
                }
                @for detail in &node.details { div class="cond" { (detail) } }
            }
            @if reached {
                td class="n" { (number(node.rows)) }
                td class="n" { (number(node.loops)) }
                td class="n" { (blocks(node.hit_blocks)) }
                td class="n" { (blocks(node.read_blocks)) }
                td class="n" { (node.own_ms.map_or_else(|| "–".into(), quantity::time_ms)) }
                td class="bar" {
                    @if let Some(ms) = node.own_ms.filter(|_| longest > 0.0) {
                        svg viewBox="0 0 84 12" width="84" height="12" aria-hidden="true" {
                            rect class="value" x="0" y="1" width=(format!("{:.1}", (84.0 * ms / longest).max(0.7))) height="10" fill="#59626c" {}
                        }
                    }
                }
            } @else {
                td class="n muted" colspan="6" { "never reached" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::sample;
    use super::super::super::session::Repeat;
    use super::*;

    /// The bytes of one plan, so that a change of its form is seen in review.
    #[test]
    fn a_plan_is_an_indented_tree() {
        let repeat = sample::naive(40.0);
        let explained = Explained::read(&repeat.profile().plans[1].plan).unwrap();
        insta::assert_snapshot!(tree(&explained).into_string().replace("><", ">\n<"));
    }

    #[test]
    fn a_plan_for_the_very_values_stands_beside_the_one_for_all() {
        let page = section(sample::naive(40.0).profile()).unwrap().into_string();
        assert_eq!(page.matches("The plan for these very values").count(), 1);
        assert!(page.contains("Index Scan on customer") && page.contains("Seq Scan on customer"));
    }

    #[test]
    fn what_is_no_plan_is_left_out_and_what_was_not_reached_says_so() {
        let plans = json!({"plans": [
            {"sql": "SELECT 1", "plan": null},
            {"sql": "SELECT 3", "plan": null, "error": "it is <gone>"},
            {"sql": "SELECT 2", "plan": {"Plan": {"Node Type": "Result", "Actual Loops": 0, "Actual Rows": 0}}},
        ]});
        let page = section(Repeat::read(plans).unwrap().profile()).unwrap().into_string();
        assert!(
            !page.contains("SELECT 1") && page.contains("SELECT 2") && page.contains("never reached"),
            "{page}"
        );
        assert!(page.contains("No plan: it is &lt;gone&gt;") && page.contains("SELECT 3"), "{page}");
        assert!(section(Repeat::read(json!({"plans": [{"sql": "S"}]})).unwrap().profile()).is_none());
    }
}
