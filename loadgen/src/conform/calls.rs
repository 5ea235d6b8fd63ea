//! Adding calls to customers that were made for the purpose, and what they do to a customer's numbers.

use reqwest::Method;
use serde_json::{Value, json};

use super::ask::{Reply, short};
use super::rows::{money, path_of, written_at};
use super::shape::CALL;
use super::trial::{Stop, Trial, Verdict, nobody};
use super::writes::{make, named, with};
use super::{Check, checks};

pub(super) const CHECKS: &[Check] = checks! {
    "5" => a_call_is_made, a_call_is_made_of_what_was_sent, many_calls_are_made_at_once, a_call_of_nobody_is_refused,
           what_is_required_of_a_call_is_named;
    "3" => calls_are_counted_by_their_status, a_call_costs_its_rate_rounded_half_up;
};

const CALLS: &str = "/api/v1/calls/";
const BULK: &str = "/api/v1/calls/bulk/";

async fn post(trial: &mut Trial, path: &str, body: &Value) -> Result<Reply, Stop> {
    trial.needs_writes()?;
    trial.offered(trial.request(Method::POST, path).json(body)).await
}

fn call(customer: &Value) -> Value {
    json!({ "customer_id": customer["id"], "direction": "outbound", "status": "completed", "call_type": "campaign" })
}

async fn make_call(trial: &mut Trial, customer: &Value, more: &Value) -> Verdict {
    let reply = post(trial, CALLS, &with(call(customer), more)).await?;
    trial.expect(&reply, reply.status == 201, "201 and the call", &reply.seen());
    Ok(())
}

async fn read(trial: &mut Trial, customer: &Value) -> Result<Reply, Stop> {
    trial.offered(trial.request(Method::GET, &path_of(customer))).await
}

async fn a_call_is_made(trial: &mut Trial) -> Verdict {
    let customer = make(trial, &named("who is called at all")).await?;
    let reply = post(trial, CALLS, &call(&customer)).await?;
    let holds = reply.status == 201 && reply.json().get("id").is_some();
    trial.expect(&reply, holds, "201 and the call", &reply.seen());
    Ok(())
}

async fn a_call_is_made_of_what_was_sent(trial: &mut Trial) -> Verdict {
    let customer = make(trial, &named("who is called")).await?;
    let more = json!({
        "duration": 59.5, "duration_seconds": 60, "transcript": "Xin chào.", "sentiment_score": -0.25,
    });
    let sent = with(call(&customer), &more);
    let reply = post(trial, CALLS, &sent).await?;
    trial.expect(&reply, reply.status == 201, "201 and the call", &reply.seen());
    let made = reply.json();
    trial.expect_fields(&reply.asked, &made, &sent);
    trial.expect_shape(&reply.asked, &made, CALL);
    let reply = read(trial, &customer).await?;
    trial.expect_value(&reply.asked, "latest_call.id", &reply.json()["latest_call"]["id"], &made["id"]);
    Ok(())
}

async fn many_calls_are_made_at_once(trial: &mut Trial) -> Verdict {
    let customer = make(trial, &named("who is called twice")).await?;
    let reply = post(trial, BULK, &json!([call(&customer), call(&customer)])).await?;
    let body = reply.json();
    let ids = body["ids"].as_array().map_or(0, Vec::len);
    let holds = reply.status == 201 && body["created"] == 2 && ids == 2;
    trial.expect(&reply, holds, "201 with `created` 2 and as many `ids`", &reply.seen());
    let reply = post(trial, BULK, &json!([call(&customer), {}])).await?;
    let first = reply.json()[0].clone();
    let holds = reply.status == 400 && first == json!({});
    trial.expect(&reply, holds, "400 with {} for the good one", &reply.seen());
    let reply = read(trial, &customer).await?;
    trial.expect_value(&reply.asked, "total_calls", &reply.json()["total_calls"], &json!(2));
    Ok(())
}

async fn a_call_of_nobody_is_refused(trial: &mut Trial) -> Verdict {
    let nobody = nobody();
    let reply = post(trial, CALLS, &call(&json!({ "id": nobody }))).await?;
    let holds = reply.status == 400 && reply.json()["customer_id"].is_array();
    trial.expect(&reply, holds, "400 with what is wrong with `customer_id`", &reply.seen());
    Ok(())
}

async fn what_is_required_of_a_call_is_named(trial: &mut Trial) -> Verdict {
    let reply = post(trial, CALLS, &json!({})).await?;
    let required = json!(["This field is required."]);
    let expected = json!({
        "customer_id": required, "direction": required, "status": required, "call_type": required,
    });
    trial.expect_answer(&reply, 400, &expected);
    Ok(())
}

async fn calls_are_counted_by_their_status(trial: &mut Trial) -> Verdict {
    let customer = make(trial, &named("whose calls are counted")).await?;
    for (status, call_type, seconds) in [
        ("completed", "campaign", 30),
        ("missed", "direct", 0),
        ("busy", "callback", 0),
        ("completed", "direct", 12),
    ] {
        let more = json!({ "status": status, "call_type": call_type, "duration_seconds": seconds });
        make_call(trial, &customer, &more).await?;
    }
    let reply = read(trial, &customer).await?;
    let seen = reply.json();
    let expected = json!({
        "total_calls": 4, "total_duration_seconds": 42, "calls_last_30_days": 4, "successful_calls": 2,
        "missed_calls": 1,
    });
    trial.expect_fields(&reply.asked, &seen, &expected);
    let campaign = &seen["campaign_stats"]["total_campaign_calls"];
    trial.expect_value(&reply.asked, "campaign_stats.total_campaign_calls", campaign, &json!(1));
    Ok(())
}

/// 1.0001 a minute for 90 s is 1.50015, which lies in the middle between two amounts of four decimals.
async fn a_call_costs_its_rate_rounded_half_up(trial: &mut Trial) -> Verdict {
    let customer = make(trial, &named("whose calls cost")).await?;
    for (call_type, rate, seconds) in
        [("campaign", Some("1.0001"), 90), ("direct", Some("0.5000"), 60), ("callback", None, 60)]
    {
        let more = json!({ "call_type": call_type, "billing_rate": rate, "duration_seconds": seconds });
        make_call(trial, &customer, &more).await?;
    }
    let reply = read(trial, &customer).await?;
    for (path, amount) in [
        (&["billing_summary", "billing_breakdown", "campaign"][..], "1.5002"),
        (&["billing_summary", "billing_breakdown", "direct"], "0.50"),
        (&["billing_summary", "billing_breakdown", "callback"], "0.00"),
        (&["billing_summary", "total_cost"], "2.0002"),
        (&["billing_summary", "cost_this_month"], "2.0002"),
    ] {
        let seen = written_at(&reply.text, path).unwrap_or_default();
        let holds = money(&seen).is_some() && money(&seen) == money(amount);
        trial.expect(&reply, holds, &format!("`{}` to be {amount}", path.join(".")), &short(&seen));
    }
    Ok(())
}
