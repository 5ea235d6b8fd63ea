//! Walking over the list, and the cursors that a walk is made of.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::ask::short;
use super::rows::Page;
use super::trial::{Stop, Trial, Verdict};
use super::{Check, checks};

pub(super) const CHECKS: &[Check] = checks! {
    "3 Cursors" => next_leads_to_the_page_after, next_and_previous_walk_the_same_rows,
                   a_walk_sees_each_row_once, next_is_null_exactly_at_the_end, a_cursor_is_opaque_and_short,
                   an_empty_cursor_is_the_first_page, what_is_no_cursor_is_not_found;
};

/// Rows of a page of a walk: small, so that a small workspace has several.
const SIZE: &str = "7";

/// Pages of a walk.
const PAGES: usize = 5;

async fn next_leads_to_the_page_after(trial: &mut Trial) -> Verdict {
    trial.needs_rows(8)?;
    let all = trial.page(&[("page_size", "50")]).await?.ids();
    let reply = trial.list(&[("page_size", SIZE)]).await?;
    let first = trial.read(&reply)?;
    let Some(next) = first.next else {
        trial.note(&reply.asked, "`next` to lead to the other rows", "null");
        return Err(Stop::Over);
    };
    let reply = trial.follow_link(&next).await?;
    let second = trial.read(&reply)?.ids();
    let expected: Vec<String> = all.into_iter().skip(7).take(7).collect();
    trial.expect(
        &reply,
        second == expected,
        "the rows after those of the first page",
        &short(&format!("{second:?} instead of {expected:?}")),
    );
    Ok(())
}

/// The first pages of the list.
async fn walk(trial: &mut Trial, size: &str) -> Result<Vec<Page>, Stop> {
    let mut pages = vec![trial.page(&[("page_size", size)]).await?];
    while pages.len() < PAGES {
        let Some(next) = pages.last().and_then(|page| page.next.clone()) else { break };
        pages.push(trial.follow(&next).await?);
    }
    Ok(pages)
}

async fn next_and_previous_walk_the_same_rows(trial: &mut Trial) -> Verdict {
    trial.needs_rows(8)?;
    let there = walk(trial, SIZE).await?;
    let mut link = there.last().and_then(|page| page.previous.clone());
    for page in there.iter().rev().skip(1) {
        let Some(previous) = &link else {
            trial.note("the walk back", "`previous` on every page but the first", "null");
            return Err(Stop::Over);
        };
        let reply = trial.follow_link(previous).await?;
        let back = trial.read(&reply)?;
        let seen = short(&format!("{:?} instead of {:?}", back.ids(), page.ids()));
        trial.expect(&reply, back.ids() == page.ids(), "the rows of the way there", &seen);
        trial.expect(&reply, back.next.is_some(), "`next` on the way back", "null");
        link = back.previous;
    }
    if let Some(link) = link {
        // Somebody may have made a customer meanwhile, and then a page precedes the first one.
        let newest = trial.page(&[("page_size", "1")]).await?.ids();
        if there[0].ids().starts_with(&newest) {
            trial.note("the walk back", "`previous` to be null on the first page", &link);
        }
    }
    Ok(())
}

async fn a_walk_sees_each_row_once(trial: &mut Trial) -> Verdict {
    trial.needs_rows(8)?;
    let walked: Vec<String> = walk(trial, SIZE).await?.iter().flat_map(Page::ids).collect();
    let reply = trial.list(&[("page_size", "50")]).await?;
    let at_once: Vec<String> = trial.read(&reply)?.ids().into_iter().take(walked.len()).collect();
    let distinct: HashSet<&String> = walked.iter().collect();
    let seen = format!("{} of {} rows are repeated", walked.len() - distinct.len(), walked.len());
    trial.expect(&reply, distinct.len() == walked.len(), "each row once in a walk by pages of 7", &seen);
    let seen = walked.iter().zip(&at_once).find(|(one, two)| one != two);
    let seen = seen.map_or_else(String::new, |(one, two)| format!("{one} where one page has {two}"));
    let common = walked.len().min(at_once.len());
    trial.expect(&reply, walked[..common] == at_once[..common], "a walk to see what one page has", &seen);
    Ok(())
}

