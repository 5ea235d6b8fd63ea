//! Filters. The values are those of rows of the first page, and what a filter gives has to begin with the rows of that page
//! that it lets through.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::ask::{short, text_of};
use super::rows::id_of;
use super::trial::{Stop, Trial, Verdict, nobody};
use super::{Check, checks};

pub(super) const CHECKS: &[Check] = checks! {
    "3 Filters" => a_status_finds_its_rows, lists_of_values_are_included_or_excluded, carriers_find_their_rows,
                   durations_are_compared, booleans_have_four_spellings, null_and_empty_are_the_same,
                   labels_that_nobody_has_find_nothing, other_attributes_compare_as_text,
                   all_filters_hold_together, the_last_of_a_repeated_parameter_wins,
                   an_empty_value_filters_nothing, items_are_trimmed_and_empty_ones_dropped,
                   a_filter_that_nothing_passes_is_an_empty_page, bad_values_are_refused_all_at_once,
                   an_unknown_parameter_is_ignored_unless_strict;
};

/// Asks with filters and holds the rows against what they should let through.
async fn expect_rows(
    trial: &mut Trial,
    query: &[(&str, &str)],
    words: &str,
    lets_through: impl Fn(&Value) -> bool,
) -> Verdict {
    let reply = trial.list(&[query, &[("page_size", "50")]].concat()).await?;
    let page = trial.read(&reply)?;
    if let Some(stray) = page.rows.iter().find(|row| !lets_through(row)) {
        let seen = format!("the row {}", id_of(stray));
        trial.note(&reply.asked, &format!("only rows whose {words}"), &seen);
    }
    let first = &trial.server().first().rows;
    let expected: Vec<String> = first.iter().filter(|row| lets_through(row)).map(id_of).collect();
    let seen = page.ids();
    // The first page has 50 rows, and so has this one: what passes there stands at the beginning here.
    if let Some(missing) = expected.iter().find(|id| !seen.contains(id)) {
        trial.note(&reply.asked, &format!("all rows whose {words}"), &format!("not {missing}"));
    } else {
        trial.expect(
            &reply,
            seen.starts_with(&expected),
            "the rows in the order of the list",
            "another order",
        );
    }
    Ok(())
}

/// The different values of a field on the first page, without null and empty ones.
fn values(trial: &Trial, field: &str) -> Vec<String> {
    let rows = &trial.server().first().rows;
    let values: BTreeSet<String> =
        rows.iter().filter_map(|row| row[field].as_str()).map(str::to_owned).collect();
    // A comma would make two of one value.
    values
        .into_iter()
        .filter(|value| !value.is_empty() && value.trim() == value && !value.contains(','))
        .collect()
}

fn some_value(trial: &Trial, field: &str) -> Result<String, Stop> {
    let value = values(trial, field).into_iter().next();
    value.ok_or_else(|| Stop::Skipped(format!("it takes a row with a `{field}` on the first page")))
}

async fn a_status_finds_its_rows(trial: &mut Trial) -> Verdict {
    for field in ["status", "quality", "call_status"] {
        let value = some_value(trial, field)?;
        expect_rows(trial, &[(field, &value)], &format!("`{field}` is {value}"), |row| row[field] == *value)
            .await?;
    }
    Ok(())
}

async fn lists_of_values_are_included_or_excluded(trial: &mut Trial) -> Verdict {
    for field in ["status", "quality", "call_status"] {
        some_value(trial, field)?;
        let two: Vec<String> = values(trial, field).into_iter().take(2).collect();
        let is_one =
            |row: &Value| row[field].as_str().is_some_and(|value| two.iter().any(|one| one == value));
        let (list, words) = (two.join(","), format!("`{field}` is one of {}", two.join(", ")));
        expect_rows(trial, &[(field, &list)], &words, is_one).await?;
        expect_rows(trial, &[(&format!("{field}__in"), &list)], &words, is_one).await?;
        let words = format!("`{field}` is not {}", two[0]);
        expect_rows(trial, &[(&format!("{field}__neq"), &two[0])], &words, |row| row[field] != *two[0])
            .await?;
    }
    Ok(())
}

