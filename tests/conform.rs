//! `callbench conform`: the reference server keeps to the contract, and whoever does not is told in what.

use std::path::Path;
use std::process::Output;

mod breaking;
mod command;

use breaking::{Break, Proxy, as_owner_of, without};
use cluster::testing::{TestDatabase, database};
use command::{callbench, folder};
use loadgen::conform::{Examination, conform};
use reports::conformance::{Conformance, Outcome, SCENARIOS};
use server::{Config, Variant};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio_util::sync::CancellationToken;

const WORKSPACE: &str = "enterprise-workspace-1";
const STRANGER: &str = "stranger123";

/// A tiny dataset at level `optimized`, where all variants find what they need, with a user who is no member of its largest
/// workspace.
async fn seeded() -> (TestDatabase, String) {
    let database = database("conform").await;
    let folder = folder();
    run(folder.path(), &["seed", "--scale=tiny", "--database-url", database.url()], 0);
    run(folder.path(), &["db", "migrate", "--to=optimized", "--database-url", database.url()], 0);
    let mut connection = PgConnection::connect(database.url()).await.expect("a connection");
    connection
        .execute(
            "WITH who AS (INSERT INTO app_user (email, name, role, is_active)
                          VALUES ('stranger', 'stranger', 'admin', true) RETURNING id),
                  secret AS (INSERT INTO auth_token (token_sha256, user_id) SELECT sha256('stranger123'), id FROM who)
             INSERT INTO user_workspace (user_id, workspace_id)
             SELECT who.id, w.id FROM who, (SELECT id FROM workspace WHERE slug <> 'enterprise-workspace-1' LIMIT 1) w",
        )
        .await
        .expect("a stranger");
    let other = sqlx::query_scalar(
        "SELECT w.slug FROM app_user u JOIN user_workspace m ON m.user_id = u.id JOIN workspace w ON w.id = m.workspace_id
          WHERE u.email = 'stranger'",
    )
    .fetch_one(&mut connection)
    .await
    .expect("another workspace");
    (database, other)
}

#[track_caller]
fn run(folder: &Path, arguments: &[&str], code: i32) -> Output {
    let output = callbench(folder).args(arguments).output().expect("the command runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("panicked"), "{said}");
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}\n{told}");
    output
}

