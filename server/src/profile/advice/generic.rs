//! A plan made for all values that is much worse than one made for these.
//!
//! PostgreSQL changes over to such a plan after five executions of a prepared statement if it *expects* it to be no worse
//! (manual, PREPARE); on a tenant unlike the others that can be wrong by orders of magnitude.

use super::{Evidence, Finding, Kind, Plan, figures};

/// How many times cheaper the plan for the values must be, in blocks and in time. Time alone can be chance, blocks alone can
/// be cheap ones.
const TIMES_CHEAPER: f64 = 2.0;

/// What must be saved in a request; less is lost in whatever else it does.
const LEAST_SAVED_MS: f64 = 1.0;

/// Two plans of one statement.
pub(super) struct Pair<'e> {
    generic: &'e Plan,
    pub(super) custom: &'e Plan,
}

impl Pair<'_> {
    /// What the plan for the values saves in one run. It is made anew each time, which counts.
    fn saved_ms(&self) -> f64 {
        self.generic.execution_ms - self.custom.total_ms()
    }
}

/// Both plans, if the one that was used hurts.
pub(super) fn hurts<'e>(seen: &'e Evidence) -> Option<Pair<'e>> {
    let pair = Pair { generic: seen.plan.as_ref()?, custom: seen.custom_plan.as_ref()? };
    let is_cheaper = pair.generic.execution_ms >= TIMES_CHEAPER * pair.custom.total_ms()
        && pair.generic.blocks() >= TIMES_CHEAPER * pair.custom.blocks();
    (is_cheaper && pair.saved_ms() * seen.times as f64 >= LEAST_SAVED_MS).then_some(pair)
}

/// The finding, if the plan that was used hurts.
pub(super) fn findings(seen: &Evidence) -> Option<Finding> {
    let pair = hurts(seen)?;
    let sentence = format!(
        "The plan that is kept for all values of the statement on {} looked at {} blocks in {}, one made for these values at \
         {} blocks in {}, planning included: run it with plan_cache_mode = force_custom_plan",
        seen.table(),
        figures::count(pair.generic.blocks()),
        figures::ms(pair.generic.execution_ms),
        figures::count(pair.custom.blocks()),
        figures::ms(pair.custom.total_ms()),
    );
    let saved = (pair.saved_ms() / pair.generic.execution_ms).clamp(0.0, 1.0);
    Some(Finding::new(Kind::GenericPlan, seen.time_ms * saved, sentence))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::advice::testing::{Ground, assert_says, seen, sentences};
    use crate::profile::advice::{Layer, Node};

    /// Half of the rows are expected to have any status, so a plan for all of them walks the order until it has a page.
    const SQL: &str = "SELECT id, name FROM customer WHERE status = $1 ORDER BY created_at LIMIT 50";

    /// The fastest of several runs: what chance adds to one of them says nothing about the plan.
    async fn fastest(ground: &mut Ground, mode: &str, value: &str) -> Plan {
        let mut best: Option<Plan> = None;
        for _ in 0..9 {
            let plan = ground.explain(mode, SQL, value).await;
            if best.as_ref().is_none_or(|best| plan.total_ms() < best.total_ms()) {
                best = Some(plan);
            }
        }
        best.expect("there were some")
    }

    #[tokio::test]
    async fn a_plan_for_all_values_that_hurts_this_one_is_told_with_both_figures() {
        let mut ground = Ground::new().await;
        ground.run("CREATE INDEX ON customer (status)").await;
        ground.run("CREATE INDEX ON customer (created_at)").await;
        for (value, hurts) in [("'blocked'", true), ("'active'", false)] {
            let generic = fastest(&mut ground, "force_generic_plan", value).await;
            let custom = fastest(&mut ground, "force_custom_plan", value).await;
            let blocks = [generic.blocks(), custom.blocks()].map(figures::count);
            // As in a request that runs it some times.
            let time_ms = generic.execution_ms * 20.0;
            let seen = Evidence {
                times: 20,
                time_ms,
                custom_plan: Some(custom),
                ..seen(Layer::Queryset, SQL, generic)
            };
            let found = sentences(Kind::GenericPlan, &seen);
            if hurts {
                let [generic, custom] = blocks.map(|blocks| format!("{blocks} blocks in"));
                assert_says(
                    &found,
                    &["statement on customer", &generic, &custom, "plan_cache_mode = force_custom_plan"],
                );
                // The index is there: what the kept plan does without it is no reason to make one.
                assert_eq!(sentences(Kind::MissingIndex, &seen), [""; 0]);
            } else {
                assert_eq!(found, [""; 0]);
            }
        }
    }

    fn plan(execution_ms: f64, planning_ms: f64, blocks: f64) -> Plan {
        let root = Node { shared_hit_blocks: blocks, ..Node::default() };
        Plan { root, planning_ms, execution_ms, ..Plan::default() }
    }

    #[test]
    fn a_plan_hurts_when_another_is_twice_as_cheap_in_blocks_and_in_time_with_planning() {
        for (generic, custom, times, hurt) in [
            (plan(10.0, 0.0, 200.0), plan(3.0, 2.0, 100.0), 1, true),
            (plan(10.0, 0.0, 200.0), plan(3.0, 2.1, 100.0), 1, false),
            (plan(10.0, 0.0, 199.0), plan(3.0, 2.0, 100.0), 1, false),
            (plan(0.2, 0.0, 200.0), plan(0.05, 0.05, 10.0), 9, false),
            (plan(0.2, 0.0, 200.0), plan(0.05, 0.05, 10.0), 10, true),
        ] {
            let evidence =
                Evidence { times, custom_plan: Some(custom), ..seen(Layer::Queryset, SQL, generic) };
            assert_eq!(hurts(&evidence).is_some(), hurt, "{evidence:#?}");
        }
        assert!(hurts(&seen(Layer::Queryset, SQL, plan(10.0, 0.0, 200.0))).is_none(), "there is no other");
    }
}
