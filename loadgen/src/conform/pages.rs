//! The list and its rows.

use reports::conformance::Paging;
use serde_json::Value;
use uuid::Uuid;

use super::ask::text_of;
use super::rows::{Page, id_of, money, written_at};
use super::shape::{self, CUSTOMER};
use super::trial::{Trial, Verdict};
use super::{Check, checks};

pub(super) const CHECKS: &[Check] = checks! {
    "3" => the_first_page_is_a_page, a_row_has_the_fields_of_a_customer, rows_are_newest_first,
           rows_are_live_and_of_one_workspace, page_size_is_kept_to, a_workspace_is_named_by_slug_or_uuid,
           tags_are_sorted_by_code_point, numbers_of_calls_agree_with_each_other,
           money_has_two_to_four_decimals, the_total_cost_is_the_sum_of_the_breakdown;
    "3 Count" => count_is_null_unless_asked_for, an_estimate_of_the_count_is_a_number;
};

async fn the_first_page_is_a_page(trial: &mut Trial) -> Verdict {
    let reply = trial.list(&[("page_size", "50")]).await?;
    let page = trial.read(&reply)?;
    trial.expect(
        &reply,
        page.previous.is_none(),
        "`previous` to be null",
        &format!("{:?}", page.previous.as_deref().unwrap_or_default()),
    );
    trial.expect(&reply, page.rows.len() <= 50, "at most 50 rows", &format!("{} rows", page.rows.len()));
    Ok(())
}

async fn a_row_has_the_fields_of_a_customer(trial: &mut Trial) -> Verdict {
    trial.needs_rows(1)?;
    let reply = trial.list(&[("page_size", "50")]).await?;
    let mut seen = Vec::new();
    for row in &trial.read(&reply)?.rows {
        for fault in shape::faults(row, CUSTOMER) {
            // The same fault is in every row.
            if !seen.contains(&fault.path) {
                trial.note(&reply.asked, &format!("`{}` to be {}", fault.path, fault.expected), &fault.seen);
                seen.push(fault.path);
            }
        }
    }
    Ok(())
}

async fn rows_are_newest_first(trial: &mut Trial) -> Verdict {
    trial.needs_rows(2)?;
    let reply = trial.list(&[("page_size", "50")]).await?;
    let page = trial.read(&reply)?;
    // Both are written so that texts sort as what they stand for.
    let place = |row: &Value| (text_of(&row["created_at"]), id_of(row));
    for pair in page.rows.windows(2) {
        let (one, two) = (place(&pair[0]), place(&pair[1]));
        let seen = format!("{} {} before {} {}", one.0, one.1, two.0, two.1);
        if !trial.expect(&reply, one > two, "rows by `created_at`, then `id`, both descending", &seen) {
            break;
        }
    }
    Ok(())
}

async fn rows_are_live_and_of_one_workspace(trial: &mut Trial) -> Verdict {
    let first = trial.some_row()?;
    let asked = Uuid::parse_str(&trial.server().examination().workspace).ok().map(|id| id.to_string());
    let workspace = asked.unwrap_or_else(|| text_of(&first["workspace_id"]));
    let reply = trial.list(&[("page_size", "50")]).await?;
    for row in &trial.read(&reply)?.rows {
        let of = text_of(&row["workspace_id"]);
        trial.expect(&reply, of == workspace, &format!("only rows of the workspace {workspace}"), &of);
        let deleted = format!("{} with `is_deleted` {}", id_of(row), row["is_deleted"]);
        trial.expect(&reply, row["is_deleted"] != true, "no deleted customers", &deleted);
    }
    Ok(())
}

async fn page_size_is_kept_to(trial: &mut Trial) -> Verdict {
    trial.needs_rows(2)?;
    let reply = trial.list(&[("page_size", "200")]).await?;
    let page = trial.read(&reply)?;
    let most = page.rows.len();
    let holds = most == 200 || (most < 200 && page.next.is_none());
    trial.expect(&reply, holds, "200 rows, or fewer and no `next`", &format!("{most} rows"));
    for (asked, rows) in [
        (Some("1"), 1),
        (Some("7"), 7),
        (None, 50),
        (Some("0"), 50),
        (Some("-5"), 50),
        (Some("2.5"), 50),
        (Some("ten"), 50),
        (Some("201"), 200),
        (Some("99999999999999999999"), 200),
    ] {
        let query: Vec<(&str, &str)> = asked.into_iter().map(|asked| ("page_size", asked)).collect();
        let reply = trial.list(&query).await?;
        let (seen, rows) = (trial.read(&reply)?.rows.len(), rows.min(most));
        trial.expect(&reply, seen == rows, &format!("{rows} rows"), &format!("{seen} rows"));
    }
    Ok(())
}

async fn a_workspace_is_named_by_slug_or_uuid(trial: &mut Trial) -> Verdict {
    trial.needs_rows(1)?;
    let Some(id) = trial.server().workspace_id() else {
        let row = trial.some_row()?;
        let asked = trial.list(&[("page_size", "5")]).await?.asked;
        trial.note(&asked, "`workspace_id` to be a UUID", &row["workspace_id"].to_string());
        return Ok(());
    };
    let expected = trial.page(&[("page_size", "5")]).await?.ids();
    for name in [id.hyphenated().to_string(), id.simple().to_string(), id.to_string().to_uppercase()] {
        let ask = trial.request(reqwest::Method::GET, super::ask::CUSTOMERS).in_workspace(Some(&name));
        let reply = trial.send(ask.with("page_size", "5")).await?;
        let seen = trial.read(&reply)?.ids();
        trial.expect(&reply, seen == expected, "the same rows as under the name that was given", "others");
    }
    Ok(())
}

