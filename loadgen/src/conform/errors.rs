//! Refusals: who is let in, what is said to the others, and in which order.

use reqwest::Method;
use serde_json::json;

use super::ask::CUSTOMERS;
use super::trial::{Trial, Verdict, nobody};
use super::{Check, checks};

pub(super) const CHECKS: &[Check] = checks! {
    "4" => without_a_token_nobody_is_let_in, a_token_of_another_scheme_is_none, an_unknown_token_is_invalid,
           a_workspace_has_to_be_named, a_path_that_there_is_not_is_not_found,
           refusals_come_in_the_order_of_the_contract, answers_are_json_whatever_is_accepted;
};

/// What is said to those who bring nothing.
pub(super) const NO_CREDENTIALS: &str = "Authentication credentials were not provided.";

/// What is said to those who may not.
pub(super) const FORBIDDEN: &str = "You do not have permission to perform this action.";

async fn without_a_token_nobody_is_let_in(trial: &mut Trial) -> Verdict {
    let reply = trial.send(trial.request(Method::GET, CUSTOMERS).on_behalf_of(None)).await?;
    trial.expect_refusal(&reply, 401, NO_CREDENTIALS);
    let header = reply.header("www-authenticate").to_owned();
    trial.expect(&reply, header.starts_with("Bearer"), "`WWW-Authenticate: Bearer`", &header);
    Ok(())
}

async fn a_token_of_another_scheme_is_none(trial: &mut Trial) -> Verdict {
    let ask = trial.request(Method::GET, CUSTOMERS).on_behalf_of(None);
    let reply = trial.send(ask.header("authorization", "Basic dTpw")).await?;
    trial.expect_refusal(&reply, 401, NO_CREDENTIALS);
    Ok(())
}

async fn an_unknown_token_is_invalid(trial: &mut Trial) -> Verdict {
    let reply = trial.send(trial.request(Method::GET, CUSTOMERS).on_behalf_of(Some(&nobody()))).await?;
    trial.expect_refusal(&reply, 401, "Invalid token.");
    Ok(())
}

async fn a_workspace_has_to_be_named(trial: &mut Trial) -> Verdict {
    for workspace in [None, Some("")] {
        let reply = trial.send(trial.request(Method::GET, CUSTOMERS).in_workspace(workspace)).await?;
        trial.expect_answer(&reply, 400, &json!({ "workspace_id": ["This field is required."] }));
    }
    Ok(())
}

async fn a_path_that_there_is_not_is_not_found(trial: &mut Trial) -> Verdict {
    for path in ["/api/v1/no-such-thing/", "/api/v1//customers/"] {
        let reply = trial.send(trial.request(Method::GET, path).on_behalf_of(None)).await?;
        trial.expect_refusal(&reply, 404, "Not found.");
    }
    Ok(())
}

async fn refusals_come_in_the_order_of_the_contract(trial: &mut Trial) -> Verdict {
    // Each request has all the faults of the next one, and one more.
    let everything = [("status", "\u{0}"), ("cursor", "nonsense")];
    let ask = trial.request(Method::GET, CUSTOMERS).with_all(&everything);
    let nobodys = ask.clone().in_workspace(None).on_behalf_of(None);
    let reply = trial.send(nobodys).await?;
    trial.expect_refusal(&reply, 401, NO_CREDENTIALS);
    let reply = trial.send(ask.clone().in_workspace(None)).await?;
    trial.expect_answer(&reply, 400, &json!({ "workspace_id": ["This field is required."] }));
    let reply = trial.send(ask.clone().in_workspace(Some(&nobody()))).await?;
    trial.expect_refusal(&reply, 403, FORBIDDEN);
    let reply = trial.send(ask).await?;
    trial.expect_answer(&reply, 400, &json!({ "status": ["Null characters are not allowed."] }));
    Ok(())
}

async fn answers_are_json_whatever_is_accepted(trial: &mut Trial) -> Verdict {
    for accept in ["application/json", "text/html", "image/png", "*/*"] {
        let ask = trial.request(Method::GET, CUSTOMERS).with("page_size", "1").header("accept", accept);
        let reply = trial.send(ask).await?;
        let content_type = reply.header("content-type").to_owned();
        let holds = reply.status == 200 && content_type.starts_with("application/json");
        let seen = format!("{} {content_type}", reply.status);
        trial.expect(&reply, holds, &format!("200 application/json with `Accept: {accept}`"), &seen);
    }
    Ok(())
}
