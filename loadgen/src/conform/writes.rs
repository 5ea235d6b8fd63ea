//! Making, changing and deleting customers, all of them made for the purpose.

use reqwest::Method;
use serde_json::{Value, json};

use super::ask::{CUSTOMERS, Reply, short};
use super::rows::{id_of, path_of, written_at};
use super::shape::CUSTOMER;
use super::trial::{Stop, Trial, Verdict, nobody};
use super::{Check, checks};

pub(super) const CHECKS: &[Check] = checks! {
    "5" => a_customer_is_made, many_customers_are_made, a_customer_is_changed, many_customers_are_changed,
           a_customer_is_deleted, a_customer_is_made_of_what_was_sent, what_is_not_sent_has_a_default, what_is_required_is_named,
           fields_of_the_server_and_unknown_ones_are_ignored, a_bad_value_is_named_under_its_field,
           attributes_come_back_digit_for_digit, many_are_made_in_the_order_of_the_array,
           one_bad_item_makes_none_of_many, a_patch_changes_what_it_names_and_nothing_else,
           a_bulk_patch_changes_those_there_and_names_the_others, a_deleted_customer_is_gone_everywhere,
           a_bulk_delete_deletes_those_there_and_names_the_others, no_more_than_1000_at_once, writes_are_served_without_the_last_slash;
    "4" => a_body_that_is_no_json_is_refused, a_body_of_another_type_is_refused;
};

const BULK: &str = "/api/v1/customers/bulk/";
const BULK_DELETE: &str = "/api/v1/customers/bulk-delete/";

/// The least that a customer is made of. The name says who made it, should it be found one day.
pub(super) fn named(what: &str) -> Value {
    json!({ "name": format!("callbench conform: {what}"), "phone": "+84 900 000 000" })
}

/// An object with these fields beside its own, or in their place.
pub(super) fn with(mut object: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().into_iter().flatten() {
        object[name] = value.clone();
    }
    object
}

/// Makes a customer. A server that does not offer it is not asked for more.
pub(super) async fn make(trial: &mut Trial, body: &Value) -> Result<Value, Stop> {
    let reply = post(trial, CUSTOMERS, body).await?;
    let customer = reply.json();
    if reply.status == 201 && customer.get("id").is_some() {
        return Ok(customer);
    }
    trial.note(&reply.asked, "201 and the customer", &reply.seen());
    Err(Stop::Over)
}

async fn post(trial: &mut Trial, path: &str, body: &Value) -> Result<Reply, Stop> {
    trial.needs_writes()?;
    trial.offered(trial.request(Method::POST, path).json(body)).await
}

async fn patch(trial: &mut Trial, path: &str, body: &Value) -> Result<Reply, Stop> {
    trial.needs_writes()?;
    trial.offered(trial.request(Method::PATCH, path).json(body)).await
}

// The first five say only whether it can be done at all, because that is what a load depends on.

async fn a_customer_is_made(trial: &mut Trial) -> Verdict {
    make(trial, &named("made")).await.map(drop)
}

async fn many_customers_are_made(trial: &mut Trial) -> Verdict {
    make_many(trial, &["made with another", "made with one"]).await.map(drop)
}

async fn a_customer_is_changed(trial: &mut Trial) -> Verdict {
    let customer = make(trial, &named("to be called something else")).await?;
    let set = json!({ "name": "callbench conform: called something else" });
    let reply = patch(trial, &path_of(&customer), &set).await?;
    let body = reply.json();
    let holds = reply.status == 200 && body["id"] == customer["id"] && body["name"] == set["name"];
    trial.expect(&reply, holds, "200 and the customer as changed", &reply.seen());
    Ok(())
}

async fn many_customers_are_changed(trial: &mut Trial) -> Verdict {
    let customer = make(trial, &named("to be changed with others")).await?;
    let body = json!({ "ids": [customer["id"]], "set": { "status": "inactive" } });
    let reply = patch(trial, BULK, &body).await?;
    let holds = reply.status == 200 && reply.json()["updated"] == 1;
    trial.expect(&reply, holds, "200 with `updated` 1", &reply.seen());
    Ok(())
}