async fn tags_are_sorted_by_code_point(trial: &mut Trial) -> Verdict {
    trial.needs_rows(1)?;
    let reply = trial.list(&[("page_size", "50")]).await?;
    for row in &trial.read(&reply)?.rows {
        let tags: Vec<&str> =
            row["tags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let sorted = tags.is_sorted_by(|a, b| a < b);
        trial.expect(&reply, sorted, "`tags` sorted by code point, each once", &row["tags"].to_string());
    }
    Ok(())
}

async fn numbers_of_calls_agree_with_each_other(trial: &mut Trial) -> Verdict {
    trial.needs_rows(1)?;
    let reply = trial.list(&[("page_size", "50")]).await?;
    for row in &trial.read(&reply)?.rows {
        let number = |name: &str| row[name].as_u64().unwrap_or_default();
        let (total, id) = (number("total_calls"), id_of(row));
        let campaign = row["campaign_stats"]["total_campaign_calls"].as_u64().unwrap_or_default();
        for (name, part) in [
            ("successful_calls + missed_calls", number("successful_calls") + number("missed_calls")),
            ("calls_last_30_days", number("calls_last_30_days")),
            ("campaign_stats.total_campaign_calls", campaign),
        ] {
            let (expected, seen) =
                (format!("`{name}` to be at most `total_calls`"), format!("{part} of {total} at {id}"));
            trial.expect(&reply, part <= total, &expected, &seen);
        }
        let latest = &row["latest_call"];
        trial.expect(
            &reply,
            latest.is_null() == (total == 0),
            "`latest_call` to be null exactly without calls",
            &format!("{latest} with {total} calls at {id}"),
        );
    }
    Ok(())
}

/// Where the amounts of a customer stand.
const AMOUNTS: [&[&str]; 5] = [
    &["billing_summary", "total_cost"],
    &["billing_summary", "cost_this_month"],
    &["billing_summary", "billing_breakdown", "campaign"],
    &["billing_summary", "billing_breakdown", "direct"],
    &["billing_summary", "billing_breakdown", "callback"],
];

async fn money_has_two_to_four_decimals(trial: &mut Trial) -> Verdict {
    trial.needs_rows(1)?;
    let reply = trial.list(&[("page_size", "50")]).await?;
    let page = trial.read(&reply)?;
    for path in AMOUNTS {
        let wrong = page.written.iter().find_map(|row| {
            let written = written_at(row, path).unwrap_or_else(|| "nothing".to_owned());
            money(&written).is_none().then_some(written)
        });
        if let Some(wrong) = wrong {
            let expected = format!("`{}` with two to four decimals, such as 1250.50", path.join("."));
            trial.note(&reply.asked, &expected, &wrong);
        }
    }
    Ok(())
}

async fn the_total_cost_is_the_sum_of_the_breakdown(trial: &mut Trial) -> Verdict {
    trial.needs_rows(1)?;
    let reply = trial.list(&[("page_size", "50")]).await?;
    let Page { written, .. } = trial.read(&reply)?;
    for row in &written {
        let amount = |path: &[&str]| loose_money(&written_at(row, path).unwrap_or_default());
        let amounts: Vec<Option<i128>> = AMOUNTS.iter().map(|path| amount(path)).collect();
        let [Some(total), _, Some(campaign), Some(direct), Some(callback)] = amounts[..] else { continue };
        let holds = total == campaign + direct + callback;
        let seen = written_at(row, &["billing_summary"]).unwrap_or_default();
        trial.expect(&reply, holds, "`total_cost` to be exactly the sum of `billing_breakdown`", &seen);
    }
    Ok(())
}

/// An amount however it is written: what is wrong with its digits is said elsewhere.
fn loose_money(written: &str) -> Option<i128> {
    let digits = written.trim_matches('"');
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    money(&format!("{whole}.{fraction:0<2}"))
}

async fn count_is_null_unless_asked_for(trial: &mut Trial) -> Verdict {
    let reply = trial.list(&[("page_size", "5")]).await?;
    let rows = trial.read(&reply)?.rows.len() as u64;
    let body = reply.json();
    let count = &body["count"];
    let named = body.get("count").is_some();
    if trial.server().paging() == Paging::Numbers {
        let expected = "`count` to be the number of all rows";
        let holds = count.as_u64().is_some_and(|count| count >= rows);
        trial.expect(&reply, holds, expected, &count.to_string());
    } else {
        let seen = if named { count.to_string() } else { "no `count`".to_owned() };
        trial.expect(&reply, named && count.is_null(), "`count` to be null", &seen);
    }
    Ok(())
}

async fn an_estimate_of_the_count_is_a_number(trial: &mut Trial) -> Verdict {
    let reply = trial.list(&[("page_size", "5"), ("count", "estimated")]).await?;
    let rows = trial.read(&reply)?.rows.len() as u64;
    let count = reply.json()["count"].clone();
    let holds = count.as_u64().is_some_and(|count| count >= rows);
    trial.expect(
        &reply,
        holds,
        &format!("`count` to be a whole number, at least {rows}"),
        &count.to_string(),
    );
    Ok(())
}