async fn carriers_find_their_rows(trial: &mut Trial) -> Verdict {
    let carrier = some_value(trial, "carrier")?;
    let two: Vec<String> = values(trial, "carrier").into_iter().take(2).collect();
    let words = format!("`carrier` is {carrier}");
    expect_rows(trial, &[("carrier", &carrier)], &words, |row| row["carrier"] == *carrier).await?;
    let is_one = |row: &Value| two.iter().any(|one| row["carrier"] == **one);
    let words = format!("`carrier` is one of {}", two.join(", "));
    expect_rows(trial, &[("carrier__in", &two.join(","))], &words, is_one).await
}

/// A parameter, and when a duration passes it.
type Comparison = (&'static str, fn(&f64, &f64) -> bool);

async fn durations_are_compared(trial: &mut Trial) -> Verdict {
    trial.needs_rows(1)?;
    let mut durations: Vec<f64> =
        trial.server().first().rows.iter().filter_map(|row| row["duration"].as_f64()).collect();
    durations.sort_by(f64::total_cmp);
    let Some(middle) = durations.get(durations.len() / 2).copied() else {
        return Err(Stop::Skipped("it takes a row with a `duration`".into()));
    };
    let comparisons: [Comparison; 6] = [
        ("duration", f64::eq),
        ("duration__gt", f64::gt),
        ("duration__lt", f64::lt),
        ("duration__gte", f64::ge),
        ("duration__lte", f64::le),
        ("duration__neq", f64::ne),
    ];
    for (name, holds) in comparisons {
        // The exponent is a spelling that is easily forgotten.
        for value in [middle.to_string(), format!("{middle:e}")] {
            let words = format!("`duration` passes `{name}={value}`");
            let lets_through =
                |row: &Value| row["duration"].as_f64().is_some_and(|seen| holds(&seen, &middle));
            expect_rows(trial, &[(name, &value)], &words, lets_through).await?;
        }
    }
    Ok(())
}

async fn booleans_have_four_spellings(trial: &mut Trial) -> Verdict {
    trial.needs_rows(1)?;
    for field in ["is_test", "checked"] {
        for (spelling, value) in [("true", true), ("0", false), ("FALSE", false), ("1", true)] {
            let words = format!("`{field}` is {value}");
            expect_rows(trial, &[(field, spelling)], &words, |row| row[field] == value).await?;
        }
    }
    Ok(())
}

async fn null_and_empty_are_the_same(trial: &mut Trial) -> Verdict {
    trial.needs_rows(1)?;
    for field in ["status", "quality"] {
        let name = format!("{field}__isnull");
        let is_empty = |row: &Value| row[field].as_str().is_none_or(str::is_empty);
        expect_rows(trial, &[(&name, "true")], &format!("`{field}` is null or empty"), is_empty).await?;
        let words = format!("`{field}` is neither null nor empty");
        expect_rows(trial, &[(&name, "false")], &words, |row| !is_empty(row)).await?;
    }
    Ok(())
}

/// The ids of labels stand nowhere in an answer, so that only labels that nobody has can be asked for.
async fn labels_that_nobody_has_find_nothing(trial: &mut Trial) -> Verdict {
    let nobody = nobody();
    for name in ["labels__id", "campaign_labels__id__in"] {
        expect_rows(trial, &[(name, &nobody)], "label nobody has", |_| false).await?;
    }
    expect_rows(trial, &[("labels__id__neq", &nobody)], "labels are others", |_| true).await
}

async fn other_attributes_compare_as_text(trial: &mut Trial) -> Verdict {
    // A key with a text, one with a whole number, one with a boolean: how other numbers are printed is the database's.
    let is_kind: [fn(&Value) -> bool; 3] = [
        |value| value.as_str().is_some_and(|text| !text.is_empty()),
        |value| value.is_i64(),
        Value::is_boolean,
    ];
    let mut pairs = Vec::new();
    for is_kind in is_kind {
        let rows = &trial.server().first().rows;
        let attributes = rows.iter().filter_map(|row| row["other_attributes"].as_object()).flatten();
        let pair = attributes
            .into_iter()
            .find(|(key, value)| !key.is_empty() && !key.contains('=') && is_kind(value));
        pairs.extend(pair.map(|(key, value)| (key.clone(), text_of(value))));
    }
    if pairs.is_empty() {
        return Err(Stop::Skipped("it takes a row with `other_attributes` on the first page".into()));
    }
    for (key, text) in pairs {
        let is_it = |row: &Value| {
            let value = &row["other_attributes"][&key];
            let is_plain = !value.is_null() && !value.is_object() && !value.is_array();
            is_plain && text_of(value) == text
        };
        let words = format!("`other_attributes` have {key} = {}", short(&text));
        expect_rows(trial, &[("other_attributes", &format!("{key}={text}"))], &words, is_it).await?;
    }
    Ok(())
}

async fn all_filters_hold_together(trial: &mut Trial) -> Verdict {
    let row = trial.some_row()?;
    let [status, quality, call_status] =
        ["status", "quality", "call_status"].map(|field| text_of(&row[field]));
    let holds = |row: &Value| {
        row["status"] == *status && row["quality"] == *quality && row["call_status"] == *call_status
    };
    let query = [("status", status.as_str()), ("quality", &quality), ("call_status__in", &call_status)];
    expect_rows(trial, &query, "status, quality and call status are these", holds).await?;
    let query = [("status", status.as_str()), ("status__neq", &status)];
    expect_rows(trial, &query, "`status` both is and is not this", |_| false).await
}

async fn the_last_of_a_repeated_parameter_wins(trial: &mut Trial) -> Verdict {
    let status = some_value(trial, "status")?;
    let query = [("status", "no-such-status"), ("status", status.as_str())];
    expect_rows(trial, &query, &format!("`status` is {status}"), |row| row["status"] == *status).await
}

async fn an_empty_value_filters_nothing(trial: &mut Trial) -> Verdict {
    let empty =
        ["status", "carrier", "duration", "labels__id", "other_attributes", "is_test", "status__isnull"];
    let query: Vec<(&str, &str)> = empty.into_iter().map(|name| (name, "")).collect();
    expect_rows(trial, &query, "fields are anything", |_| true).await
}

async fn items_are_trimmed_and_empty_ones_dropped(trial: &mut Trial) -> Verdict {
    let status = some_value(trial, "status")?;
    let list = format!(", {status} ,,");
    expect_rows(trial, &[("status", &list)], &format!("`status` is {status}"), |row| row["status"] == *status)
        .await
}

async fn a_filter_that_nothing_passes_is_an_empty_page(trial: &mut Trial) -> Verdict {
    let reply = trial.list(&[("status", "no-such-status")]).await?;
    let page = trial.read(&reply)?;
    let holds = page.rows.is_empty() && page.next.is_none() && page.previous.is_none();
    trial.expect(&reply, holds, "no rows and no links", &reply.seen());
    Ok(())
}

async fn bad_values_are_refused_all_at_once(trial: &mut Trial) -> Verdict {
    let query = [
        ("duration__gt", "ten"),
        ("is_test", "maybe"),
        ("status__isnull", "null"),
        ("labels__id", "x"),
        ("status", "\u{0}"),
        ("other_attributes", "no-equals-sign"),
    ];
    let reply = trial.list(&query).await?;
    let expected = json!({
        "duration__gt": ["Enter a number."],
        "is_test": ["Must be a valid boolean."],
        "status__isnull": ["Must be a valid boolean."],
        "labels__id": ["“x” is not a valid UUID."],
        "status": ["Null characters are not allowed."],
        "other_attributes": ["Expected key=value."],
    });
    trial.expect(&reply, reply.status == 400, "400 with what is wrong with each parameter", &reply.seen());
    if reply.status == 400 {
        let body = reply.json();
        trial.expect_fields(&reply.asked, &body, &expected);
    }
    for infinite in ["NaN", "Infinity", "-inf"] {
        let reply = trial.list(&[("duration", infinite)]).await?;
        trial.expect_answer(&reply, 400, &json!({ "duration": ["Enter a number."] }));
    }
    Ok(())
}

async fn an_unknown_parameter_is_ignored_unless_strict(trial: &mut Trial) -> Verdict {
    expect_rows(trial, &[("no_such_parameter", "x")], "fields are anything", |_| true).await?;
    let ask = trial.request(reqwest::Method::GET, super::ask::CUSTOMERS).with("no_such_parameter", "x");
    let reply = trial.send(ask.header("prefer", "handling=strict")).await?;
    let holds = reply.status == 400 && reply.json().get("no_such_parameter").is_some();
    trial.expect(
        &reply,
        holds,
        "400 that names `no_such_parameter`, with `Prefer: handling=strict`",
        &reply.seen(),
    );
    Ok(())
}
