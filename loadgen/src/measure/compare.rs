//! The rows of all targets, held against each other.

use std::borrow::Cow;

use reports::run::Check;

use super::{Halt, Session};
use crate::equal_rows;
use crate::observer::Event;
use crate::operations::{Seen, fetch};

/// Some fields depend on the time of the request (calls of the last 30 days), and two requests are never made at the
/// same time. A difference that is real is there at every look; one of the clock is gone at the next.
const LOOKS: u32 = 3;

impl Session<'_> {
    /// Checks that an operation returns the same rows on all targets as on the first one. `seen` is what was seen of each
    /// target; an operation without such a reply is not compared.
    pub(super) async fn compare(&mut self, operation: &str, seen: &[Option<&Seen>]) -> Result<(), Halt> {
        let seen: Vec<&Seen> = seen.iter().copied().flatten().collect();
        if seen.len() < 2 {
            return Ok(());
        }
        self.observer.on(&Event::Comparing { operation });
        let names: Vec<&str> = self.targets.iter().map(|target| target.subject.name.as_str()).collect();
        let mut rows = 0;
        let mut found = None;
        for other in 1..seen.len() {
            let mut difference = None;
            let (first, second) = (seen[0], seen[other]);
            for look in 0..LOOKS {
                // The first look has been taken while preparing.
                let (first, second) = match look {
                    0 => (Cow::Borrowed(&*first.body), Cow::Borrowed(&*second.body)),
                    _ => (self.body(first, 0).await?, self.body(second, other).await?),
                };
                rows = equal_rows::count(&first);
                difference = equal_rows::difference(&first, &second);
                if difference.is_none() {
                    break;
                }
            }
            if let Some(difference) = difference {
                found = Some(format!("`{}` and `{}` differ at {difference}", names[0], names[other]));
                break;
            }
        }
        self.measured.checks.push(Check {
            name: format!("{operation} returns the same rows from {}", names.join(", ")),
            passed: found.is_none(),
            detail: found.unwrap_or_else(|| format!("{rows} rows, equal in every field")),
        });
        Ok(())
    }

    async fn body(&self, seen: &Seen, target: usize) -> Result<Cow<'static, [u8]>, Halt> {
        let fetched = fetch(&self.client, &self.targets[target], &seen.url);
        Ok(Cow::Owned(self.unless_stopped(fetched).await??))
    }
}
