//! What clients of the old API send: `page`, `limit` and `offset`.

use super::trial::{Stop, Trial, Verdict};
use super::{Check, checks};
use reports::conformance::Paging;

pub(super) const CHECKS: &[Check] = checks! {
    "3 Old clients" => a_page_is_found_by_its_number, limit_and_offset_find_their_rows,
                       bad_limits_and_offsets_are_forgiven, a_page_that_there_is_not_is_not_found,
                       old_clients_are_told_by_a_header, old_clients_go_on_by_cursor,
                       numbers_reach_no_deeper_than_row_10000, old_and_new_are_not_mixed;
};

/// Asks for rows by their place, and holds them against the list.
async fn expect_rows(trial: &mut Trial, query: &[(&str, &str)], skipped: usize, rows: usize) -> Verdict {
    let expected: Vec<String> =
        trial.page(&[("page_size", "50")]).await?.ids().into_iter().skip(skipped).take(rows).collect();
    let reply = trial.list(query).await?;
    let seen = trial.read(&reply)?.ids();
    let words = format!("{} rows, those after the first {skipped}", expected.len());
    let others =
        format!("{} rows, the first one {}", seen.len(), seen.first().map_or("none", String::as_str));
    trial.expect(&reply, seen == expected, &words, &others);
    Ok(())
}

async fn a_page_is_found_by_its_number(trial: &mut Trial) -> Verdict {
    trial.needs_rows(8)?;
    expect_rows(trial, &[("page", "1"), ("page_size", "3")], 0, 3).await?;
    expect_rows(trial, &[("page", "2"), ("page_size", "3")], 3, 3).await
}

async fn limit_and_offset_find_their_rows(trial: &mut Trial) -> Verdict {
    needs_offsets(trial)?;
    trial.needs_rows(8)?;
    expect_rows(trial, &[("limit", "3"), ("offset", "4")], 4, 3).await?;
    expect_rows(trial, &[("limit", "3")], 0, 3).await?;
    expect_rows(trial, &[("offset", "2"), ("page_size", "5")], 2, 5).await
}

async fn bad_limits_and_offsets_are_forgiven(trial: &mut Trial) -> Verdict {
    needs_offsets(trial)?;
    trial.needs_rows(1)?;
    expect_rows(trial, &[("limit", "x"), ("offset", "-3")], 0, 50).await?;
    expect_rows(trial, &[("limit", "2"), ("offset", "x")], 0, 2).await?;
    let most = trial.page(&[("page_size", "200")]).await?.rows.len();
    let reply = trial.list(&[("limit", "1000")]).await?;
    let seen = trial.read(&reply)?.rows.len();
    trial.expect(
        &reply,
        seen == most,
        &format!("{most} rows: a limit above 200 is 200"),
        &format!("{seen} rows"),
    );
    Ok(())
}

async fn a_page_that_there_is_not_is_not_found(trial: &mut Trial) -> Verdict {
    for page in ["0", "-1", "last", "1.0"] {
        let reply = trial.list(&[("page", page)]).await?;
        trial.expect_refusal(&reply, 404, "Invalid page.");
    }
    let reply = trial.list(&[("page", "2"), ("status", "no-such-status")]).await?;
    trial.expect_refusal(&reply, 404, "Invalid page.");
    Ok(())
}

async fn old_clients_are_told_by_a_header(trial: &mut Trial) -> Verdict {
    needs_offsets(trial)?;
    for query in [("page", "1"), ("limit", "5"), ("offset", "1")] {
        let reply = trial.list(&[query]).await?;
        trial.read(&reply)?;
        let told = !reply.header("deprecation").is_empty();
        trial.expect(&reply, told, "the header `Deprecation`", "no such header");
    }
    let reply = trial.list(&[]).await?;
    let header = reply.header("deprecation").to_owned();
    trial.expect(
        &reply,
        header.is_empty(),
        "no header `Deprecation` without `page`, `limit` and `offset`",
        &header,
    );
    Ok(())
}

async fn old_clients_go_on_by_cursor(trial: &mut Trial) -> Verdict {
    trial.needs_cursors()?;
    trial.needs_rows(12)?;
    let reply = trial.list(&[("limit", "3"), ("offset", "4"), ("status__neq", "no-such-status")]).await?;
    let page = trial.read(&reply)?;
    for (link, skipped) in [(page.next, 7), (page.previous, 1)] {
        let Some(link) = link.filter(|link| trial.server().link(link).is_ok()) else {
            trial.note(&reply.asked, "`next` and `previous` in the middle of the list", "none");
            continue;
        };
        let value = |name: &str| trial.server().parameter(&link, name);
        let holds = value("cursor").is_some()
            && value("page_size").is_some_and(|size| size == "3")
            && value("limit").or_else(|| value("offset")).or_else(|| value("page")).is_none();
        trial.expect(
            &reply,
            holds,
            "links with `cursor` and `page_size=3`, without `limit` and `offset`",
            &link,
        );
        let expected: Vec<String> = trial.server().first().ids().into_iter().skip(skipped).take(3).collect();
        let there = trial.follow_link(&link).await?;
        let seen = trial.read(&there)?.ids();
        trial.expect(&there, seen == expected, &format!("the rows after the first {skipped}"), "others");
    }
    Ok(())
}

async fn numbers_reach_no_deeper_than_row_10000(trial: &mut Trial) -> Verdict {
    needs_offsets(trial)?;
    for query in [&[("page", "201"), ("page_size", "50")][..], &[("offset", "9951"), ("limit", "50")]] {
        let reply = trial.list(query).await?;
        expect_advice(trial, &reply);
    }
    Ok(())
}

async fn old_and_new_are_not_mixed(trial: &mut Trial) -> Verdict {
    needs_offsets(trial)?;
    for query in [
        [("page", "1"), ("limit", "1")],
        [("page", "1"), ("offset", "0")],
        [("page", "1"), ("cursor", "x")],
        [("limit", "1"), ("cursor", "x")],
    ] {
        let reply = trial.list(&query).await?;
        expect_advice(trial, &reply);
    }
    Ok(())
}

/// A refusal whose words are the server's own.
fn expect_advice(trial: &mut Trial, reply: &super::ask::Reply) {
    let holds = reply.status == 400 && reply.json()["detail"].is_string();
    trial.expect(reply, holds, "400 and a `detail` that says what to do", &reply.seen());
}

/// A server that pages by number has neither offsets nor an end of its numbers.
fn needs_offsets(trial: &Trial) -> Verdict {
    match trial.server().paging() {
        Paging::Numbers => {
            Err(Stop::Skipped("the server pages by number, which the contract allows in a variant".into()))
        }
        Paging::Cursors | Paging::Unknown => Ok(()),
    }
}