/// The live customers of all workspaces.
async fn customers(database: &TestDatabase) -> i64 {
    let mut connection = PgConnection::connect(database.url()).await.expect("a connection");
    let count = sqlx::query_scalar("SELECT count(*) FROM customer WHERE NOT is_deleted");
    count.fetch_one(&mut connection).await.expect("a count")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_server_conforms_in_all_its_variants_and_is_left_as_it_was() {
    let (database, other) = seeded().await;
    let folder = folder();
    let before = customers(&database).await;
    for (variant, skipped) in [("live", &[][..]), ("rollup", &[]), ("naive", &["the server pages by number"])]
    {
        let output = run(
            folder.path(),
            &[
                "conform",
                "--json",
                "--writes",
                "--variant",
                variant,
                "--database-url",
                database.url(),
                "--employee-token=employee123",
                "--other-token",
                STRANGER,
                "--other-workspace",
                &other,
            ],
            0,
        );
        let conformance: Conformance = serde_json::from_slice(&output.stdout).expect("JSON and nothing else");
        assert!(conformance.counts().conforms > 90, "{:?}", conformance.counts());
        for check in &conformance.checks {
            match &check.outcome {
                Outcome::Conforms => assert!(!check.asked.is_empty(), "{} asked nothing", check.name),
                Outcome::Skipped { reason } => {
                    assert!(
                        skipped.iter().any(|known| reason.starts_with(known)),
                        "{}: {reason}",
                        check.name
                    );
                }
                other => panic!("{} on {variant}: {other:?}", check.name),
            }
        }
        for offer in conformance.all_offers() {
            assert_eq!(offer.reason, None, "{} on {variant}", offer.scenario);
        }
        assert_eq!(conformance.left_behind, [""; 0], "{variant}");
        assert_eq!(customers(&database).await, before, "{variant}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_code_and_the_table_say_what_differs() {
    let (database, _) = seeded().await;
    let proxy = proxied(&database).await;
    let folder = folder();
    let common = ["conform", proxy.base_url.as_str(), "--only=metadata,links", "--workspace", WORKSPACE];
    let output = run(folder.path(), &common, 0);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.starts_with("PASS  0 differ, 0 missing, 9 conform, 1 skipped\n"), "{text}");
    assert!(output.stderr.is_empty(), "it is quiet without a terminal");

    proxy.breaks(*BREAKS.iter().find(|broken| broken.name == "no Link header").expect("there"));
    let text = String::from_utf8(run(folder.path(), &common, 1).stdout).expect("UTF-8");
    assert!(text.starts_with("FAIL  1 differ, 0 missing, 8 conform, 1 skipped\n"), "{text}");
    for words in [
        "the_link_header_repeats_the_links  (links, contract 3 Cursors)",
        "expected  `<http",
        "no such header",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    proxy.breaks(*BREAKS.iter().find(|broken| broken.name == "no metadata").expect("there"));
    let text = String::from_utf8(run(folder.path(), &common, 1).stdout).expect("UTF-8");
    assert!(text.starts_with("FAIL  0 differ, 5 missing, 4 conform, 1 skipped\n"), "{text}");

    proxy.breaks(Break::NOTHING);
    let json = [&common[..], &["--json"]].concat();
    let output = run(folder.path(), &json, 0);
    let conformance: Conformance = serde_json::from_slice(&output.stdout).expect("JSON and nothing else");
    let mut groups: Vec<&str> = conformance.checks.iter().map(|check| check.group.as_str()).collect();
    groups.dedup();
    assert_eq!(groups, ["links", "metadata"]);
    assert!(!String::from_utf8_lossy(&output.stdout).contains("token123"), "a token is not for the result");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_readme_run_as_written() {
    let (database, _) = seeded().await;
    let proxy = proxied(&database).await;
    let folder = folder();
    let readme = include_str!("../README.md");
    let commands = readme.lines().filter_map(|line| line.strip_prefix("callbench conform "));
    let mut ran = 0;
    for command in commands {
        let words =
            command.split('#').next().unwrap_or_default().replace("http://127.0.0.1:8000", &proxy.base_url);
        let words = words.replace("--scale dev", &format!("--database-url {}", database.url()));
        let arguments: Vec<&str> = std::iter::once("conform").chain(words.split_whitespace()).collect();
        run(folder.path(), &arguments, 0);
        ran += 1;
    }
    assert_eq!(ran, 3);
}

#[test]
fn what_can_not_be_examined_exits_with_2_and_says_why() {
    let folder = folder();
    for (arguments, words) in [
        (&["conform", "http://127.0.0.1:1"][..], &["no answer from http://127.0.0.1:1/"][..]),
        (&["conform", "127.0.0.1:8000"], &["`127.0.0.1:8000`", "URL"]),
        (&["conform", "http://127.0.0.1:1", "--only=filter"], &["invalid value 'filter'", "filters"]),
        (&["conform", "http://127.0.0.1:1", "--variant=naive"], &["cannot be used with"]),
    ] {
        let said = String::from_utf8(run(folder.path(), arguments, 2).stderr).expect("UTF-8");
        for word in words {
            assert!(said.contains(word), "`{word}` is missing in: {said}");
        }
    }
}

/// The reference server in this process, with a proxy before it.
async fn proxied(database: &TestDatabase) -> Proxy {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("bound"));
    let config = Config { pool_size: 4, ..Config::new(database.url(), Variant::Live) };
    let served = server::Server::open(config, listener).await.expect("it opens");
    tokio::spawn(async move { served.serve(std::future::pending()).await.expect("it serves") });
    Proxy::before(origin).await
}

fn examination(proxy: &Proxy, other: &str) -> Examination {
    Examination {
        base_url: proxy.base_url.clone(),
        token: "token123".into(),
        workspace: WORKSPACE.into(),
        other_token: Some(STRANGER.into()),
        other_workspace: Some(other.into()),
        employee_token: Some("employee123".into()),
        writes: true,
        only: Vec::new(),
        scenarios: Vec::new(),
    }
}

fn names(conformance: &Conformance) -> Vec<&str> {
    let found = |outcome: &Outcome| matches!(outcome, Outcome::Differs { .. } | Outcome::Missing { .. });
    conformance.checks.iter().filter(|check| found(&check.outcome)).map(|check| check.name.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_difference_is_found_by_the_checks_that_are_about_it_and_by_no_other() {
    let (database, other) = seeded().await;
    let proxy = proxied(&database).await;
    let mut wrong = Vec::new();
    for broken in std::iter::once(Break::NOTHING).chain(BREAKS) {
        proxy.breaks(broken);
        let found = conform(&examination(&proxy, &other), &|_| (), &CancellationToken::new()).await;
        let found = found.expect("a conformance");
        if names(&found) != broken.found_by {
            wrong.push(format!("{} is found by {:#?}", broken.name, names(&found)));
        }
        let taken: Vec<&str> =
            SCENARIOS.into_iter().filter(|scenario| found.offers(scenario).is_err()).collect();
        if taken != broken.takes_away {
            wrong.push(format!("{} takes away {taken:#?}", broken.name));
        }
        proxy.breaks(Break::NOTHING);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_leaves_out_what_the_server_does_not_offer_and_says_so() {
    let (database, _) = seeded().await;
    let proxy = proxied(&database).await;
    let broken = BREAKS.iter().find(|broken| broken.takes_away == ["metadata"]).expect("there is one");
    proxy.breaks(Break { ..*broken });
    let folder = folder();
    let pressure = ["--rate=20/s", "--duration=300ms", "--warm-up=100ms", "--name=run"];
    let arguments = |scenarios: &[&'static str]| {
        let target = ["--target", proxy.base_url.as_str()].map(str::to_owned);
        let words = ["load"].iter().chain(scenarios).chain(&pressure).map(|&word| word.to_owned());
        words.chain(target).collect::<Vec<_>>()
    };
    let load = |scenarios: &[&'static str], status| {
        let arguments = arguments(scenarios);
        run(folder.path(), &arguments.iter().map(String::as_str).collect::<Vec<_>>(), status)
    };
    let said = String::from_utf8(load(&["metadata", "first_page", "detail=1", "metadata=1"], 0).stderr);
    assert!(said.expect("UTF-8").contains("warning: metadata is left out"));
    let result = std::fs::read(folder.path().join("runs/run/result.json")).expect("kept");
    let result: serde_json::Value = serde_json::from_slice(&result).expect("JSON");
    let windows = result["windows"].as_array().expect("windows");
    let mut measured: Vec<&str> = windows.iter().filter_map(|window| window["operation"].as_str()).collect();
    measured.sort_unstable();
    assert_eq!(measured, ["first_page", "mix"]);
    assert!(result["warnings"][0].as_str().expect("a sentence").starts_with("metadata is left out"));
    let said = String::from_utf8(load(&["metadata"], 2).stderr).expect("UTF-8");
    assert!(said.contains("offers none of the scenarios"), "{said}");
}

const BREAKS: [Break; 37] = [
    Break {
        name: "a patch changes nothing",
        request: |asked| {
            if asked.method == "PATCH" && !asked.path.contains("/bulk") {
                asked.method = reqwest::Method::GET;
            }
        },
        found_by: &[
            "an_employee_changes_their_own_customers_only",
            "a_customer_is_changed",
            "a_patch_changes_what_it_names_and_nothing_else",
        ],
        takes_away: &["single_update", "contention"],
        ..Break::NOTHING
    },
    Break {
        name: "ids of many in another order",
        answer: |asked, answered| {
            if asked.path.ends_with("/customers/bulk/") && answered.status == 201 {
                let ids = breaking::fields(&answered.text)
                    .and_then(|fields| Some(fields.get("ids")?.get().to_owned()));
                let mut ids: Vec<String> = serde_json::from_str(&ids.unwrap_or_default()).unwrap_or_default();
                ids.reverse();
                answered.set("ids", &format!("{ids:?}"));
            }
        },
        found_by: &["many_are_made_in_the_order_of_the_array"],
        ..Break::NOTHING
    },
    Break {
        name: "unknown parameters are never minded",
        request: |asked| drop(asked.headers.remove("prefer")),
        found_by: &["an_unknown_parameter_is_ignored_unless_strict"],
        ..Break::NOTHING
    },
    Break {
        name: "no HEAD",
        answer: |asked, answered| {
            if asked.method == "HEAD" {
                answered.status = 405;
            }
        },
        found_by: &["head_is_get_without_a_body"],
        ..Break::NOTHING
    },
    Break {
        name: "nothing without the last slash",
        answer: |asked, answered| {
            if !asked.path.ends_with('/') {
                answered.refuse(404, "Not found.");
            }
        },
        found_by: &["get_without_the_last_slash_is_moved", "writes_are_served_without_the_last_slash"],
        ..Break::NOTHING
    },
    Break {
        name: "no X-Cache",
        answer: |_, answered| without(answered, "x-cache"),
        found_by: &["the_cache_says_what_it_did"],
        ..Break::NOTHING
    },
    Break {
        name: "a customer of nobody is refused as forbidden",
        answer: |asked, answered| {
            if asked.method == "GET" && asked.path.len() > 50 && answered.status == 404 {
                answered.refuse(403, "You do not have permission to perform this action.");
            }
        },
        found_by: &[
            "a_customer_that_there_is_not_is_not_found",
            "a_customer_is_not_found_in_another_workspace",
            "an_employee_does_not_find_the_customers_of_others",
            "a_deleted_customer_is_gone_everywhere",
            "a_bulk_delete_deletes_those_there_and_names_the_others",
        ],
        ..Break::NOTHING
    },
    Break {
        name: "money in floats",
        answer: |asked, answered| {
            if asked.method == "GET" {
                answered.through_floats();
            }
        },
        found_by: &[
            "money_has_two_to_four_decimals",
            "attributes_come_back_digit_for_digit",
            "a_call_costs_its_rate_rounded_half_up",
        ],
        ..Break::NOTHING
    },
    Break {
        name: "a phone may be null",
        answer: |_, answered| answered.replace("\"phone\":\"", "\"phone\":null,\"telephone\":\""),
        found_by: &["a_row_has_the_fields_of_a_customer", "a_customer_is_made_of_what_was_sent"],
        ..Break::NOTHING
    },
    Break {
        name: "times end in +00:00",
        answer: |asked, answered| {
            if asked.is_list() {
                answered.replace("Z\",\"updated_at", "+00:00\",\"updated_at");
            }
        },
        found_by: &["a_row_has_the_fields_of_a_customer", "a_customer_is_the_same_alone_and_in_the_list"],
        ..Break::NOTHING
    },
    Break {
        name: "oldest first",
        answer: |asked, answered| {
            if asked.is_list() {
                answered.change_rows(|rows| rows.reverse());
            }
        },
        found_by: &[
            "rows_are_newest_first",
            "next_leads_to_the_page_after",
            "a_walk_sees_each_row_once",
            "a_page_is_found_by_its_number",
            "limit_and_offset_find_their_rows",
            "bad_limits_and_offsets_are_forgiven",
            "old_clients_go_on_by_cursor",
            "a_status_finds_its_rows",
            "lists_of_values_are_included_or_excluded",
            "carriers_find_their_rows",
            "durations_are_compared",
            "booleans_have_four_spellings",
            "other_attributes_compare_as_text",
            "all_filters_hold_together",
            "the_last_of_a_repeated_parameter_wins",
            "items_are_trimmed_and_empty_ones_dropped",
        ],
        takes_away: &["page_100", "deep_walk", "filters", "worst_filters"],
        ..Break::NOTHING
    },
    Break {
        name: "pages of at most 100 rows",
        request: |asked| {
            asked.change("page_size", |size| {
                if size.parse::<u128>().is_ok_and(|size| size > 100) {
                    "100".to_owned()
                } else {
                    size.to_owned()
                }
            });
        },
        found_by: &["page_size_is_kept_to", "bad_limits_and_offsets_are_forgiven"],
        ..Break::NOTHING
    },
    Break {
        name: "the exact count",
        answer: |_, answered| answered.replace("\"count\":null", "\"count\":2000"),
        found_by: &["count_is_null_unless_asked_for"],
        ..Break::NOTHING
    },
    Break {
        name: "no estimates",
        request: |asked| asked.drop("count"),
        found_by: &["an_estimate_of_the_count_is_a_number"],
        ..Break::NOTHING
    },
    Break {
        name: "tags in the order of their making",
        answer: |_, answered| {
            answered.replace("\"tags\":[]", "\"tags\":[\"b\",\"a\"]");
        },
        found_by: &["tags_are_sorted_by_code_point", "what_is_not_sent_has_a_default"],
        ..Break::NOTHING
    },
    Break {
        name: "a page repeats the last row of the one before",
        answer: |asked, answered| {
            if asked.parameter("cursor").is_some_and(|cursor| !cursor.is_empty()) {
                answered.change_rows(|rows| rows.rotate_right(1));
            }
        },
        found_by: &[
            "next_leads_to_the_page_after",
            "next_and_previous_walk_the_same_rows",
            "a_walk_sees_each_row_once",
            "old_clients_go_on_by_cursor",
        ],
        takes_away: &["page_100", "deep_walk"],
        ..Break::NOTHING
    },
    Break {
        name: "no way back",
        answer: |asked, answered| {
            if asked.is_list() {
                answered.set("previous", "null");
            }
        },
        found_by: &[
            "next_and_previous_walk_the_same_rows",
            "links_are_absolute_and_stay_on_the_server",
            "old_clients_go_on_by_cursor",
        ],
        takes_away: &["deep_walk"],
        ..Break::NOTHING
    },
    Break {
        name: "the last page leads on",
        answer: |asked, answered| {
            let link = format!(
                "\"next\":\"http://{}/api/v1/customers/?cursor=\"",
                asked.headers["host"].to_str().unwrap_or("")
            );
            if asked.is_list() {
                answered.replace("\"next\":null", &link);
            }
        },
        found_by: &["next_is_null_exactly_at_the_end", "a_filter_that_nothing_passes_is_an_empty_page"],
        ..Break::NOTHING
    },
    Break {
        name: "a bad cursor is a bad request",
        answer: |_, answered| {
            if answered.text.contains("Invalid cursor") {
                answered.status = 400;
            }
        },
        found_by: &["what_is_no_cursor_is_not_found"],
        ..Break::NOTHING
    },
    Break {
        name: "links forget filters",
        answer: |asked, answered| {
            if asked.is_list() {
                answered.replace("&status__neq=no-such-status", "");
            }
        },
        found_by: &["links_keep_every_other_parameter"],
        ..Break::NOTHING
    },
    Break {
        name: "no Link header",
        answer: |_, answered| without(answered, "link"),
        found_by: &["the_link_header_repeats_the_links"],
        ..Break::NOTHING
    },
    Break {
        name: "relative links",
        answer: |asked, answered| {
            let origin = format!("\"http://{}/", asked.headers["host"].to_str().unwrap_or(""));
            answered.replace(&origin, "\"/");
        },
        found_by: &["links_are_absolute_and_stay_on_the_server", "the_link_header_repeats_the_links"],
        ..Break::NOTHING
    },
    Break {
        name: "old clients are not told",
        answer: |_, answered| without(answered, "deprecation"),
        found_by: &["old_clients_are_told_by_a_header"],
        ..Break::NOTHING
    },
    Break {
        name: "carriers filter nothing",
        request: |asked| asked.drop("carrier__in"),
        found_by: &["carriers_find_their_rows"],
        ..Break::NOTHING
    },
    Break {
        name: "greater is greater or equal",
        request: |asked| {
            for (name, _) in asked.query.iter_mut().filter(|(name, _)| name == "duration__gt") {
                "duration__gte".clone_into(name);
            }
        },
        found_by: &["durations_are_compared", "bad_values_are_refused_all_at_once"],
        ..Break::NOTHING
    },
    Break {
        name: "an unknown workspace is not found",
        answer: |asked, answered| {
            if answered.status == 403 && asked.parameter("workspace_id") == Some("no-such-workspace") {
                answered.refuse(404, "Not found.");
            }
        },
        found_by: &["a_workspace_that_there_is_not_is_forbidden"],
        ..Break::NOTHING
    },
    Break {
        name: "401 without a challenge",
        answer: |_, answered| without(answered, "www-authenticate"),
        found_by: &["without_a_token_nobody_is_let_in"],
        ..Break::NOTHING
    },
    Break {
        name: "everybody is a member",
        request: |asked| {
            if asked.headers.get("authorization").is_some_and(|value| value == "Bearer stranger123") {
                as_owner_of(asked, "token123");
            }
        },
        found_by: &["who_is_no_member_sees_nothing"],
        ..Break::NOTHING
    },
    Break {
        name: "a workspace shows another one's rows",
        request: |asked| {
            asked.change("workspace_id", |name| match name {
                "" | WORKSPACE | "no-such-workspace" | "\u{0}" => name.to_owned(),
                name if name.len() == 36 || name.len() == 32 => name.to_owned(),
                _ => WORKSPACE.to_owned(),
            });
            if asked.headers.get("authorization").is_some_and(|value| value == "Bearer stranger123")
                && asked.is_list()
            {
                as_owner_of(asked, "manager123");
            }
        },
        found_by: &[
            "who_is_no_member_sees_nothing",
            "another_workspace_has_rows_of_its_own",
            "a_customer_is_not_found_in_another_workspace",
            "a_cursor_gives_no_rows_of_another_workspace",
            "no_write_reaches_another_workspace",
        ],
        ..Break::NOTHING
    },
    Break {
        name: "employees see everything",
        request: |asked| {
            if asked.headers.get("authorization").is_some_and(|value| value == "Bearer employee123") {
                as_owner_of(asked, "manager123");
            }
        },
        found_by: &[
            "an_employee_sees_their_own_customers",
            "an_employee_does_not_find_the_customers_of_others",
            "an_employee_gets_their_own_numbers",
            "an_employee_neither_makes_nor_deletes",
            "an_employee_changes_their_own_customers_only",
        ],
        ..Break::NOTHING
    },
    Break {
        name: "no metadata",
        answer: |asked, answered| {
            if asked.path.starts_with("/api/v1/workspaces/") {
                answered.refuse(404, "Not found.");
            }
        },
        found_by: &[
            "a_workspace_can_be_read",
            "a_workspace_has_its_fields",
            "a_workspace_is_read_by_slug_and_by_uuid",
            "the_numbers_of_a_workspace_agree_with_the_list",
            "the_cache_says_what_it_did",
            "a_write_shows_at_once_in_the_metadata",
            "an_employee_gets_their_own_numbers",
        ],
        takes_away: &["metadata"],
        ..Break::NOTHING
    },
    Break {
        name: "the count of the metadata is old",
        answer: |asked, answered| {
            if asked.path.starts_with("/api/v1/workspaces/") {
                answered.set("customer_count", "3");
            }
        },
        found_by: &["the_numbers_of_a_workspace_agree_with_the_list", "an_employee_gets_their_own_numbers"],
        ..Break::NOTHING
    },
    Break {
        name: "no bulk",
        answer: |asked, answered| {
            if asked.path.contains("/bulk") {
                answered.refuse(405, "Method not allowed.");
                without(answered, "allow");
            }
        },
        found_by: &[
            "an_employee_neither_makes_nor_deletes",
            "many_customers_are_made",
            "many_customers_are_changed",
            "many_are_made_in_the_order_of_the_array",
            "one_bad_item_makes_none_of_many",
            "a_bulk_patch_changes_those_there_and_names_the_others",
            "a_bulk_delete_deletes_those_there_and_names_the_others",
            "no_more_than_1000_at_once",
            "many_calls_are_made_at_once",
        ],
        takes_away: &["batch_insert", "batch_update"],
        ..Break::NOTHING
    },
    Break {
        name: "deleting answers 200",
        answer: |asked, answered| {
            if asked.method == "DELETE" && answered.status == 204 {
                answered.status = 200;
            }
        },
        found_by: &["a_customer_is_deleted"],
        takes_away: &["soft_delete"],
        ..Break::NOTHING
    },
    Break {
        name: "the detail has another status",
        answer: |asked, answered| {
            if asked.method == "GET" && asked.path.len() > 50 && asked.path.starts_with("/api/v1/customers/")
            {
                answered.set("status", "\"new\"");
            }
        },
        found_by: &[
            "a_customer_is_the_same_alone_and_in_the_list",
            "a_customer_is_made_of_what_was_sent",
            "a_patch_changes_what_it_names_and_nothing_else",
            "a_bulk_patch_changes_those_there_and_names_the_others",
        ],
        ..Break::NOTHING
    },
    Break {
        name: "HTML for browsers",
        answer: |asked, answered| {
            if asked.headers.get("accept").is_some_and(|accept| accept == "text/html") {
                answered
                    .headers
                    .insert("content-type", reqwest::header::HeaderValue::from_static("text/html"));
            }
        },
        found_by: &["answers_are_json_whatever_is_accepted"],
        ..Break::NOTHING
    },
    Break {
        name: "calls cost nothing",
        answer: |asked, answered| {
            if asked.method == "GET" {
                answered.replace("\"total_cost\":", "\"total_cost\":0.00,\"cost_of_all\":");
            }
        },
        found_by: &[
            "the_total_cost_is_the_sum_of_the_breakdown",
            "a_customer_is_made_of_what_was_sent",
            "a_patch_changes_what_it_names_and_nothing_else",
            "a_call_costs_its_rate_rounded_half_up",
        ],
        ..Break::NOTHING
    },
];
