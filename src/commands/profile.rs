//! `callbench profile`: requests that the server is asked to explain, shown, kept, and held against assertions.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::Utc;
use cluster::Mode;
use loadgen::{Asked, Inquiry, Profiled, Profiles, Target};
use reports::profile::{SCHEMA, Server, Session};
use tokio_util::sync::CancellationToken;

use crate::cli::Profile;
use crate::commands::serve;
use crate::dataset;
use crate::ending::first_failure;
use crate::live::{Finished, Print};
use crate::place::Place;
use crate::reference::Reference;
use crate::results;
use crate::stop::Interrupted;

/// Connections of a server that is asked one thing at a time, and explains on a second one.
const POOL_SIZE: u32 = 4;

pub(crate) async fn run(home: &Path, profile: Profile, stop: &CancellationToken) -> anyhow::Result<u8> {
    let inquiry = Inquiry {
        asked: Asked::read(&profile.asked, &profile.described.catalogue()?)?,
        explain: profile.explain || !profile.no_explain,
        requests: profile.requests,
        repeat: profile.repeat,
    };
    let sessions = match &profile.target {
        Some(base_url) => {
            let server = Server { name: "target".to_owned(), level: None, base_url: base_url.clone() };
            ask(&profile, &inquiry, server, stop).await?
        }
        None => ours(home, &profile, &inquiry, stop).await?,
    };
    keep_and_print(&sessions, &profile)
}

/// The reference server, started for the purpose.
async fn ours(
    home: &Path,
    profile: &Profile,
    inquiry: &Inquiry,
    stop: &CancellationToken,
) -> anyhow::Result<Vec<Session>> {
    let place = Place::open(home, &profile.place, Mode::Serving).await?;
    let outcome = async {
        place.refuse_while_loading()?;
        dataset::require(&place).await?;
        let level = profile.level.unwrap_or_else(|| serve::level_of(profile.variant));
        // A URL is taken as it is.
        let database_url = if place.is_private() {
            dataset::at_level(&place, level, stop).await?
        } else {
            place.url().to_owned()
        };
        let running = Reference::start(profile.variant, &database_url, POOL_SIZE).await?;
        let server = Server {
            name: profile.variant.to_string(),
            level: place.is_private().then(|| level.to_string()),
            base_url: running.base_url().to_owned(),
        };
        let sessions = ask(profile, inquiry, server, stop).await;
        first_failure(sessions, running.stop().await)
    }
    .await;
    first_failure(outcome, place.close().await)
}

/// Asks, and of each request picks the median and judges.
async fn ask(
    profile: &Profile,
    inquiry: &Inquiry,
    server: Server,
    stop: &CancellationToken,
) -> anyhow::Result<Vec<Session>> {
    let target = Target {
        page_size: profile.page_size,
        ..Target::new(&server.name, &server.base_url, &profile.token, &profile.workspace)
    };
    let started_at = Utc::now();
    let profiled = tokio::select! {
        () = stop.cancelled() => return Err(Interrupted.into()),
        profiled = loadgen::profile(inquiry, &target) => profiled?,
    };
    let Profiles { requests, warnings } = profiled;
    for sentence in warnings {
        eprintln!("warning: {sentence}");
    }
    let (name, finished_at) = (results::fresh_name("profile"), Utc::now());
    let session = |Profiled { operation, path, warm_up, repeats }: Profiled| {
        let median = reports::profile::median(&repeats);
        Session {
            schema: SCHEMA,
            name: name.clone(),
            started_at,
            finished_at,
            callbench: env!("CARGO_PKG_VERSION").to_owned(),
            command: results::command_line(),
            asked: operation.unwrap_or_else(|| profile.asked.clone()),
            path,
            server: server.clone(),
            verdicts: reports::profile::judge(&profile.assertions, &repeats, median),
            warm_up,
            repeats,
            median,
        }
    };
    Ok(requests.into_iter().map(session).collect())
}

/// Writes the folder of a session, or of each of several; prints, returns the exit code.
fn keep_and_print(sessions: &[Session], profile: &Profile) -> anyhow::Result<u8> {
    let folder = |name: &str| profile.out.clone().unwrap_or_else(|| PathBuf::from("runs").join(name));
    let color = std::io::stdout().is_terminal();
    match sessions {
        [] => {}
        [session] => {
            let written = reports::profile::store::write(session, &folder(&session.name))?;
            let kept = Finished {
                name: &session.name,
                verdict: results::verdict(reports::profile::exit_code(&session.verdicts)),
                exit_code: reports::profile::exit_code(&session.verdicts),
                result: &written.result,
                report: &written.page,
            };
            let table = || reports::profile::terminal::table(session, color);
            results::print_kept(kept, Print::json(profile.json), table)?;
        }
        several @ [first, ..] => {
            let folder = folder(&first.name);
            for (session, number) in several.iter().zip(1..) {
                // The part of a mix stands behind a slash.
                let name = format!("{number:02}-{}", session.asked.replace('/', "-"));
                reports::profile::store::write(session, &folder.join(name))?;
            }
            if profile.json {
                let several = serde_json::to_string_pretty(several).context("the profiles are no JSON")?;
                results::put(&format!("{several}\n"))?;
            } else {
                let pages = folder.join("*").join(reports::profile::store::PAGE);
                let table = reports::profile::terminal::overview(several, color);
                results::put(&format!("{table}\nPages: {}\n", pages.display()))?;
            }
        }
    }
    let verdicts: Vec<_> = sessions.iter().flat_map(|session| session.verdicts.iter().cloned()).collect();
    Ok(reports::profile::exit_code(&verdicts))
}
