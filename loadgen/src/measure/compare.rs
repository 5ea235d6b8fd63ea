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
        // The index is the target's.
        let seen: Vec<(usize, &Seen)> =
            seen.iter().enumerate().filter_map(|(target, seen)| Some((target, (*seen)?))).collect();
        let Some((&(first_target, first_seen), others @ [_, ..])) = seen.split_first() else {
            return Ok(());
        };
        self.observer.on(&Event::Comparing { operation });
        let name = |target: usize| self.targets[target].subject.name.as_str();
        let names: Vec<&str> = seen.iter().map(|(target, _)| name(*target)).collect();
        let mut rows = 0;
        let mut found = None;
        for &(other_target, other_seen) in others {
            let mut difference = None;
            for look in 0..LOOKS {
                // The first look has been taken while preparing.
                let (first, other) = match look {
                    0 => (Cow::Borrowed(&*first_seen.body), Cow::Borrowed(&*other_seen.body)),
                    _ => (
                        self.body(first_seen, first_target).await?,
                        self.body(other_seen, other_target).await?,
                    ),
                };
                rows = equal_rows::count(&first);
                difference = equal_rows::difference(&first, &other);
                if difference.is_none() {
                    break;
                }
            }
            if let Some(difference) = difference {
                let (first, other) = (name(first_target), name(other_target));
                found = Some(format!("`{first}` and `{other}` differ at {difference}"));
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

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::get;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::observer::Silent;
    use crate::plan::{Plan, Target};

    /// A server with one page, for whoever has this token.
    async fn shop(token: &'static str, page: &'static str) -> (Target, Seen) {
        let authorization = format!("Bearer {token}");
        let answer = move |headers: axum::http::HeaderMap| async move {
            let known = headers.get("authorization").is_some_and(|given| *given == *authorization);
            if known { Ok(page) } else { Err(StatusCode::UNAUTHORIZED) }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/", get(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let seen = Seen { url: origin.parse().unwrap(), body: page.into() };
        (Target::new(token, &origin, token, "acme"), seen)
    }

    #[tokio::test]
    async fn a_target_without_a_reply_shifts_neither_the_names_nor_the_tokens_of_the_others() {
        let (unseen, _) = shop("unseen", "").await;
        let (first, of_first) = shop("first", r#"{ "results": [{ "id": 1 }] }"#).await;
        let (second, of_second) = shop("second", r#"{ "results": [{ "id": 2 }] }"#).await;
        let (plan, targets) = (Plan::default(), [unseen, first, second]);
        let mut session = Session::new(&plan, &targets, &Silent, CancellationToken::new()).unwrap();
        let compared = session.compare("search", &[None, Some(&of_first), Some(&of_second)]).await;
        if let Err(Halt::Failed(error)) = compared {
            panic!("{error}");
        }
        let check = session.measured.checks.pop().unwrap();
        assert!(!check.passed);
        assert_eq!(check.name, "search returns the same rows from first, second");
        assert!(check.detail.starts_with("`first` and `second` differ"), "{}", check.detail);
    }
}
