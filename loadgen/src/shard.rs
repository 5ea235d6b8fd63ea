//! A part of a schedule that several processes send together, each without knowing of the others.
//!
//! All of them draw the same arrivals and keep those whose number is theirs, so nobody has to coordinate them but a
//! clock: [`crate::Plan::start_at`] says when the window opens for all.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use reports::run::OnOverload;
use sha2::{Digest as _, Sha256};

use crate::load::{Load, Open};
use crate::plan::{Identity, Plan, Target};

/// Whoever is later than this is no part of the same measurement any more.
pub(crate) const LATEST: Duration = Duration::from_secs(1);

/// Which part of a schedule a process sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 0, below [`Self::of`].
    pub index: u64,
    /// How many parts there are.
    pub of: u64,
}

impl Shard {
    /// What stands against sending a part of this plan, if anything does: a sentence without an end.
    pub(crate) fn check(self, plan: &Plan) -> Result<(), String> {
        let Self { index, of } = self;
        if index >= of {
            return Err(format!("there is no shard {index} of {of}: shards are counted from 0"));
        }
        match &plan.load {
            Load::Closed { users } => {
                return Err(format!(
                    "its {users} users have no schedule that could be dealt out to {of} shards; give a rate"
                ));
            }
            Load::Open(Open { on_overload: OnOverload::Reduce, .. }) => {
                return Err(format!("each of {of} shards would reduce its rate by itself"));
            }
            Load::Open(_) => {}
        }
        // A second window opens when the first has drained, which is another moment in each process.
        let windows = plan.rounds as usize * plan.scenarios.len();
        if windows != 1 {
            return Err(format!(
                "it has {windows} windows, and shards open only the first one together; make it one scenario or one mix"
            ));
        }
        Ok(())
    }

    /// SHA-256 of everything that has to be the same in all shards of a plan; it leaves out which shard this is, and of those
    /// who ask all tokens.
    pub(crate) fn plan_sha256(self, plan: &Plan, targets: &[Target], kept: &reports::run::Plan) -> String {
        let mut checksum = Sha256::new();
        for scenario in &plan.scenarios {
            checksum.update(scenario.name.as_bytes());
            for part in &scenario.parts {
                let (operation, weight) = (&part.operation, part.weight);
                checksum.update(format!("\0{}\0{weight}\0{}", operation.name(), operation.content()));
            }
            checksum.update("\n");
        }
        let reports::run::Plan { rounds, workspace, page_size, load, cache, seed, .. } = kept;
        let (of, window, start_at) = (self.of, plan.window, plan.start_at);
        checksum.update(format!(
            "{rounds}\n{workspace}\n{page_size}\n{load:?}\n{cache}\n{seed}\n{of}\n{window:?}\n{start_at:?}"
        ));
        for Identity { workspace, weight, .. } in targets.iter().flat_map(|target| &target.crowd) {
            checksum.update(format!("{workspace}\0{weight}\n"));
        }
        checksum.finalize().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    }
}

