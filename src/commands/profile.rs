//! `callbench profile`: one request that the server is asked to explain, shown, kept, and held against assertions.

use std::fs;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use chrono::Utc;
use cluster::Mode;
use loadgen::{Asked, Inquiry, Profiled, Target};
use reports::profile::{SCHEMA, Server, Session};
use tokio_util::sync::CancellationToken;

use crate::cli::Profile;
use crate::commands::serve;
use crate::dataset;
use crate::place::Place;
use crate::reference::Reference;
use crate::results;

/// Connections of a server that is asked one thing at a time, and explains on a second one.
const POOL_SIZE: u32 = 4;

pub(crate) async fn run(home: &Path, profile: Profile, stop: &CancellationToken) -> anyhow::Result<u8> {
    let inquiry = Inquiry {
        asked: Asked::read(&profile.asked)?,
        explain: profile.explain || !profile.no_explain,
        requests: profile.repeat,
    };
    let session = match &profile.target {
        Some(base_url) => {
            let server = Server { name: "target".to_owned(), level: None, base_url: base_url.clone() };
            ask(&profile, &inquiry, server, stop).await?
        }
        None => ours(home, &profile, &inquiry, stop).await?,
    };
    keep_and_print(&session, &profile)
}

/// The reference server, started for the purpose.
async fn ours(
    home: &Path,
    profile: &Profile,
    inquiry: &Inquiry,
    stop: &CancellationToken,
) -> anyhow::Result<Session> {
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
        let session = ask(profile, inquiry, server, stop).await;
        running.stop().await?;
        session
    }
    .await;
    place.close().await?;
    outcome
}

/// Asks, picks the median, judges.
async fn ask(
    profile: &Profile,
    inquiry: &Inquiry,
    server: Server,
    stop: &CancellationToken,
) -> anyhow::Result<Session> {
    let target = Target {
        page_size: profile.page_size,
        ..Target::new(&server.name, &server.base_url, &profile.token, &profile.workspace)
    };
    let started_at = Utc::now();
    let profiled = tokio::select! {
        () = stop.cancelled() => bail!("interrupted"),
        profiled = loadgen::profile(inquiry, &target) => profiled?,
    };
    let Profiled { path, warm_up, repeats } = profiled;
    let median = reports::profile::median(&repeats);
    Ok(Session {
        schema: SCHEMA,
        name: results::fresh_name("profile"),
        started_at,
        finished_at: Utc::now(),
        callbench: env!("CARGO_PKG_VERSION").to_owned(),
        command: results::command_line(),
        asked: profile.asked.clone(),
        path,
        server,
        verdicts: reports::profile::judge(&profile.assertions, &repeats, median),
        warm_up,
        repeats,
        median,
    })
}

/// Writes the folder of a session, prints it, returns the exit code.
fn keep_and_print(session: &Session, profile: &Profile) -> anyhow::Result<u8> {
    let folder = profile.out.clone().unwrap_or_else(|| PathBuf::from("runs").join(&session.name));
    let written = reports::profile::store::write(session, &folder)?;
    if profile.json {
        print!("{}", fs::read_to_string(&written.result).context("the profile could not be read back")?);
    } else {
        print!("{}", reports::profile::terminal::table(session, std::io::stdout().is_terminal()));
        println!("\nPage: {}", written.page.display());
    }
    Ok(reports::profile::exit_code(&session.verdicts))
}
