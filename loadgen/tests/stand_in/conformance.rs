//! A server with a list and nothing else: what it can be asked for, and what is said of the rest.

use loadgen::Error;
use loadgen::conform::{Examination, conform};
use reports::conformance::{Conformance, Outcome, Paging, SCENARIOS};
use tokio_util::sync::CancellationToken;

use crate::server::{Fault, Links, StandIn, TOKEN};

fn examination(server: &StandIn) -> Examination {
    Examination {
        base_url: server.target("live").base_url,
        token: TOKEN.into(),
        workspace: "shop".into(),
        other_token: None,
        other_workspace: None,
        employee_token: None,
        writes: false,
        only: Vec::new(),
        scenarios: Vec::new(),
    }
}

async fn examine(examination: &Examination) -> Result<Conformance, Error> {
    conform(examination, &|_| (), &CancellationToken::new()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_alone_is_offered_the_scenarios_that_need_no_more() {
    for (links, paging) in [(Links::Cursors, Paging::Cursors), (Links::Numbers, Paging::Numbers)] {
        let server = StandIn::serve(300, links).await;
        let conformance = examine(&examination(&server)).await.unwrap();
        assert_eq!((conformance.paging, conformance.exit_code()), (paging, 1));
        let offered: Vec<&str> =
            SCENARIOS.into_iter().filter(|scenario| conformance.offers(scenario).is_ok()).collect();
        assert_eq!(offered, ["first_page", "page_100", "deep_walk"]);
        for (scenario, words) in [
            ("detail", "`a_customer_of_the_list_can_be_read` is missing: GET http://"),
            ("metadata", "`a_workspace_can_be_read` is missing: GET http://"),
            ("single_insert", "says that there is GET,HEAD, and no POST"),
            ("batch_update", "`many_customers_can_be_changed` is missing: OPTIONS /api/v1/customers/bulk/"),
            ("filters", "takes a row with a `status` on the first page"),
        ] {
            let reason = conformance.offers(scenario).unwrap_err();
            assert!(reason.contains(words), "{scenario}: {reason}");
        }
        // Its ids are numbers and it has no other field: each is named once, although every row has the fault.
        let fields = &conformance.check("a_row_has_the_fields_of_a_customer").unwrap().outcome;
        let Outcome::Differs { differences } = fields else { panic!("{fields:?}") };
        let expected: Vec<&str> = differences.iter().map(|difference| difference.expected.as_str()).collect();
        assert_eq!(expected[0], "`id` to be a UUID");
        assert_eq!(expected.iter().filter(|expected| expected.contains("`name`")).count(), 1);
        // Without `page_size` it answers nothing at all, which is a difference and not the end.
        let size = &conformance.check("page_size_is_kept_to").unwrap().outcome;
        let Outcome::Differs { differences } = size else { panic!("{size:?}") };
        assert!(
            differences.iter().any(|difference| difference.seen.starts_with("none: ")),
            "{differences:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_unless_it_is_allowed() {
    let server = StandIn::serve(60, Links::Cursors).await;
    let conformance = examine(&examination(&server)).await.unwrap();
    let reads = ["GET ", "HEAD ", "OPTIONS ", "PROPFIND "];
    for check in &conformance.checks {
        for asked in &check.asked {
            assert!(reads.iter().any(|method| asked.starts_with(method)), "{}: {asked}", check.name);
        }
    }
    for check in conformance.checks.iter().filter(|check| ["writes", "calls"].contains(&check.group.as_str()))
    {
        assert_eq!(check.outcome, Outcome::Skipped { reason: "it takes --writes".into() }, "{}", check.name);
    }
    let allowed = Examination { writes: true, ..examination(&server) };
    let reason = examine(&allowed).await.unwrap().offers("single_insert").unwrap_err();
    assert!(reason.contains("`a_customer_is_made` is missing: POST http://"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_groups_that_were_named_are_checked() {
    let server = StandIn::serve(60, Links::Cursors).await;
    let only = Examination { only: vec!["cursors".into()], ..examination(&server) };
    let conformance = examine(&only).await.unwrap();
    assert!(!conformance.checks.is_empty());
    assert!(conformance.checks.iter().all(|check| check.group == "cursors"));
    let reason = conformance.offers("first_page").unwrap_err();
    assert_eq!(reason, "it takes the check `the_first_page_is_a_page`, which was not made");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_list_can_not_be_examined() {
    let server = StandIn::serve(60, Links::Cursors).await;
    for (fault, words) in [
        (Fault::Html, "does not answer like a customer list"),
        (Fault::Status(404), "check the base URL"),
        (Fault::Status(503), "the server's log says more"),
    ] {
        server.fault(fault);
        let error = examine(&examination(&server)).await.unwrap_err().to_string();
        assert!(error.contains(words), "{fault:?}: {error}");
    }
    server.fault(Fault::None);
    let stranger = Examination { token: "wrong".into(), ..examination(&server) };
    assert!(examine(&stranger).await.unwrap_err().to_string().contains("check the token"));
    let nobody = Examination { base_url: "http://127.0.0.1:1".into(), ..examination(&server) };
    assert!(matches!(examine(&nobody).await.unwrap_err(), Error::Unreachable { .. }));
    let no_url = Examination { base_url: "127.0.0.1:1".into(), ..examination(&server) };
    assert!(examine(&no_url).await.unwrap_err().to_string().contains("`127.0.0.1:1`"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_without_customers_is_checked_as_far_as_that_goes() {
    let server = StandIn::serve(0, Links::Cursors).await;
    let conformance = examine(&examination(&server)).await.unwrap();
    assert_eq!(conformance.offers("first_page"), Ok(()));
    let reason = conformance.offers("page_100").unwrap_err();
    assert!(reason.ends_with("it takes 8 customers, and the workspace has 0"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_it_after_the_check_that_is_being_made() {
    let server = StandIn::serve(60, Links::Cursors).await;
    let stop = CancellationToken::new();
    let conformance = conform(
        &examination(&server),
        &|progress| {
            if progress.done == 2 {
                stop.cancel();
            }
        },
        &stop,
    )
    .await
    .unwrap();
    assert_eq!(conformance.checks.len(), 2);
}