/// The instant of a moment by the clock; the error is by how much it is over, if that is too much.
pub(crate) fn instant_of(start_at: DateTime<Utc>) -> Result<Instant, Duration> {
    let (now, clock) = (Instant::now(), Utc::now());
    match (start_at - clock).to_std() {
        Ok(ahead) => Ok(now + ahead),
        Err(_) => match (clock - start_at).to_std().unwrap_or_default() {
            late if late > LATEST => Err(late),
            _ => Ok(now),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::described;
    use crate::scenarios::{self, Scenario};

    /// A plan that can be dealt out.
    fn plan() -> Plan {
        Plan {
            scenarios: vec![scenarios::find("first_page").unwrap()],
            rounds: 1,
            load: Load::Open(Open { on_overload: OnOverload::Offer, ..Open::constant(50.0, 64) }),
            ..Plan::default()
        }
    }

    fn hash(plan: &Plan, shard: Shard) -> String {
        hash_with(&[], plan, shard)
    }

    fn hash_with(crowd: &[Identity], plan: &Plan, shard: Shard) -> String {
        let plan = Plan { shard: Some(shard), ..plan.clone() };
        let target = Target { crowd: crowd.to_vec(), ..Target::new("theirs", "http://a", "secret", "acme") };
        plan.kept(&[target]).shard.unwrap().plan_sha256
    }

    fn words(line: &str) -> Vec<Scenario> {
        scenarios::read(&line.split(' ').map(str::to_owned).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_shard_is_one_window_of_an_open_loop_that_nobody_reduces() {
        let first = Shard { index: 0, of: 3 };
        assert_eq!(first.check(&plan()), Ok(()));
        assert_eq!(Shard { index: 2, of: 3 }.check(&plan()), Ok(()));
        let reduced = Load::Open(Open::constant(50.0, 64));
        for (shard, plan, says) in [
            (Shard { index: 3, of: 3 }, plan(), "no shard 3 of 3"),
            (Shard { index: 0, of: 0 }, plan(), "no shard 0 of 0"),
            (first, Plan { load: Load::Closed { users: 4 }, ..plan() }, "its 4 users have no schedule"),
            (first, Plan { load: reduced, ..plan() }, "each of 3 shards would reduce its rate"),
            (first, Plan { rounds: 2, ..plan() }, "it has 2 windows"),
            (first, Plan { scenarios: words("first_page page_100"), ..plan() }, "it has 2 windows"),
        ] {
            let wrong = shard.check(&plan).unwrap_err();
            assert!(wrong.contains(says), "{wrong}");
        }
    }

    #[test]
    fn the_shards_of_a_plan_have_one_hash_and_every_other_plan_has_another() {
        let first = Shard { index: 0, of: 3 };
        let known = hash(&plan(), first);
        assert_eq!(known.len(), 64);
        assert_eq!(hash(&plan(), Shard { index: 2, of: 3 }), known);
        assert_ne!(hash(&plan(), Shard { index: 0, of: 2 }), known);
        let (one, other) = (words("first_page=1 detail=2"), words("first_page=1 detail=3"));
        let faster = Load::Open(Open { on_overload: OnOverload::Offer, ..Open::constant(51.0, 64) });
        let mut all = vec![known];
        for plan in [
            Plan { scenarios: words("detail"), ..plan() },
            Plan { scenarios: one, ..plan() },
            Plan { scenarios: other, ..plan() },
            Plan { load: faster, ..plan() },
            Plan { window: Duration::from_secs(9), ..plan() },
            Plan { page_size: 7, ..plan() },
            Plan { workspace: "another".into(), ..plan() },
            Plan { seed: 2, ..plan() },
            Plan { start_at: Some(DateTime::UNIX_EPOCH), ..plan() },
        ] {
            all.push(hash(&plan, first));
        }
        let mut distinct = all.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn a_plan_is_also_known_by_who_asks_but_not_by_their_tokens() {
        let first = Shard { index: 0, of: 2 };
        let crowd = |token: &str, workspace: &str, weight| {
            [Identity { token: token.into(), workspace: workspace.into(), weight }]
        };
        let known = hash_with(&crowd("one", "acme", 2.0), &plan(), first);
        assert_eq!(hash_with(&crowd("two", "acme", 2.0), &plan(), first), known);
        for other in [&crowd("one", "acme", 3.0)[..], &crowd("one", "umbrella", 2.0), &[]] {
            assert_ne!(hash_with(other, &plan(), first), known);
        }
    }

    #[test]
    fn a_described_scenario_is_known_by_what_its_file_says_and_not_by_how() {
        let of = |text: &str| {
            let scenarios = described::parse("a.toml", text, Path::new(""), &[]).unwrap();
            hash(&Plan { scenarios, ..plan() }, Shard { index: 0, of: 2 })
        };
        let text = "[data.color]\nvalues = ['red', 'blue']\n\n[scenario.search]\npath = '/search/?q={color}'\n\
                    expect = { status = 200, json = { '/results' = { at_most = 20 } } }\n";
        let known = of(text);
        let rewritten = text.replace("'red', 'blue'", "'red',  # not green\n  'blue'");
        assert_eq!(of(&rewritten), known);
        for (from, to) in
            [("at_most = 20", "at_most = 21"), ("'blue'", "'green'"), ("/search/", "/find/"), ("200", "201")]
        {
            assert_ne!(of(&text.replace(from, to)), known, "{from}");
        }
        let header = format!("{text}\n[auth]\nheader = 'X-Api-Key'\nvalue = '{{token}}'\n");
        assert_ne!(of(&header), known);
    }
}
