//! The scenarios of Django REST framework's `CursorPaginationTestsMixin`, mirrored, since our list is newest first. Where
//! the framework documents a "paging artifact" or skips rows, what is expected here is the page without it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use super::walker::{SUBJECTS, Walker, time_of, values};
use crate::world;

/// The framework's rows, by `created`.
const ROWS: [i64; 30] =
    [1, 1, 1, 1, 1, 1, 2, 3, 4, 4, 4, 4, 5, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 9, 9, 9, 9, 9, 9];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Go {
    Next,
    Previous,
}

use Go::{Next, Previous};

/// Where a walk begins.
#[derive(Debug, Clone, Copy)]
enum Begin {
    /// With these parameters.
    Query(&'static str),
    /// At a cursor that stands at this value, where no row is or ever was.
    Nowhere(i64, &'static str),
}

use Begin::{Nowhere, Query};

/// What the first page shows, and which links it has.
type Page = (&'static str, &'static [Go]);

struct Scenario {
    /// The framework's name for it.
    name: &'static str,
    begin: Begin,
    first: Page,
    then: &'static [(Go, Page)],
}

const BOTH: &[Go] = &[Next, Previous];

const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "test_use_with_ordering_filter: there is no other order",
        begin: Query("page_size=5&ordering=username"),
        first: ("11111", &[Next]),
        then: &[(Next, ("12344", BOTH))],
    },
    Scenario {
        name: "test_use_with_ordering_filter: a bad one is the default",
        begin: Query("page_size=5&ordering=-invalid"),
        first: ("11111", &[Next]),
        then: &[(Next, ("12344", BOTH))],
    },
    Scenario {
        name: "test_use_with_ordering_filter_without_ordering_default_value",
        begin: Query("page_size=5&ordering="),
        first: ("11111", &[Next]),
        then: &[(Next, ("12344", BOTH))],
    },
    Scenario {
        name: "test_cursor_pagination, forward",
        begin: Query("page_size=5"),
        first: ("11111", &[Next]),
        then: &[
            (Next, ("12344", BOTH)),
            (Next, ("44567", BOTH)),
            (Next, ("77777", BOTH)),
            (Next, ("77789", BOTH)),
            (Next, ("99999", &[Previous])),
        ],
    },
    Scenario {
        name: "test_cursor_pagination, previous of the fourth page: the framework shows 44456",
        begin: Query("page_size=5"),
        first: ("11111", &[Next]),
        then: &[
            (Next, ("12344", BOTH)),
            (Next, ("44567", BOTH)),
            (Next, ("77777", BOTH)),
            (Previous, ("44567", BOTH)),
            (Next, ("77777", BOTH)),
        ],
    },
    Scenario {
        name: "test_cursor_pagination, back from the end: the framework goes on with 89999 and skips three",
        begin: Query("page_size=5"),
        first: ("11111", &[Next]),
        then: &[
            (Next, ("12344", BOTH)),
            (Next, ("44567", BOTH)),
            (Next, ("77777", BOTH)),
            (Next, ("77789", BOTH)),
            (Next, ("99999", &[Previous])),
            (Previous, ("77789", BOTH)),
            (Previous, ("77777", BOTH)),
            (Next, ("77789", BOTH)),
        ],
    },
    Scenario {
        name: "test_cursor_pagination, back to the first page",
        begin: Query("page_size=5"),
        first: ("11111", &[Next]),
        then: &[
            (Next, ("12344", BOTH)),
            (Next, ("44567", BOTH)),
            (Previous, ("12344", BOTH)),
            (Previous, ("11111", &[Next])),
            (Next, ("12344", BOTH)),
        ],
    },
    Scenario {
        name: "test_cursor_pagination_current_page_empty_forward: nothing lies behind the last page here",
        begin: Nowhere(100, "next"),
        first: ("", &[Previous]),
        then: &[
            (Previous, ("99999", &[Previous])),
            (Previous, ("77789", BOTH)),
            (Next, ("99999", &[Previous])),
        ],
    },
    Scenario {
        name: "test_cursor_pagination_current_page_empty_reverse: the framework goes on with 77778",
        begin: Nowhere(100, "previous"),
        first: ("99999", &[Previous]),
        then: &[(Previous, ("77789", BOTH)), (Next, ("99999", &[Previous]))],
    },
    Scenario {
        name: "the same above the first row",
        begin: Nowhere(0, "previous"),
        first: ("", &[Next]),
        then: &[(Next, ("11111", &[Next])), (Next, ("12344", BOTH)), (Previous, ("11111", &[Next]))],
    },
    Scenario {
        name: "a place between two rows",
        begin: Nowhere(5, "next"),
        first: ("56777", BOTH),
        then: &[(Previous, ("34444", BOTH)), (Next, ("56777", BOTH))],
    },
    Scenario {
        name: "test_cursor_pagination_with_page_size",
        begin: Query("page_size=20"),
        first: ("11111123444456777777", &[Next]),
        then: &[(Next, ("7778999999", &[Previous])), (Previous, ("11111123444456777777", &[Next]))],
    },
];

