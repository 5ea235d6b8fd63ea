//! Which methods there are, without using those that change something: `OPTIONS` asks for them.

use reqwest::Method;

use super::ask::{Ask, CUSTOMERS, Reply};
use super::errors::NO_CREDENTIALS;
use super::trial::{Stop, Trial, Verdict};
use super::{Check, checks};

pub(super) const CHECKS: &[Check] = checks! {
    "4" => head_is_get_without_a_body, options_says_which_methods_there_are, a_preflight_needs_no_token,
           another_method_is_not_allowed, get_without_the_last_slash_is_moved;
    "5" => a_customer_can_be_made, many_customers_can_be_made, a_customer_can_be_changed,
           many_customers_can_be_changed, a_customer_can_be_deleted, many_customers_can_be_deleted,
           a_call_can_be_made, many_calls_can_be_made;
};

async fn head_is_get_without_a_body(trial: &mut Trial) -> Verdict {
    let ask = |trial: &Trial, method| trial.request(method, CUSTOMERS).with("page_size", "2");
    let get = trial.send(ask(trial, Method::GET)).await?;
    let head = trial.send(ask(trial, Method::HEAD)).await?;
    let (seen, empty) =
        (format!("{} with a body of {} bytes", head.status, head.text.len()), head.text.is_empty());
    trial.expect(&head, head.status == 200 && empty, "200 without a body", &seen);
    for name in ["content-type", "link"] {
        let (expected, seen) = (get.header(name), head.header(name).to_owned());
        trial.expect(&head, seen == expected, &format!("`{name}: {expected}`, as for GET"), &seen);
    }
    let reply = trial.send(ask(trial, Method::HEAD).on_behalf_of(None)).await?;
    trial.expect(&reply, reply.status == 401, "401 without a token", &reply.seen());
    Ok(())
}

async fn options_says_which_methods_there_are(trial: &mut Trial) -> Verdict {
    let reply = trial.send(trial.request(Method::OPTIONS, CUSTOMERS)).await?;
    trial.expect(&reply, reply.status == 200, "200", &reply.seen());
    for method in ["GET", "HEAD", "POST", "OPTIONS"] {
        let seen = reply.header("allow").to_owned();
        trial.expect(&reply, allows(&reply, method), &format!("{method} in the header `Allow`"), &seen);
    }
    let reply = trial.send(trial.request(Method::OPTIONS, CUSTOMERS).on_behalf_of(None)).await?;
    trial.expect_refusal(&reply, 401, NO_CREDENTIALS);
    Ok(())
}

async fn a_preflight_needs_no_token(trial: &mut Trial) -> Verdict {
    let ask = trial.request(Method::OPTIONS, CUSTOMERS).on_behalf_of(None);
    let ask = ask.header("origin", "https://app.example.com").header("access-control-request-method", "GET");
    let reply = trial.send(ask).await?;
    trial.expect(&reply, (200..300).contains(&reply.status), "200 or 204", &reply.seen());
    let origin = reply.header("access-control-allow-origin").to_owned();
    let holds = origin == "*" || origin == "https://app.example.com";
    trial.expect(&reply, holds, "`Access-Control-Allow-Origin: *`", &origin);
    Ok(())
}

/// A method that reads, of another protocol: whoever takes it for something else does no harm with it.
async fn another_method_is_not_allowed(trial: &mut Trial) -> Verdict {
    let Ok(method) = Method::from_bytes(b"PROPFIND") else { return Ok(()) };
    let reply = trial.send(trial.request(method, CUSTOMERS)).await?;
    trial.expect_refusal(&reply, 405, "Method \"PROPFIND\" not allowed.");
    let seen = reply.header("allow").to_owned();
    trial.expect(&reply, allows(&reply, "GET"), "GET in the header `Allow`", &seen);
    Ok(())
}

async fn get_without_the_last_slash_is_moved(trial: &mut Trial) -> Verdict {
    let ask = trial.request(Method::GET, "/api/v1/customers").with("status", "");
    let reply = trial.send(ask).await?;
    let location = reply.header("location").to_owned();
    let (path, query) = location.split_once('?').unwrap_or((&location, ""));
    let sent = reply.asked.split_once('?').map_or("", |(_, query)| query).to_owned();
    let holds = reply.status == 301 && path.ends_with(CUSTOMERS) && query == sent;
    let seen = format!("{} {location}", reply.status);
    trial.expect(&reply, holds, &format!("301 to {CUSTOMERS}?{sent}"), &seen);
    Ok(())
}

fn allows(reply: &Reply, method: &str) -> bool {
    reply.header("allow").split(',').any(|allowed| allowed.trim().eq_ignore_ascii_case(method))
}

/// Whether a method is announced for a path. A refusal that names what is allowed says as much as an answer.
async fn expect_method(trial: &mut Trial, method: Method, path: &str) -> Verdict {
    let reply = trial.send(Ask { body: None, ..trial.request(Method::OPTIONS, path) }).await?;
    if allows(&reply, method.as_str()) {
        return Ok(());
    }
    let allowed = reply.header("allow");
    if !allowed.is_empty() {
        return Err(Stop::Missing(format!("OPTIONS {path} says that there is {allowed}, and no {method}")));
    }
    if reply.status == 404 {
        return Err(Stop::Missing(format!("OPTIONS {path} is answered 404")));
    }
    let reason = "OPTIONS does not say which methods there are; --writes tries them";
    Err(Stop::Skipped(reason.to_owned()))
}

async fn a_customer_can_be_made(trial: &mut Trial) -> Verdict {
    expect_method(trial, Method::POST, CUSTOMERS).await
}

async fn many_customers_can_be_made(trial: &mut Trial) -> Verdict {
    expect_method(trial, Method::POST, "/api/v1/customers/bulk/").await
}

async fn a_customer_can_be_changed(trial: &mut Trial) -> Verdict {
    let path = trial.some_customer()?;
    expect_method(trial, Method::PATCH, &path).await
}

async fn many_customers_can_be_changed(trial: &mut Trial) -> Verdict {
    expect_method(trial, Method::PATCH, "/api/v1/customers/bulk/").await
}

async fn a_customer_can_be_deleted(trial: &mut Trial) -> Verdict {
    let path = trial.some_customer()?;
    expect_method(trial, Method::DELETE, &path).await
}

async fn many_customers_can_be_deleted(trial: &mut Trial) -> Verdict {
    expect_method(trial, Method::POST, "/api/v1/customers/bulk-delete/").await
}

async fn a_call_can_be_made(trial: &mut Trial) -> Verdict {
    expect_method(trial, Method::POST, "/api/v1/calls/").await
}

async fn many_calls_can_be_made(trial: &mut Trial) -> Verdict {
    expect_method(trial, Method::POST, "/api/v1/calls/bulk/").await
}
