//! `callbench locks`: deadlocks and lost updates, provoked on purpose.

mod watch;

use std::io::IsTerminal as _;
use std::path::Path;

use anyhow::bail;
use chrono::{DateTime, Utc};
use cluster::Mode;
use loadgen::labs::locks::{CASES, Case, Lab, Server, Setup};
use reports::labs::locks::{ENOUGH, SCHEMA, Trial, Way, terminal};
use reports::quantity;
use reports::run::Subject;
use tokio_util::sync::CancellationToken;

use crate::cli::{LockLab, Locks, LocksCommand};
use crate::commands::{serve, subject};
use crate::dataset;
use crate::ending::first_failure;
use crate::live::{Finished, Print};
use crate::place::Place;
use crate::reference::Reference;
use crate::results::{self, Limits};
use crate::scratch::{self, Scratch};
use crate::stop::INTERRUPTED;

pub(crate) async fn run(home: &Path, asked: Locks, stop: &CancellationToken) -> anyhow::Result<u8> {
    match asked.command {
        Some(LocksCommand::Watch(asked)) => watch::run(asked, stop).await,
        None => lab(home, &asked.lab, stop).await,
    }
}

async fn lab(home: &Path, asked: &LockLab, stop: &CancellationToken) -> anyhow::Result<u8> {
    if asked.place.database_url.is_some() && !asked.yes_write {
        bail!(
            "the lab writes to the database of --database-url: customers and calls of its own in the workspace {}, and an index \
             on `customer` that it builds and drops; nothing was changed; allow it with --yes-write, or leave out \
             --database-url for a copy in the private cluster",
            asked.workspace
        );
    }
    let limits = Limits::read(asked.budgets.as_deref())?;
    let place = Place::open(home, &asked.place, Mode::Serving).await?;
    let outcome = provoke(&place, asked, stop).await;
    let mut found = first_failure(outcome, place.close().await)?;
    // A trial of fewer transactions than budgets ask for is a look, and no verdict.
    if asked.budgets.is_some() || asked.transactions >= ENOUGH {
        found.verdicts = limits.judge(&found);
    }
    keep_and_print(&found, asked)
}

/// Provokes in a copy of the dataset, or in the given database, and leaves nothing there.
async fn provoke(
    place: &Place,
    asked: &LockLab,
    stop: &CancellationToken,
) -> anyhow::Result<reports::labs::locks::Locks> {
    place.refuse_while_loading()?;
    scratch::sweep(place, stop).await?;
    let started_at = Utc::now();
    let copy = if place.is_private() {
        let url = dataset::at_level(place, serve::level_of(asked.variant), stop).await?;
        Some(Scratch::of(place, &url, stop).await?)
    } else {
        None
    };
    let database_url = copy.as_ref().map_or(place.url(), Scratch::url);
    let outcome = async {
        let provoked = trials(database_url, copy.is_some(), asked, stop).await?;
        let environment = subject::environment(Some(database_url)).await?;
        Ok(result(provoked, environment, copy.is_some(), asked, started_at))
    }
    .await;
    let removed = match copy {
        Some(copy) => copy.remove().await,
        None => Ok(()),
    };
    first_failure(outcome, removed)
}

/// What came of all cases.
struct Provoked {
    trials: Vec<Trial>,
    warnings: Vec<String>,
    complete: bool,
}

async fn trials(
    database_url: &str,
    is_copy: bool,
    asked: &LockLab,
    stop: &CancellationToken,
) -> anyhow::Result<Provoked> {
    let mut lab = Lab::open(Setup {
        database_url: database_url.to_owned(),
        workspace: asked.workspace.clone(),
        threads: asked.threads,
        transactions: asked.transactions,
        may_alter: is_copy,
        stop: stop.clone(),
    })
    .await?;
    let outcome = each_trial(&mut lab, database_url, asked, stop).await;
    // A copy is dropped with all that is in it.
    let cleared = if is_copy { Ok(()) } else { lab.clear().await.map_err(Into::into) };
    first_failure(outcome, cleared)
}

async fn each_trial(
    lab: &mut Lab,
    database_url: &str,
    asked: &LockLab,
    stop: &CancellationToken,
) -> anyhow::Result<Provoked> {
    let mut provoked = Provoked { trials: Vec::new(), warnings: Vec::new(), complete: true };
    let is_asked = |case: &&Case| asked.cases.is_empty() || asked.cases.iter().any(|name| name == case.name);
    for case in CASES.iter().filter(is_asked) {
        if let Some(reason) = lab.lacks(case) {
            provoked.warnings.push(reason);
            continue;
        }
        for way in case.ways() {
            if stop.is_cancelled() {
                provoked.complete = false;
                return Ok(provoked);
            }
            let trial = trial(lab, case, *way, database_url, asked).await?;
            eprintln!("{}", terminal::trial(&trial));
            provoked.trials.push(trial);
        }
    }
    provoked.complete = !stop.is_cancelled();
    Ok(provoked)
}

/// One trial. A server lives for one trial, because what its sessions counted is handed in with their end.
async fn trial(
    lab: &mut Lab,
    case: &'static Case,
    way: Way,
    database_url: &str,
    asked: &LockLab,
) -> anyhow::Result<Trial> {
    let provoked = if way == Way::Api {
        let connections = asked.threads.unwrap_or(case.threads);
        let running = Reference::start(asked.variant, database_url, connections).await?;
        let server = Server { base_url: running.base_url().to_owned(), token: asked.token.clone() };
        let provoked = lab.provoke(case, way, Some(&server)).await.map_err(Into::into);
        first_failure(provoked, running.stop().await)?
    } else {
        lab.provoke(case, way, None).await?
    };
    Ok(lab.count(provoked).await?)
}

fn result(
    provoked: Provoked,
    environment: reports::run::Environment,
    is_copy: bool,
    asked: &LockLab,
    started_at: DateTime<Utc>,
) -> reports::labs::locks::Locks {
    let Provoked { trials, mut warnings, complete } = provoked;
    if asked.transactions < ENOUGH {
        warnings.push(format!(
            "a trial had {} transactions; a zero is worth something from {} on (--transactions)",
            quantity::count(asked.transactions),
            quantity::count(ENOUGH)
        ));
    }
    if !complete {
        warnings.push("it was interrupted; trials that come later are missing".to_owned());
    }
    reports::labs::locks::Locks {
        schema: SCHEMA,
        name: asked.name.clone().unwrap_or_else(|| results::fresh_name("locks")),
        started_at,
        finished_at: Utc::now(),
        command: results::command_line(),
        complete,
        environment,
        subject: Subject {
            name: asked.variant.to_string(),
            level: is_copy.then(|| serve::level_of(asked.variant).to_string()),
            description: format!("the reference server, variant {}", asked.variant),
        },
        workspace: asked.workspace.clone(),
        transactions: asked.transactions,
        cases: Vec::new(),
        trials,
        verdicts: Vec::new(),
        warnings,
    }
    .judged()
}

/// Writes the folder of a result, prints it, returns the exit code.
fn keep_and_print(found: &reports::labs::locks::Locks, asked: &LockLab) -> anyhow::Result<u8> {
    let written = reports::labs::locks::store::locks(found, &asked.runs.join(&found.name))?;
    let exit_code = if found.complete { found.exit_code() } else { INTERRUPTED };
    let kept = Finished {
        name: &found.name,
        verdict: results::verdict(exit_code),
        exit_code,
        result: &written.result,
        report: &written.page,
    };
    results::print_kept(kept, Print::json(asked.json), || {
        terminal::locks(found, std::io::stdout().is_terminal())
    })?;
    Ok(exit_code)
}