#[tokio::test]
async fn the_frameworks_walks_show_its_pages_without_its_artifacts() {
    for subject in SUBJECTS {
        let mut walker = Walker::new(subject).await;
        for value in ROWS {
            walker.insert(value).await;
        }
        for Scenario { name, begin, first, then } in SCENARIOS {
            let query = match begin {
                Query(query) => (*query).to_owned(),
                // The greatest id: the place is before all rows of the same time.
                Nowhere(value, direction) => {
                    let (created_at, id) = (time_of(*value).timestamp_micros(), Uuid::max());
                    let place =
                        format!(r#"{{"created_at":{created_at},"id":"{id}","direction":"{direction}"}}"#);
                    format!("page_size=5&cursor={}", URL_SAFE_NO_PAD.encode(place))
                }
            };
            let mut page = walker.first(&query).await;
            let mut expected = *first;
            let mut steps = then.iter();
            loop {
                let links: Vec<Go> = [(Next, page.next()), (Previous, page.previous())]
                    .into_iter()
                    .filter_map(|(go, link)| link.map(|_| go))
                    .collect();
                assert_eq!((values(&page).as_str(), links.as_slice()), expected, "{subject:?}: {name}");
                let Some((go, then)) = steps.next() else { break };
                page = walker.follow(if *go == Next { page.next() } else { page.previous() }).await;
                expected = *then;
            }
        }
    }
}

/// `test_cursor_pagination_with_page_size_zero`, `…_negative`, `…_over_limit`: on ten times the rows, since our default
/// is ten times the framework's.
#[tokio::test]
async fn a_page_size_that_is_none_is_the_default_and_one_too_great_is_the_limit() {
    for subject in SUBJECTS {
        let mut walker = Walker::new(subject).await;
        for value in ROWS {
            let sql =
                "INSERT INTO customer (workspace_id, name, phone, status, quality, call_status, created_at)
                       SELECT $1, $2, '', '', '', '', $3 FROM generate_series(1, 10)";
            sqlx::query(sql)
                .bind(walker.workspace)
                .bind(value.to_string())
                .bind(time_of(value))
                .execute(&mut walker.db)
                .await
                .unwrap();
        }
        let tenfold = ["11111", "12344", "44567", "77777", "77789", "99999"]
            .map(|page| page.chars().map(|value| value.to_string().repeat(10)).collect::<String>());
        for query in ["page_size=0", "page_size=-5", "page_size=", "page_size=five", ""] {
            let pages = walker.forward(query).await;
            assert_eq!(pages.iter().map(values).collect::<Vec<_>>(), tenfold, "{subject:?}: {query}");
            let back = walker.backward(&pages[5]).await;
            let back: Vec<String> = back.iter().rev().map(values).collect();
            assert_eq!(back, tenfold[..5], "{subject:?}: {query}");
        }
        let pages = walker.forward("page_size=1000").await;
        assert_eq!(pages.iter().map(|page| page.ids().len()).collect::<Vec<_>>(), [200, 100], "{subject:?}");
        let next = pages[0].next().unwrap();
        assert!(next.contains("page_size=1000"), "test_setting_page_size_over_maximum: {next}");
    }
}

/// `test_additional_query_params_are_preserved`, `test_empty_query_params_are_preserved`: in both directions.
#[tokio::test]
async fn parameters_are_preserved_also_the_empty_ones() {
    for subject in SUBJECTS {
        let mut walker = Walker::new(subject).await;
        for value in 1..=3 {
            walker.insert(value).await;
        }
        let second = walker.follow(walker.first("page_size=1&filter=even&z=&status=").await.next()).await;
        for link in [second.next().unwrap(), second.previous().unwrap()] {
            let (head, tail) = link.split_once("cursor=").unwrap();
            let (_, tail) = tail.split_once('&').unwrap();
            assert_eq!(head, format!("{}/api/v1/customers/?", walker.origin));
            assert_eq!(tail, "filter=even&page_size=1&status=&workspace_id=one&z=");
        }
    }
}

/// `test_invalid_cursor` and `test_get_paginated_response_schema`. What else is no cursor is `hostile`'s to know.
#[tokio::test]
async fn the_body_has_its_four_keys_and_a_bad_cursor_is_not_found() {
    for subject in SUBJECTS {
        let mut walker = Walker::new(subject).await;
        walker.first("cursor=123").await.refuses(404, "Invalid cursor");
        world::fill(
            &mut walker.db,
            walker.workspace,
            "INSERT INTO customer (workspace_id, name, phone, status, quality, call_status)
             SELECT $1, 'c', '', '', '', '' FROM generate_series(1, 3)",
        )
        .await;
        let pages = walker.forward("page_size=1").await;
        for (page, links) in pages.iter().zip([(true, false), (true, true), (false, true)]) {
            let body = page.json();
            let keys: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(keys, ["count", "next", "previous", "results"]);
            assert!(body["count"].is_null() && body["results"].is_array());
            let is_link =
                |name: &str| body[name].as_str().is_some_and(|url| url.parse::<reqwest::Url>().is_ok());
            assert_eq!((is_link("next"), is_link("previous")), links, "{subject:?}");
        }
    }
}
