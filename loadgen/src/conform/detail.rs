//! One customer.

use reqwest::Method;
use serde_json::Value;

use super::ask::{CUSTOMERS, short};
use super::rows::{id_of, path_of};
use super::trial::{Trial, Verdict, nobody};
use super::{Check, checks};

pub(super) const CHECKS: &[Check] = checks! {
    "5" => a_customer_of_the_list_can_be_read, a_customer_is_the_same_alone_and_in_the_list;
    "4" => a_customer_that_there_is_not_is_not_found;
};

async fn a_customer_of_the_list_can_be_read(trial: &mut Trial) -> Verdict {
    let (row, path) = (trial.some_row()?, trial.some_customer()?);
    let reply = trial.offered(trial.request(Method::GET, &path)).await?;
    let holds = reply.status == 200 && reply.json()["id"] == row["id"];
    trial.expect(&reply, holds, &format!("200 and the customer {}", id_of(&row)), &reply.seen());
    Ok(())
}

/// How often the two are read before a difference counts: somebody may write between them.
const TRIES: usize = 3;

async fn a_customer_is_the_same_alone_and_in_the_list(trial: &mut Trial) -> Verdict {
    trial.needs_rows(1)?;
    let mut last = None;
    for _ in 0..TRIES {
        let page = trial.page(&[("page_size", "1")]).await?;
        let Some(row) = page.rows.first() else { return trial.needs_rows(usize::MAX) };
        let path = path_of(row);
        let reply = trial.offered(trial.request(Method::GET, &path)).await?;
        // Digit for digit where the server writes both with one hand, and by their values where it does not.
        let alone = reply.json();
        if alone == *row {
            return Ok(());
        }
        last = Some((reply, row.clone(), alone));
    }
    let Some((reply, row, alone)) = last else { return Ok(()) };
    trial.expect(&reply, reply.status == 200, "200", &reply.seen());
    for (name, value) in row.as_object().into_iter().flatten() {
        let seen = alone.get(name).unwrap_or(&Value::Null);
        let expected = format!("`{name}` to be {}, as in the list", short(&value.to_string()));
        trial.expect(&reply, seen == value, &expected, &seen.to_string());
    }
    Ok(())
}

async fn a_customer_that_there_is_not_is_not_found(trial: &mut Trial) -> Verdict {
    // Without the endpoint everything is not found.
    let path = trial.some_customer()?;
    trial.offered(trial.request(Method::GET, &path)).await?;
    for id in [nobody().as_str(), "no-uuid", "1"] {
        let reply = trial.send(trial.request(Method::GET, &format!("{CUSTOMERS}{id}/"))).await?;
        trial.expect_refusal(&reply, 404, "Not found.");
    }
    Ok(())
}
