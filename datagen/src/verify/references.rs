//! Ids that refer to rows which are not there, or belong to another workspace. The tables have no foreign keys, so
//! nothing else would notice.
//!
//! Each is one plain anti-join, which `PostgreSQL` hashes and shares among its parallel workers; ids are only asked for
//! where some were counted.

use std::sync::Mutex;

use futures_util::future::try_join_all;
use sqlx::{AssertSqlSafe, PgConnection};

use super::Running;
use super::error::Error;
use super::findings::{Check, Group};
use super::snapshot::Snapshot;

/// A column that refers to a row.
#[derive(Debug, Clone, Copy)]
struct Reference {
    table: &'static str,
    column: &'static str,
    target: &'static str,
    /// What both rows must agree in, beside the id; each column has the same name in both tables.
    agree: &'static [&'static str],
}

const fn to(table: &'static str, column: &'static str, target: &'static str) -> Reference {
    Reference { table, column, target, agree: &[] }
}

const fn within(table: &'static str, column: &'static str, target: &'static str) -> Reference {
    Reference { table, column, target, agree: &["workspace_id"] }
}

/// Every reference of the contract.
const REFERENCES: [Reference; 16] = [
    to("employee", "workspace_id", "workspace"),
    to("label", "workspace_id", "workspace"),
    to("call_campaign", "workspace_id", "workspace"),
    to("customer", "workspace_id", "workspace"),
    to("user_workspace", "workspace_id", "workspace"),
    to("user_workspace", "user_id", "app_user"),
    to("auth_token", "user_id", "app_user"),
    to("app_user", "employee_id", "employee"),
    to("customer_label", "customer_id", "customer"),
    to("customer_label", "label_id", "label"),
    within("customer", "employee_id", "employee"),
    within("call_campaign_customer", "customer_id", "customer"),
    within("call_campaign_customer", "campaign_id", "call_campaign"),
    within("call", "customer_id", "customer"),
    // A call is made for an enrolment of the customer who is called.
    Reference {
        table: "call",
        column: "campaign_customer_id",
        target: "call_campaign_customer",
        agree: &["workspace_id", "customer_id"],
    },
    within("customer_call_stats", "customer_id", "customer"),
];

impl Reference {
    fn is_in(&self, snapshot: &Snapshot) -> bool {
        snapshot.holds(self.table) && snapshot.holds(self.target)
    }

    /// What is wrong with the rows that are counted.
    fn name(&self) -> String {
        let Self { table, column, target, .. } = self;
        let beside: Vec<&str> =
            self.agree.iter().map(|column| column.strip_suffix("_id").unwrap_or(column)).collect();
        let agree =
            if beside.is_empty() { String::new() } else { format!(" of the same {}", beside.join(" and ")) };
        format!("{table}.{column} without its {target}{agree}")
    }

    /// The rows that refer to nothing.
    fn orphans(&self) -> String {
        let Self { table, column, target, .. } = self;
        let agree: Vec<String> =
            self.agree.iter().map(|column| format!(" AND o.{column} = t.{column}")).collect();
        let agree = agree.concat();
        format!(
            "FROM public.{table} t WHERE t.{column} IS NOT NULL
             AND NOT EXISTS (SELECT FROM public.{target} o WHERE o.id = t.{column}{agree})"
        )
    }
}

/// A label is on customers of its own workspace. A customer or a label that does not exist is found above.
const STRAY_LABELS: &str = "FROM public.customer_label t
     JOIN public.customer c ON c.id = t.customer_id JOIN public.label l ON l.id = t.label_id
     WHERE l.workspace_id <> c.workspace_id";

/// A name, where rows that are wrong come from, and the column that names one of them.
struct Question {
    name: String,
    wrong: String,
    id: &'static str,
}

fn questions(snapshot: &Snapshot) -> Vec<Question> {
    let there = REFERENCES.iter().filter(|reference| reference.is_in(snapshot));
    let mut questions: Vec<Question> = there
        .map(|reference| Question {
            name: reference.name(),
            wrong: reference.orphans(),
            id: match reference.table {
                "user_workspace" | "auth_token" => "user_id",
                "customer_label" | "customer_call_stats" => "customer_id",
                _ => "id",
            },
        })
        .collect();
    if ["customer_label", "customer", "label"].into_iter().all(|table| snapshot.holds(table)) {
        questions.push(Question {
            name: "customer_label between a customer and a label of different workspaces".to_owned(),
            wrong: STRAY_LABELS.to_owned(),
            id: "customer_id",
        });
    }
    questions
}

/// How many there are to check.
pub(super) fn count(snapshot: &Snapshot) -> u64 {
    questions(snapshot).len() as u64
}

/// Checks them all, over all connections. Each check is named after the referring column; its examples name the
/// referring rows.
pub(super) async fn check(snapshot: &mut Snapshot, running: &Running<'_>) -> Result<Vec<Check>, Error> {
    let questions = questions(snapshot);
    // The largest tables come last in the list, and should start first.
    let next = Mutex::new((0..questions.len()).rev());
    let answers = Mutex::new(Vec::new());
    let workers = std::mem::take(&mut snapshot.connections).into_iter().map(async |mut conn| {
        loop {
            let at = next.lock().expect("no panic while held").next();
            let Some(at) = at else { return Ok::<_, Error>(conn) };
            let check = ask(&mut conn, &questions[at]).await?;
            answers.lock().expect("no panic while held").push((at, check));
            running.advanced(1, 0);
        }
    });
    snapshot.connections = try_join_all(workers).await?;
    let mut answers = answers.into_inner().expect("no panic while held");
    answers.sort_by_key(|&(at, _)| at);
    Ok(answers.into_iter().map(|(_, check)| check).collect())
}

async fn ask(conn: &mut PgConnection, question: &Question) -> Result<Check, Error> {
    let failed = Error::database("looking for references without a row");
    let Question { name, wrong, id } = question;
    let found: i64 = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) {wrong}")))
        .fetch_one(&mut *conn)
        .await
        .map_err(&failed)?;
    let examples = if found == 0 {
        Vec::new()
    } else {
        sqlx::query_scalar(AssertSqlSafe(format!("SELECT DISTINCT t.{id}::text {wrong} LIMIT 3")))
            .fetch_all(conn)
            .await
            .map_err(&failed)?
    };
    Ok(Check::none(Group::References, name.clone(), found.unsigned_abs(), examples))
}
