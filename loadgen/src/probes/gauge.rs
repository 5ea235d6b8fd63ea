//! One source of figures: what reading it costs, and whether it is there at all.

use std::time::Instant;

use reports::run::ProbeCost;

/// A source that is read again and again.
#[derive(Debug)]
pub(super) struct Gauge {
    cost: ProbeCost,
    absent: Option<String>,
}

impl Gauge {
    pub(super) fn new(probe: &str) -> Self {
        Self { cost: ProbeCost { probe: probe.to_owned(), ..ProbeCost::default() }, absent: None }
    }

    /// Never read, for a reason that is a sentence without its subject.
    pub(super) fn without(mut self, reason: Option<String>) -> Self {
        self.absent = reason;
        self
    }

    /// Reads the source, unless it is absent. What this server doesn't have, or this user may not read, becomes absent
    /// then; any other error is the connection's.
    pub(super) async fn read<T>(
        &mut self,
        reading: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<Option<T>, sqlx::Error> {
        if self.absent.is_some() {
            return Ok(None);
        }
        let began = Instant::now();
        let outcome = reading.await;
        self.add(began);
        match outcome {
            Ok(figures) => Ok(Some(figures)),
            Err(sqlx::Error::Database(error)) if is_refusal(error.code().as_deref()) => {
                self.absent = Some(error.message().to_owned());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Counts a reading that began at a moment and ended now.
    pub(super) fn add(&mut self, began: Instant) {
        let took_ms = began.elapsed().as_micros() as f64 / 1e3;
        self.cost.readings += 1;
        self.cost.own_ms += took_ms;
        self.cost.longest_ms = self.cost.longest_ms.max(took_ms);
    }

    /// Why it is absent.
    pub(super) fn absent(&self) -> Option<&str> {
        self.absent.as_deref()
    }

    /// The cost, if it was ever read.
    pub(super) fn cost(&self) -> Option<ProbeCost> {
        (self.cost.readings > 0).then(|| self.cost.clone())
    }
}

/// Whether an error with this SQLSTATE will come again each time: no right (42501), no such column, view or function
/// (42xxx), or a feature that is not there (0A000), as in databases that only resemble PostgreSQL.
fn is_refusal(code: Option<&str>) -> bool {
    code.is_some_and(|code| code.starts_with("42") || code.starts_with("0A"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lack_of_rights_lasts_and_the_end_of_a_session_does_not() {
        assert!(["42501", "42703", "42P01", "0A000"].map(Some).into_iter().all(is_refusal));
        assert!(![Some("57P01"), Some("57014"), Some("53300"), None].into_iter().any(is_refusal));
    }

    #[tokio::test]
    async fn what_is_absent_is_not_read_and_costs_nothing() {
        let mut gauge = Gauge::new("pg_stat_wal").without(Some("it is not there".to_owned()));
        let read = gauge.read(async { unreachable!("it is absent") as Result<u64, sqlx::Error> }).await;
        assert_eq!(read.unwrap(), None);
        assert_eq!(gauge.cost(), None);
    }
}
