//! What budgets can be held against in what writes cost. A subject is a level and a way: `optimized/api`.

use super::{Measurement, Writes};
use crate::budgets::{Evidence, Kind, Measured, Metric, exact, nothing};
use crate::stats::quantile;
use crate::summary::Case;

impl Evidence for Writes {
    fn kind(&self) -> Kind {
        Kind::Writes
    }

    fn is_complete(&self) -> bool {
        self.complete
    }

    fn subjects(&self) -> Vec<String> {
        let mut names: Vec<String> = self.measurements.iter().map(Measurement::subject).collect();
        names.dedup();
        names
    }

    fn operations(&self) -> Vec<String> {
        Writes::operations(self).into_iter().map(str::to_owned).collect()
    }

    fn planned(&self) -> Vec<String> {
        Evidence::operations(self)
    }

    fn absolute(&self, case: Case<'_>, metric: Metric, confidence: f64) -> Measured {
        let is_meant = |one: &&Measurement| one.operation == case.operation && one.subject() == case.subject;
        let Some(one) = self.measurements.iter().find(is_meant) else {
            return Measured::Missing(nothing(self, case));
        };
        let (estimate, needs) = match metric {
            // A write that failed ends the measurement.
            Metric::Quantile(q) => {
                (quantile::of(&one.service, q, confidence, 0), quantile::minimum_samples(q, confidence))
            }
            Metric::Max => (one.service.max_us().map(|us| exact(us as f64)), 1),
            _ => (one.counted(metric).map(exact), 1),
        };
        match estimate {
            Some(estimate) => Measured::Value {
                estimate,
                unit: metric.unit(),
                samples: one.service.count(),
                needs: (needs, "operation"),
            },
            None => {
                Measured::Missing(format!("{metric} of {} {} was not counted.", case.subject, case.operation))
            }
        }
    }

    fn ratio(&self, case: Case<'_>, base: Case<'_>, metric: Metric, _: f64) -> Measured {
        Measured::Missing(format!(
            "{} and {} were measured one after the other and once, so a ratio of their {metric} would have no interval.",
            case.subject, base.subject
        ))
    }

    fn distrust(&self, _: Case<'_>) -> Option<String> {
        None
    }
}

impl Measurement {
    /// What budgets call it: the level and the way, `optimized/api`.
    #[must_use]
    pub fn subject(&self) -> String {
        format!("{}/{}", self.level, self.through.name())
    }

    /// Counted work of an operation, in the unit of the metric; log without full-page images. `None` where it was not counted.
    fn counted(&self, metric: Metric) -> Option<f64> {
        let work = self.work.as_ref();
        match metric {
            Metric::WalBytes => self.log_bytes_each(),
            Metric::Statements => Some(work?.statements),
            Metric::Buffers => Some(work?.buffers),
            Metric::BuffersRead => Some(work?.buffers_read),
            Metric::DatabaseTime => Some(work?.database_ms * 1e3),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Through, sample};
    use crate::budgets::{judge, parse};
    use crate::run::Outcome;

    fn outcomes(rules: &str) -> Vec<(Outcome, String)> {
        let text =
            format!("schema = 1\n[update_indexed]\nlab = \"writes\"\nsubject = \"optimized/sql\"\n{rules}\n");
        let verdicts = judge(&parse("b.toml", &text).unwrap(), &sample::writes());
        verdicts.into_iter().map(|verdict| (verdict.outcome, verdict.reason)).collect()
    }

    #[test]
    fn times_counts_and_multiples_of_a_write_are_judged() {
        let words = |text: &str| (Outcome::Pass, text.to_owned());
        assert_eq!(outcomes("latency = [\"max < 11ms\"]")[0].0, Outcome::Pass);
        assert_eq!(outcomes("latency = [\"max < 5ms\"]")[0].0, Outcome::Fail);
        assert_eq!(outcomes("latency = [\"p50 < 1s\"]")[0].0, Outcome::Pass);
        let (outcome, reason) = outcomes("latency = [\"p99 < 1s\"]").remove(0);
        assert_eq!(
            (outcome, reason.as_str()),
            (Outcome::Inconclusive, "Too few samples: 10 operations of at least 299 that p99 needs.")
        );
        assert_eq!(
            outcomes("work = [\"buffers/req < 13\"]"),
            [words("Measured 12.5, within the limit of 13.")]
        );
        let ratio = outcomes("versus = { \"before/sql\" = [\"wal_bytes/req <= 10x\", \"p50 <= 2x\"] }");
        assert_eq!((ratio[0].0, ratio[1].0), (Outcome::Pass, Outcome::Fail), "{ratio:?}");
        assert!(ratio[1].1.contains("would have no interval"), "{ratio:?}");
    }

    #[test]
    fn the_example_of_the_guide_can_be_read() {
        let guide = include_str!("../../../../docs/writes.md");
        let example =
            guide.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
        let budgets = parse("docs/writes.md", &format!("schema = 1\n{example}")).unwrap();
        assert_eq!(budgets.budgets.len(), 2);
    }

    #[test]
    fn a_level_or_a_way_that_was_not_measured_is_named() {
        let mut writes = sample::writes();
        writes.measurements.retain(|one| one.through == Through::Sql);
        let text = "schema = 1\n[update_indexed]\nlab = \"writes\"\nsubject = \"optimized/api\"\nlatency = [\"p99 < 5ms\"]";
        let verdicts = judge(&parse("b.toml", text).unwrap(), &writes);
        assert!(
            verdicts[0].reason.starts_with("This run measured no subject `optimized/api` (it has:"),
            "{verdicts:?}"
        );
    }
}
