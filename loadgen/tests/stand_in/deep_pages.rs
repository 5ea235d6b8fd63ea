//! Page 100 is reached as a client reaches it.

use crate::server::{Fault, Links, StandIn, measure, open, plan};
use std::sync::Arc;

use loadgen::operations::{Operation as _, Page100, Prepared, Seen};
use loadgen::{Error, Target};

async fn prepare(target: &Target) -> Result<Arc<dyn Prepared>, Error> {
    Page100.prepare(&reqwest::Client::new(), target).await
}

fn seen(prepared: &Arc<dyn Prepared>) -> &Seen {
    prepared.seen().unwrap()
}

#[tokio::test]
async fn a_list_with_cursors_is_walked_over_exactly_99_links() {
    let server = StandIn::serve(600, Links::Cursors).await;
    let prepared = prepare(&server.target("live")).await.unwrap();
    let queries = server.queries();
    assert_eq!(queries.len(), 100, "the first page and 99 links");
    assert_eq!(queries[0], "workspace_id=shop&page_size=5");
    assert_eq!(queries[99], "cursor=after100&page_size=5&workspace_id=shop");
    assert_eq!(seen(&prepared).url.query(), Some(queries[99].as_str()));
}

#[tokio::test]
async fn a_list_with_page_numbers_is_jumped() {
    let server = StandIn::serve(600, Links::Numbers).await;
    let prepared = prepare(&server.target("naive")).await.unwrap();
    let expected = "page=100&page_size=5&workspace_id=shop";
    assert_eq!(server.queries(), ["workspace_id=shop&page_size=5", expected]);
    assert_eq!(seen(&prepared).url.query(), Some(expected));
}

#[tokio::test]
async fn a_jump_that_lands_on_another_page_is_noticed() {
    let server = StandIn::serve(600, Links::Numbers).await;
    server.fault(Fault::ShiftedNumbers);
    let error = prepare(&server.target("naive")).await.unwrap_err().to_string();
    assert!(error.contains("should be 99 and 101, its links say 98 and 100"), "{error}");
}

#[tokio::test]
async fn page_100_may_be_the_last_one_and_not_full() {
    for links in [Links::Cursors, Links::Numbers] {
        let server = StandIn::serve(498, links).await;
        let prepared = prepare(&server.target("live")).await.unwrap();
        let page: serde_json::Value = serde_json::from_slice(&seen(&prepared).body).unwrap();
        assert_eq!((page["results"].as_array().unwrap().len(), page["next"].is_null()), (3, true));
    }
}

#[tokio::test]
async fn a_workspace_with_fewer_pages_is_told_where_it_ended() {
    for links in [Links::Cursors, Links::Numbers] {
        for (customers, last) in [(1, 1), (5, 1), (6, 2), (233, 47), (495, 99)] {
            let server = StandIn::serve(customers, links).await;
            let error = prepare(&server.target("live")).await.unwrap_err().to_string();
            let expected = format!(
                "page_100 needs 100 pages of 5 rows; the workspace `shop` ended at page {last}: seed more customers, \
                 or ask for smaller pages"
            );
            assert_eq!(error, expected, "{links:?} {customers}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_hundredth_page_is_requested_once_it_was_reached() {
    let server = StandIn::serve(600, Links::Cursors).await;
    let measured = measure(&plan("page_100", open(50.0, 4)), &[server.target("live")]).await;
    assert!(measured.windows[0].errors.is_empty());
    let after_the_walk = &server.queries()[100..];
    assert!(after_the_walk.len() as u64 > measured.windows[0].requests, "the warm-up is not measured");
    assert!(after_the_walk.iter().all(|query| query.starts_with("cursor=after100&")));
}
