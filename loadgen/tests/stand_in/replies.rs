//! A wrong reply is an error of its own kind, never a fast success.

use std::collections::BTreeMap;

use crate::server::{Fault, Links, StandIn, WORKSPACE, measure, measure_and, open, plan};
use loadgen::{Error, Load, Measured, Silent};
use tokio_util::sync::CancellationToken;

/// Measures a server that turns bad when the window opens.
async fn with(fault: Fault, load: Load) -> Measured {
    let server = StandIn::serve(50, Links::Cursors).await;
    measure_and(&plan("first_page", load), &[server.target("live")], || server.fault(fault)).await
}

fn errors(measured: &Measured) -> &BTreeMap<String, u64> {
    &measured.windows[0].errors
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_wrong_reply_is_counted_under_its_own_name() {
    for (fault, kind) in [
        (Fault::Status(503), "status 503"),
        (Fault::Html, "wrong reply: not a page"),
        (Fault::MissingRow, "wrong reply: another number of rows"),
        (Fault::OtherTenant, "wrong reply: a row of another workspace"),
    ] {
        let measured = with(fault, open(50.0, 4)).await;
        let window = &measured.windows[0];
        assert_eq!(*errors(&measured), BTreeMap::from([(kind.to_owned(), window.requests)]));
        assert_eq!(window.timings.response.count(), window.requests, "failures stay in the histograms");
        assert_eq!(window.series.iter().map(|second| second.errors).sum::<u64>(), window.requests);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_closed_loop_checks_replies_as_well() {
    let measured = with(Fault::MissingRow, Load::Closed { users: 2 }).await;
    assert_eq!(errors(&measured).keys().collect::<Vec<_>>(), ["wrong reply: another number of rows"]);
}

async fn refusal(server: &StandIn, change: impl FnOnce(&mut loadgen::Target)) -> Error {
    let mut target = server.target("live");
    change(&mut target);
    let plan = plan("first_page", open(50.0, 4));
    loadgen::measure(&plan, &[target], &Silent, CancellationToken::new()).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_named_with_its_url() {
    let server = StandIn::serve(50, Links::Cursors).await;
    // A port that was free a moment ago, and nobody listens on.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = refusal(&server, |target| target.base_url = format!("http://{free}")).await.to_string();
    assert!(error.contains(&free.to_string()) && error.contains("refused"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_answered_with_what_to_check() {
    let server = StandIn::serve(50, Links::Cursors).await;
    let error = refusal(&server, |target| target.token = "wrong".into()).await.to_string();
    assert!(
        error.contains("401") && error.contains("Invalid token") && error.contains("check the token"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_workspace_and_a_page_of_html_are_no_targets() {
    let empty = StandIn::serve(0, Links::Cursors).await;
    assert!(matches!(refusal(&empty, |_| ()).await, Error::EmptyWorkspace { .. }));
    let broken = StandIn::serve(50, Links::Cursors).await;
    broken.fault(Fault::Html);
    assert!(matches!(refusal(&broken, |_| ()).await, Error::NotAPage { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_workspace_that_was_not_asked_for_are_refused_at_the_first_look() {
    let server = StandIn::serve(50, Links::Cursors).await;
    let other = "22222222-2222-2222-2222-222222222222";
    let error = refusal(&server, |target| target.workspace = other.into()).await.to_string();
    assert!(error.contains(other) && error.contains(WORKSPACE), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_smaller_than_a_page_is_measured_with_the_rows_it_has() {
    let server = StandIn::serve(3, Links::Cursors).await;
    let measured = measure(&plan("first_page", open(50.0, 4)), &[server.target("live")]).await;
    assert!(errors(&measured).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_rows_are_checked_to_the_digit() {
    let (one, two) = (StandIn::serve(50, Links::Cursors).await, StandIn::serve(50, Links::Numbers).await);
    let targets = [one.target("live"), two.target("naive")];
    let plan = plan("first_page", open(50.0, 4));
    let measured = measure(&plan, &targets).await;
    assert_eq!(measured.checks.len(), 1);
    assert!(measured.checks[0].passed, "{:?}", measured.checks);

    two.fault(Fault::OtherValue);
    let measured = measure(&plan, &targets).await;
    let check = &measured.checks[0];
    assert!(!check.passed);
    assert_eq!(check.detail, "`live` and `naive` differ at results[2].cost: 1.50 against 1.5");
}