async fn next_is_null_exactly_at_the_end(trial: &mut Trial) -> Verdict {
    trial.needs_rows(2)?;
    // Few customers share the longest duration of a page, and so there is a list that can be walked to its end.
    let longest =
        trial.server().first().rows.iter().filter_map(|row| row["duration"].as_f64()).reduce(f64::max);
    let Some(longest) = longest else {
        return Err(Stop::Skipped("it takes a row with a `duration`".into()));
    };
    let duration = longest.to_string();
    for query in [vec![], vec![("duration", duration.as_str())]] {
        let reply = trial.list(&[&query[..], &[("page_size", "200")]].concat()).await?;
        let all = trial.read(&reply)?;
        if let Some(next) = &all.next {
            let full = trial.follow(next).await.is_ok_and(|page| !page.rows.is_empty());
            trial.expect(&reply, full, "`next` to be null where no row follows", next);
            continue;
        }
        let size = all.rows.len().div_ceil(4).to_string();
        let reply = trial.list(&[&query[..], &[("page_size", size.as_str())]].concat()).await?;
        let (mut page, mut asked) = (trial.read(&reply)?, reply.asked);
        let mut rows = page.rows.len();
        for _ in 0..4 {
            let at_end = rows >= all.rows.len();
            if page.next.is_none() != at_end {
                let seen = format!("{:?} after {rows} of {} rows", page.next, all.rows.len());
                trial.note(&asked, "`next` to be null exactly when no row follows", &seen);
                return Err(Stop::Over);
            }
            let Some(next) = page.next else { break };
            let reply = trial.follow_link(&next).await?;
            (page, asked) = (trial.read(&reply)?, reply.asked);
            rows += page.rows.len();
        }
        return Ok(());
    }
    Err(Stop::Skipped("it takes a list of at most 200 rows, and none was found".into()))
}

/// The cursor of the first page's `next`.
async fn cursor(trial: &mut Trial) -> Result<(String, String), Stop> {
    trial.needs_cursors()?;
    let reply = trial.list(&[("page_size", SIZE)]).await?;
    let next = trial.read(&reply)?.next.unwrap_or_default();
    if let Some(cursor) = trial.server().parameter(&next, "cursor") {
        return Ok((cursor, reply.asked));
    }
    trial.note(&reply.asked, "`next` with a `cursor`", &next);
    Err(Stop::Over)
}

async fn a_cursor_is_opaque_and_short(trial: &mut Trial) -> Verdict {
    let (cursor, asked) = cursor(trial).await?;
    let length = cursor.chars().count();
    if length > 512 {
        trial.note(&asked, "a cursor of at most 512 characters", &format!("{length} characters"));
    }
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(&cursor) else {
        trial.note(&asked, "a cursor in URL-safe base64 without padding", &cursor);
        return Ok(());
    };
    let text = String::from_utf8_lossy(&bytes);
    let json: Value = serde_json::from_str(&text).unwrap_or_default();
    let holds = text.starts_with(r#"{"created_at":"#) && json.get("id").is_some();
    if !holds {
        trial.note(&asked, "a cursor of compact JSON with `created_at` first, and `id`", &text);
    }
    Ok(())
}

async fn an_empty_cursor_is_the_first_page(trial: &mut Trial) -> Verdict {
    trial.needs_cursors()?;
    let first = trial.page(&[("page_size", SIZE)]).await?.ids();
    let reply = trial.list(&[("page_size", SIZE), ("cursor", "")]).await?;
    let seen = trial.read(&reply)?.ids();
    trial.expect(&reply, seen == first, "the rows of the first page", "others");
    Ok(())
}

async fn what_is_no_cursor_is_not_found(trial: &mut Trial) -> Verdict {
    let (cursor, _) = cursor(trial).await?;
    let halved: String = cursor.chars().take(cursor.chars().count() / 2).collect();
    for text in
        ["nonsense", "e30", "\u{0}", "../../etc", &halved, &format!("{cursor}{cursor}"), &"A".repeat(600)]
    {
        let reply = trial.list(&[("page_size", SIZE), ("cursor", text)]).await?;
        trial.expect_refusal(&reply, 404, "Invalid cursor");
    }
    Ok(())
}
