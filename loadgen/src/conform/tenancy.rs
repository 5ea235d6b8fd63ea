//! Nothing crosses from one workspace into another.

use reqwest::Method;
use serde_json::{Value, json};

use super::ask::{CUSTOMERS, Reply, text_of};
use super::errors::FORBIDDEN;
use super::rows::{id_of, path_of};
use super::trial::{Stop, Trial, Verdict, nobody};
use super::{Check, checks};

pub(super) const CHECKS: &[Check] = checks! {
    "4" => a_workspace_that_there_is_not_is_forbidden, who_is_no_member_sees_nothing,
           another_workspace_has_rows_of_its_own, a_customer_is_not_found_in_another_workspace,
           a_cursor_gives_no_rows_of_another_workspace, no_write_reaches_another_workspace;
};

/// The same answer for what is not there and for what is not theirs, so that nobody can probe.
async fn a_workspace_that_there_is_not_is_forbidden(trial: &mut Trial) -> Verdict {
    for workspace in [nobody().as_str(), "no-such-workspace", "\u{0}"] {
        let ask = trial.request(Method::GET, CUSTOMERS).in_workspace(Some(workspace));
        let reply = trial.send(ask).await?;
        trial.expect_refusal(&reply, 403, FORBIDDEN);
    }
    Ok(())
}

async fn who_is_no_member_sees_nothing(trial: &mut Trial) -> Verdict {
    let Some(other) = trial.server().examination().other_token.clone() else {
        return Err(Stop::Skipped(
            "it takes --other-token, of somebody who is no member of the workspace".into(),
        ));
    };
    let workspace = trial.server().examination().workspace.clone();
    let mut paths = vec![CUSTOMERS.to_owned(), format!("/api/v1/workspaces/{workspace}/")];
    paths.extend(trial.some_customer().ok());
    for path in paths {
        // What the server does not offer to its members either says nothing.
        let members = trial.send(trial.request(Method::GET, &path)).await?;
        if members.is_missing() {
            continue;
        }
        let reply = trial.send(trial.request(Method::GET, &path).on_behalf_of(Some(&other))).await?;
        trial.expect_refusal(&reply, 403, FORBIDDEN);
    }
    Ok(())
}

/// The other workspace, and the token of a member of it.
fn elsewhere(trial: &Trial) -> Result<(String, String), Stop> {
    let examination = trial.server().examination();
    let Some(workspace) = &examination.other_workspace else {
        return Err(Stop::Skipped("it takes --other-workspace".into()));
    };
    Ok((workspace.clone(), examination.other_token.as_ref().unwrap_or(&examination.token).clone()))
}

/// Asks a member of the other workspace's question there.
async fn ask_elsewhere(
    trial: &mut Trial,
    method: Method,
    path: &str,
    query: &[(&str, &str)],
    body: Option<&Value>,
) -> Result<Reply, Stop> {
    let (workspace, token) = elsewhere(trial)?;
    let mut ask = trial.request(method, path).in_workspace(Some(&workspace)).on_behalf_of(Some(&token));
    if let Some(body) = body {
        ask = ask.json(body);
    }
    trial.send(ask.with_all(query)).await
}

fn expect_no_rows_of_ours(trial: &mut Trial, reply: &Reply) {
    let Some(ours) = trial.server().workspace_id().map(|id| id.to_string()) else { return };
    let body = reply.json();
    let rows = body["results"].as_array().into_iter().flatten();
    let stray = rows.into_iter().find(|row| text_of(&row["workspace_id"]) == ours);
    let seen = stray.map_or_else(String::new, |row| format!("the customer {}", id_of(row)));
    trial.expect(reply, stray.is_none(), &format!("no rows of the workspace {ours}"), &seen);
}

async fn another_workspace_has_rows_of_its_own(trial: &mut Trial) -> Verdict {
    let reply = ask_elsewhere(trial, Method::GET, CUSTOMERS, &[("page_size", "50")], None).await?;
    if reply.status != 200 {
        return Err(Stop::Skipped(format!("the other workspace is answered {}", reply.seen())));
    }
    expect_no_rows_of_ours(trial, &reply);
    Ok(())
}

async fn a_customer_is_not_found_in_another_workspace(trial: &mut Trial) -> Verdict {
    elsewhere(trial)?;
    let path = trial.some_customer()?;
    trial.offered(trial.request(Method::GET, &path)).await?;
    let reply = ask_elsewhere(trial, Method::GET, &path, &[], None).await?;
    trial.expect_refusal(&reply, 404, "Not found.");
    Ok(())
}

async fn a_cursor_gives_no_rows_of_another_workspace(trial: &mut Trial) -> Verdict {
    elsewhere(trial)?;
    trial.needs_cursors()?;
    let page = trial.page(&[("page_size", "2")]).await?;
    let cursor = page.next.and_then(|next| trial.server().parameter(&next, "cursor"));
    let Some(cursor) = cursor else { return Err(Stop::Skipped("it takes a link with a cursor".into())) };
    let query = [("page_size", "2"), ("cursor", cursor.as_str())];
    let reply = ask_elsewhere(trial, Method::GET, CUSTOMERS, &query, None).await?;
    let holds = reply.status == 200 || reply.status == 404;
    trial.expect(&reply, holds, "200 with rows of its own, or 404", &reply.seen());
    expect_no_rows_of_ours(trial, &reply);
    Ok(())
}

async fn no_write_reaches_another_workspace(trial: &mut Trial) -> Verdict {
    trial.needs_writes()?;
    elsewhere(trial)?;
    let customer = super::writes::make(trial, &super::writes::named("not to be reached")).await?;
    let id = id_of(&customer);
    let path = path_of(&customer);
    let set = json!({ "name": "reached" });
    let reply = ask_elsewhere(trial, Method::PATCH, &path, &[], Some(&set)).await?;
    trial.expect(&reply, reply.is_missing(), "404", &reply.seen());
    let reply = ask_elsewhere(trial, Method::DELETE, &path, &[], None).await?;
    trial.expect(&reply, reply.is_missing(), "404", &reply.seen());
    let many = json!({ "ids": [id], "set": set });
    for (method, path) in
        [(Method::PATCH, "/api/v1/customers/bulk/"), (Method::POST, "/api/v1/customers/bulk-delete/")]
    {
        let reply = ask_elsewhere(trial, method, path, &[], Some(&many)).await?;
        let holds = reply.is_missing() || (reply.status == 200 && reply.json()["missing"] == json!([id]));
        trial.expect(&reply, holds, &format!("200 with {id} among the `missing`"), &reply.seen());
    }
    let reply = trial.send(trial.request(Method::GET, &path)).await?;
    let holds = reply.status == 200 && reply.json()["name"] == customer["name"];
    trial.expect(&reply, holds, "the customer as it was made", &reply.seen());
    Ok(())
}
