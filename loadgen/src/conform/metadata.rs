//! The workspace itself: its name, how many customers it has, and when one changed last.

use reqwest::Method;
use serde_json::Value;

use super::ask::Reply;
use super::shape::WORKSPACE;
use super::trial::{Stop, Trial, Verdict};
use super::{Check, checks};

pub(super) const CHECKS: &[Check] = checks! {
    "6" => a_workspace_can_be_read, a_workspace_has_its_fields, a_workspace_is_read_by_slug_and_by_uuid,
           the_numbers_of_a_workspace_agree_with_the_list, the_cache_says_what_it_did,
           a_write_shows_at_once_in_the_metadata;
};

/// The workspace under the name that was given, or another one.
async fn read(trial: &mut Trial, name: Option<&str>) -> Result<Reply, Stop> {
    let name = name.unwrap_or(&trial.server().examination().workspace).to_owned();
    let ask = trial.request(Method::GET, &format!("/api/v1/workspaces/{name}/")).in_workspace(None);
    trial.offered(ask).await
}

async fn a_workspace_can_be_read(trial: &mut Trial) -> Verdict {
    let reply = read(trial, None).await?;
    let id = reply.json()["id"].as_str().and_then(|id| id.parse().ok());
    let known = trial.server().workspace_id();
    let holds = reply.status == 200 && id.is_some() && (known.is_none() || id == known);
    let expected = known.map_or_else(|| "200 and its `id`".to_owned(), |id| format!("200 and the `id` {id}"));
    trial.expect(&reply, holds, &expected, &reply.seen());
    Ok(())
}

async fn a_workspace_has_its_fields(trial: &mut Trial) -> Verdict {
    let reply = read(trial, None).await?;
    trial.expect_shape(&reply.asked, &reply.json(), WORKSPACE);
    Ok(())
}

async fn a_workspace_is_read_by_slug_and_by_uuid(trial: &mut Trial) -> Verdict {
    let body = read(trial, None).await?.json();
    let Some((slug, id)) = body["slug"].as_str().zip(body["id"].as_str()) else {
        return Err(Stop::Skipped("it takes metadata with `slug` and `id`".into()));
    };
    for name in [slug, id, &id.replace('-', "")] {
        let reply = trial
            .send(trial.request(Method::GET, &format!("/api/v1/workspaces/{name}/")).in_workspace(None))
            .await?;
        let holds = reply.status == 200 && reply.json()["id"] == id;
        trial.expect(&reply, holds, &format!("200 and the `id` {id}"), &reply.seen());
    }
    Ok(())
}

async fn the_numbers_of_a_workspace_agree_with_the_list(trial: &mut Trial) -> Verdict {
    let list = trial.page(&[("page_size", "50")]).await?;
    let reply = read(trial, None).await?;
    let body = reply.json();
    let (rows, count) = (list.rows.len() as u64, body["customer_count"].as_u64().unwrap_or_default());
    let (holds, expected) = if list.next.is_some() {
        (count > rows, format!("`customer_count` above {rows}: the list goes on"))
    } else {
        (count == rows, format!("`customer_count` to be {rows}, as in the list"))
    };
    trial.expect(&reply, holds, &expected, &body["customer_count"].to_string());
    let latest = list.rows.iter().filter_map(|row| row["updated_at"].as_str()).max();
    let last_updated = body["last_updated"].as_str();
    let expected = format!("`last_updated` to be {} at least", latest.unwrap_or("null"));
    trial.expect(&reply, last_updated >= latest, &expected, &body["last_updated"].to_string());
    Ok(())
}

async fn the_cache_says_what_it_did(trial: &mut Trial) -> Verdict {
    let mut last = read(trial, None).await?;
    let mut said = vec![last.header("x-cache").to_owned()];
    // A write by somebody else between two reads makes a second miss; three in a row say something.
    for _ in 0..3 {
        if said.last().is_some_and(|said| said == "hit") {
            break;
        }
        last = read(trial, None).await?;
        said.push(last.header("x-cache").to_owned());
    }
    let known = said.iter().all(|said| said == "hit" || said == "miss");
    trial.expect(&last, known, "the header `X-Cache` with `hit` or `miss`", &format!("{said:?}"));
    if known {
        let hit = said.last().is_some_and(|said| said == "hit");
        trial.expect(&last, hit, "a hit when the same is asked again", &format!("{said:?}"));
    }
    Ok(())
}

async fn a_write_shows_at_once_in_the_metadata(trial: &mut Trial) -> Verdict {
    trial.needs_writes()?;
    read(trial, None).await?;
    let customer = super::writes::make(trial, &super::writes::named("seen in the metadata")).await?;
    let updated_at = customer["updated_at"].as_str().unwrap_or_default().to_owned();
    let reply = read(trial, None).await?;
    let last_updated = reply.json()["last_updated"].clone();
    let holds = matches!(&last_updated, Value::String(seen) if *seen >= updated_at);
    trial.expect(
        &reply,
        holds,
        &format!("`last_updated` to be {updated_at}, when a customer was made"),
        &last_updated.to_string(),
    );
    Ok(())
}
