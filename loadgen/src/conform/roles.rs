//! Employees see the customers that are assigned to them, and nothing else.

use reqwest::Method;
use serde_json::{Value, json};

use super::ask::{Ask, CUSTOMERS};
use super::errors::FORBIDDEN;
use super::rows::{id_of, path_of};
use super::trial::{Stop, Trial, Verdict};
use super::{Check, checks};

pub(super) const CHECKS: &[Check] = checks! {
    "4" => an_employee_sees_their_own_customers, an_employee_does_not_find_the_customers_of_others,
           an_employee_gets_their_own_numbers;
    "5" => an_employee_neither_makes_nor_deletes, an_employee_changes_their_own_customers_only;
};

/// A request of the employee.
fn as_employee(trial: &Trial, method: Method, path: &str) -> Result<Ask, Stop> {
    let Some(token) = trial.server().examination().employee_token.clone() else {
        return Err(Stop::Skipped("it takes --employee-token, of an employee with customers".into()));
    };
    Ok(trial.request(method, path).on_behalf_of(Some(&token)))
}

/// The rows of the employee's first page.
async fn own(trial: &mut Trial) -> Result<Vec<Value>, Stop> {
    let ask = as_employee(trial, Method::GET, CUSTOMERS)?.with("page_size", "50");
    let reply = trial.send(ask).await?;
    Ok(trial.read(&reply)?.rows)
}

/// A customer of the first page who is somebody else's.
fn of_others(trial: &Trial, own: &[Value]) -> Result<Value, Stop> {
    let employee = own.first().map(|row| row["employee"]["id"].clone()).unwrap_or_default();
    let rows = &trial.server().first().rows;
    let other = rows.iter().find(|row| row["employee"]["id"] != employee);
    other
        .cloned()
        .ok_or_else(|| Stop::Skipped("it takes a customer of somebody else on the first page".into()))
}

async fn an_employee_sees_their_own_customers(trial: &mut Trial) -> Verdict {
    let ask = as_employee(trial, Method::GET, CUSTOMERS)?.with("page_size", "50");
    let reply = trial.send(ask).await?;
    let rows = trial.read(&reply)?.rows;
    let Some(first) = rows.first() else {
        trial.note(&reply.asked, "customers, or 403 for an employee without any", "an empty page");
        return Ok(());
    };
    let employee = first["employee"]["id"].clone();
    let stray = rows.iter().find(|row| row["employee"].is_null() || row["employee"]["id"] != employee);
    let seen = stray.map_or_else(String::new, |row| format!("{} of {}", id_of(row), row["employee"]));
    trial.expect(&reply, stray.is_none(), &format!("only customers of the employee {employee}"), &seen);
    Ok(())
}

async fn an_employee_does_not_find_the_customers_of_others(trial: &mut Trial) -> Verdict {
    let own = own(trial).await?;
    let other = of_others(trial, &own)?;
    let path = path_of(&other);
    trial.offered(trial.request(Method::GET, &path)).await?;
    let reply = trial.send(as_employee(trial, Method::GET, &path)?).await?;
    trial.expect_refusal(&reply, 404, "Not found.");
    Ok(())
}

async fn an_employee_gets_their_own_numbers(trial: &mut Trial) -> Verdict {
    let own = own(trial).await?;
    of_others(trial, &own)?;
    let path = format!("/api/v1/workspaces/{}/", trial.server().examination().workspace);
    let all = trial.offered(trial.request(Method::GET, &path).in_workspace(None)).await?;
    let reply = trial.send(as_employee(trial, Method::GET, &path)?.in_workspace(None)).await?;
    let (all, seen) = (all.json()["customer_count"].clone(), reply.json()["customer_count"].clone());
    let holds = seen.as_u64().is_some_and(|seen| seen >= own.len() as u64 && Some(seen) < all.as_u64());
    trial.expect(
        &reply,
        holds,
        &format!("`customer_count` below {all}, which is everybody's"),
        &seen.to_string(),
    );
    Ok(())
}

async fn an_employee_neither_makes_nor_deletes(trial: &mut Trial) -> Verdict {
    trial.needs_writes()?;
    let own = own(trial).await?;
    let ask = as_employee(trial, Method::POST, CUSTOMERS)?.json(&super::writes::named("made by an employee"));
    let reply = trial.offered(ask).await?;
    trial.expect_refusal(&reply, 403, FORBIDDEN);
    // Nobody's customer, so that a server that lets it pass deletes nothing.
    let body = json!({ "ids": [super::trial::nobody()] });
    let ask = as_employee(trial, Method::POST, "/api/v1/customers/bulk-delete/")?.json(&body);
    let reply = trial.offered(ask).await?;
    trial.expect_refusal(&reply, 403, FORBIDDEN);
    drop(own);
    Ok(())
}

async fn an_employee_changes_their_own_customers_only(trial: &mut Trial) -> Verdict {
    trial.needs_writes()?;
    as_employee(trial, Method::GET, CUSTOMERS)?;
    // Made for the purpose, and nobody's.
    let customer = super::writes::make(trial, &super::writes::named("nobody's")).await?;
    let path = path_of(&customer);
    let ask = as_employee(trial, Method::PATCH, &path)?.json(&json!({ "name": "taken" }));
    let reply = trial.send(ask).await?;
    trial.expect_refusal(&reply, 404, "Not found.");
    let own = own(trial).await?;
    let Some(employee) = own.first().map(|row| row["employee"]["id"].clone()) else { return Ok(()) };
    let mut body = super::writes::named("the employee's");
    body["employee_id"] = employee;
    let customer = super::writes::make(trial, &body).await?;
    let path = path_of(&customer);
    let ask = as_employee(trial, Method::PATCH, &path)?.json(&json!({ "status": "blocked" }));
    let reply = trial.send(ask).await?;
    let holds = reply.status == 200 && reply.json()["status"] == "blocked";
    trial.expect(&reply, holds, "200 and the customer with `status` blocked", &reply.seen());
    Ok(())
}