async fn a_customer_is_deleted(trial: &mut Trial) -> Verdict {
    let customer = make(trial, &named("to be deleted at once")).await?;
    let reply = trial.offered(trial.request(Method::DELETE, &path_of(&customer))).await?;
    trial.expect(&reply, reply.status == 204, "204", &reply.seen());
    Ok(())
}

async fn a_customer_is_made_of_what_was_sent(trial: &mut Trial) -> Verdict {
    let more = json!({
        "email": "conform@example.com", "carrier": "Viettel", "status": "pending", "quality": "hot",
        "call_status": "failed", "duration": 1.5, "is_test": true, "checked": true,
        "other_attributes": { "made_by": "callbench conform" },
    });
    let body = with(named("made of what was sent"), &more);
    let reply = post(trial, CUSTOMERS, &body).await?;
    trial.expect(&reply, reply.status == 201, "201 and the customer", &reply.seen());
    let made = reply.json();
    trial.expect_fields(&reply.asked, &made, &body);
    trial.expect_shape(&reply.asked, &made, CUSTOMER);
    let read = trial.send(trial.request(Method::GET, &path_of(&made))).await?;
    trial.expect(&read, read.json() == made, "the customer as the answer to its making", &read.seen());
    // Newer ones may have been made meanwhile, by others.
    let list = trial.list(&[("page_size", "50")]).await?;
    let there = trial.read(&list)?.ids().contains(&id_of(&made));
    trial.expect(&list, there, &format!("the new customer {} on top", id_of(&made)), "not on the first page");
    Ok(())
}

async fn what_is_not_sent_has_a_default(trial: &mut Trial) -> Verdict {
    let made = make(trial, &named("with defaults")).await?;
    let expected = json!({
        "email": null, "carrier": null, "duration": 0.0, "is_test": false, "checked": false, "is_deleted": false,
        "other_attributes": {}, "tags": [], "employee": null, "latest_call": null, "total_calls": 0,
    });
    let asked = format!("POST {CUSTOMERS}");
    trial.expect_fields(&asked, &made, &expected);
    Ok(())
}

async fn what_is_required_is_named(trial: &mut Trial) -> Verdict {
    let reply = post(trial, CUSTOMERS, &json!({})).await?;
    let required = json!(["This field is required."]);
    trial.expect_answer(&reply, 400, &json!({ "name": required, "phone": required }));
    Ok(())
}

async fn fields_of_the_server_and_unknown_ones_are_ignored(trial: &mut Trial) -> Verdict {
    let foreign = json!({
        "id": nobody(), "workspace_id": nobody(), "is_deleted": true, "created_at": "2000-01-01T00:00:00.000000Z",
        "total_calls": 7, "no_such_field": 1,
    });
    let body = with(named("with fields that are not its own"), &foreign);
    let reply = post(trial, CUSTOMERS, &body).await?;
    trial.expect(&reply, reply.status == 201, "201 and the customer", &reply.seen());
    let made = reply.json();
    for (name, value) in foreign.as_object().into_iter().flatten() {
        let expected = format!("`{name}` to be the server's, not what was sent");
        trial.expect(&reply, made.get(name) != Some(value), &expected, &value.to_string());
    }
    Ok(())
}

async fn a_bad_value_is_named_under_its_field(trial: &mut Trial) -> Verdict {
    for (field, value) in [
        ("name", json!(null)),
        ("status", json!("no-such-status")),
        ("duration", json!("long")),
        ("is_test", json!("maybe")),
        ("employee_id", json!(nobody())),
        ("label_ids", json!([nobody()])),
        ("phone", json!("1".repeat(21))),
    ] {
        let mut body = named("with a bad value");
        body[field] = value.clone();
        let reply = post(trial, CUSTOMERS, &body).await?;
        let told = reply.json();
        let only = told.as_object().is_some_and(|told| told.keys().eq([field]));
        let expected = format!("400 with `{field}` for {}", short(&value.to_string()));
        trial.expect(&reply, reply.status == 400 && only, &expected, &reply.seen());
    }
    Ok(())
}

