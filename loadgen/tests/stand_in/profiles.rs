//! A request that is asked to explain itself, and servers that don't.

use loadgen::scenarios::Catalogue;
use loadgen::{Asked, Error, Inquiry, Profiled, Target, profile};

use crate::server::{Fault, Links, StandIn};

async fn ask(target: &Target, asked: &str, repeat: u32) -> Result<Profiled, Error> {
    let asked = Asked::read(asked, &Catalogue::built_in())?;
    let profiles = profile(&Inquiry { asked, explain: true, requests: None, repeat }, target).await?;
    let [only] = <[Profiled; 1]>::try_from(profiles.requests).expect("one request");
    Ok(only)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_of_several_answers_is_kept_apart() {
    let server = StandIn::serve(50, Links::Cursors).await;
    let target = server.target("live");
    let path = "/api/v1/customers/?workspace_id=shop&page_size=5";
    let profiled = ask(&target, path, 4).await.unwrap();
    assert_eq!(profiled.path, format!("{path}&_profile=explain"));
    assert_eq!(server.queries(), vec!["workspace_id=shop&page_size=5&_profile=explain"; 4]);
    let number = |repeat: &reports::profile::Repeat| repeat.profile().query_count.unwrap();
    assert_eq!(profiled.warm_up.as_ref().map(number), Some(1));
    assert_eq!(profiled.repeats.iter().map(number).collect::<Vec<_>>(), [2, 3, 4]);

    let single = ask(&target, path, 1).await.unwrap();
    assert_eq!((single.warm_up, single.repeats.len()), (None, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scenario_is_walked_to_and_only_its_own_request_is_profiled() {
    let server = StandIn::serve(520, Links::Numbers).await;
    let profiled = ask(&server.target("naive"), "page_100", 2).await.unwrap();
    assert!(
        profiled.path.contains("page=100") && profiled.path.ends_with("&_profile=explain"),
        "{}",
        profiled.path
    );
    let queries = server.queries();
    let asked = queries.iter().filter(|query| query.contains("_profile"));
    assert_eq!((asked.count(), queries.len()), (2, 4), "{queries:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_a_profile_says_what_it_takes() {
    let server = StandIn::serve(50, Links::Cursors).await;
    let path = "/api/v1/customers/?workspace_id=shop&page_size=5";
    for (fault, words) in [
        (Fault::Unprofiled, vec!["JSON without `_profiling`", "profiling switched on", "admin"]),
        (Fault::Html, vec!["`text/plain; charset=utf-8` instead of JSON (<html>)", "callbench server"]),
        (Fault::Status(503), vec!["answered 503", "log"]),
        (Fault::BadProfile, vec!["can't be read", "u64"]),
    ] {
        server.fault(fault);
        let error = ask(&server.target("live"), path, 3).await.unwrap_err().to_string();
        for word in words {
            assert!(error.contains(word), "{fault:?}: {error}");
        }
        assert_eq!(server.queries().len(), 1, "{fault:?}: the first failure ends it");
    }
    server.fault(Fault::None);
    let mut target = server.target("live");
    target.token = "wrong".into();
    let error = ask(&target, path, 1).await.unwrap_err().to_string();
    assert!(error.contains("401") && error.contains("check the token"), "{error}");
    let error = ask(&server.target("live"), "/api/v1/custmers/", 1).await.unwrap_err().to_string();
    assert!(error.contains("404") && error.contains("check the path"), "{error}");
    target.base_url = "http://127.0.0.1:1".into();
    let error = ask(&target, path, 1).await.unwrap_err();
    assert!(
        matches!(&error, Error::Unreachable { url, .. } if url.starts_with("http://127.0.0.1:1/")),
        "{error}"
    );
}