async fn attributes_come_back_digit_for_digit(trial: &mut Trial) -> Verdict {
    trial.needs_writes()?;
    let (big, exact) = ("12345678901234567890", "1.10");
    let body = named("with digits").to_string();
    let attributes = format!(r#","other_attributes":{{"big":{big},"exact":{exact}}}}}"#);
    let body = format!("{}{attributes}", body.trim_end_matches('}'));
    let reply = trial.offered(trial.request(Method::POST, CUSTOMERS).text("application/json", &body)).await?;
    let read = trial.send(trial.request(Method::GET, &path_of(&reply.json()))).await?;
    for answer in [reply, read] {
        for (name, digits) in [("big", big), ("exact", exact)] {
            let seen = written_at(&answer.text, &["other_attributes", name]).unwrap_or_default();
            let expected = format!("`other_attributes.{name}` to be {digits}");
            trial.expect(&answer, seen == digits, &expected, &seen);
        }
    }
    Ok(())
}

/// Makes some customers, and gives their ids.
async fn make_many(trial: &mut Trial, names: &[&str]) -> Result<Vec<String>, Stop> {
    let body: Vec<Value> = names.iter().map(|name| named(name)).collect();
    let reply = post(trial, BULK, &json!(body)).await?;
    let answer = reply.json();
    let ids: Option<Vec<String>> =
        answer["ids"].as_array().map(|ids| ids.iter().map(super::ask::text_of).collect());
    let ids = ids.filter(|ids| ids.len() == names.len());
    let holds = reply.status == 201 && answer["created"] == names.len() && ids.is_some();
    trial.expect(
        &reply,
        holds,
        &format!("201 with `created` {} and as many `ids`", names.len()),
        &reply.seen(),
    );
    ids.ok_or(Stop::Over)
}

async fn many_are_made_in_the_order_of_the_array(trial: &mut Trial) -> Verdict {
    let names = ["first of many", "second of many", "third of many"];
    let ids = make_many(trial, &names).await?;
    for (id, name) in ids.iter().zip(names) {
        let reply = trial.send(trial.request(Method::GET, &format!("{CUSTOMERS}{id}/"))).await?;
        trial.expect_value(&reply.asked, "name", &reply.json()["name"], &named(name)["name"]);
    }
    let reply = post(trial, BULK, &json!([])).await?;
    trial.expect(&reply, reply.status == 400, "400 for an empty array", &reply.seen());
    Ok(())
}

async fn one_bad_item_makes_none_of_many(trial: &mut Trial) -> Verdict {
    let good = named(&format!("beside a bad one, {}", nobody()));
    let reply = post(trial, BULK, &json!([good, { "phone": "1" }])).await?;
    trial.expect_answer(&reply, 400, &json!([{}, { "name": ["This field is required."] }]));
    let list = trial.list(&[("page_size", "50")]).await?;
    let made = trial.read(&list)?.rows.iter().any(|row| row["name"] == good["name"]);
    trial.expect(&list, !made, "neither of two customers, because one was bad", "the good one");
    Ok(())
}

async fn a_patch_changes_what_it_names_and_nothing_else(trial: &mut Trial) -> Verdict {
    let before = make(trial, &named("to be changed")).await?;
    let set = json!({ "status": "blocked", "email": "changed@example.com", "duration": 2.5 });
    let reply = patch(trial, &path_of(&before), &set).await?;
    trial.expect(&reply, reply.status == 200, "200 and the customer", &reply.seen());
    let after = reply.json();
    let newer = after["updated_at"].as_str() > before["updated_at"].as_str();
    trial.expect(&reply, newer, "a later `updated_at`", &after["updated_at"].to_string());
    let mut expected = with(before, &set);
    expected["updated_at"] = after["updated_at"].clone();
    trial.expect_fields(&reply.asked, &after, &expected);
    let read = trial.send(trial.request(Method::GET, &path_of(&expected))).await?;
    trial.expect(&read, read.json() == after, "the customer as the answer to its change", &read.seen());
    Ok(())
}

async fn a_bulk_patch_changes_those_there_and_names_the_others(trial: &mut Trial) -> Verdict {
    let (one, two) = (
        make(trial, &named("first to be changed")).await?,
        make(trial, &named("second to be changed")).await?,
    );
    let nobody = nobody();
    let body = json!({ "ids": [one["id"], nobody, two["id"]], "set": { "status": "inactive" } });
    let reply = patch(trial, BULK, &body).await?;
    trial.expect_answer(&reply, 200, &json!({ "updated": 2, "missing": [nobody] }));
    for customer in [one, two] {
        let read = trial.send(trial.request(Method::GET, &path_of(&customer))).await?;
        trial.expect_value(&read.asked, "status", &read.json()["status"], &json!("inactive"));
    }
    Ok(())
}

/// A customer that was deleted, as it is to be seen everywhere.
async fn expect_gone(trial: &mut Trial, customer: &Value) -> Verdict {
    let path = path_of(customer);
    for method in [Method::GET, Method::DELETE] {
        let reply = trial.send(trial.request(method, &path)).await?;
        trial.expect_refusal(&reply, 404, "Not found.");
    }
    let reply = trial.send(trial.request(Method::PATCH, &path).json(&json!({ "name": "back" }))).await?;
    trial.expect_refusal(&reply, 404, "Not found.");
    let list = trial.list(&[("page_size", "50")]).await?;
    let there = trial.read(&list)?.ids().contains(&id_of(customer));
    trial.expect(&list, !there, &format!("the deleted customer {} no more", id_of(customer)), "it is there");
    Ok(())
}

async fn a_deleted_customer_is_gone_everywhere(trial: &mut Trial) -> Verdict {
    let customer = make(trial, &named("to be deleted")).await?;
    let reply = trial.offered(trial.request(Method::DELETE, &path_of(&customer))).await?;
    trial.expect(&reply, reply.text.is_empty(), "no body", &reply.seen());
    expect_gone(trial, &customer).await
}

async fn a_bulk_delete_deletes_those_there_and_names_the_others(trial: &mut Trial) -> Verdict {
    let customer = make(trial, &named("to be deleted with others")).await?;
    let nobody = nobody();
    let reply = post(trial, BULK_DELETE, &json!({ "ids": [nobody, customer["id"]] })).await?;
    trial.expect_answer(&reply, 200, &json!({ "deleted": 1, "missing": [nobody] }));
    expect_gone(trial, &customer).await
}

async fn writes_are_served_without_the_last_slash(trial: &mut Trial) -> Verdict {
    let reply = post(trial, CUSTOMERS.trim_end_matches('/'), &named("without the slash")).await?;
    trial.expect(&reply, reply.status == 201, "201 and the customer", &reply.seen());
    Ok(())
}

async fn a_body_that_is_no_json_is_refused(trial: &mut Trial) -> Verdict {
    trial.needs_writes()?;
    let ask = trial.request(Method::POST, CUSTOMERS).text("application/json", r#"{"name": "#);
    let reply = trial.offered(ask).await?;
    let told = reply.json()["detail"].as_str().is_some_and(|told| told.starts_with("JSON parse error - "));
    trial.expect(&reply, reply.status == 400 && told, "400 with `JSON parse error - …`", &reply.seen());
    Ok(())
}

async fn a_body_of_another_type_is_refused(trial: &mut Trial) -> Verdict {
    trial.needs_writes()?;
    let ask = trial.request(Method::POST, CUSTOMERS).text("text/plain", &named("as text").to_string());
    let reply = trial.offered(ask).await?;
    trial.expect(&reply, reply.status == 415, "415", &reply.seen());
    Ok(())
}

/// The ids are nobody's, so that a server that knows no limit changes nothing.
async fn no_more_than_1000_at_once(trial: &mut Trial) -> Verdict {
    let ids: Vec<String> = std::iter::repeat_with(nobody).take(1_001).collect();
    let set = json!({ "status": "inactive" });
    let reply = patch(trial, BULK, &json!({ "ids": ids, "set": set })).await?;
    trial.expect(&reply, reply.status == 400, "400 for 1,001 ids", &reply.seen());
    let reply = post(trial, BULK_DELETE, &json!({ "ids": ids })).await?;
    trial.expect(&reply, reply.status == 400, "400 for 1,001 ids", &reply.seen());
    let reply = patch(trial, BULK, &json!({ "ids": ids[1..], "set": set })).await?;
    trial.expect_answer(&reply, 200, &json!({ "updated": 0, "missing": ids[1..] }));
    Ok(())
}
