//! `callbench serve`: the reference server in the foreground.

use std::io::{Read as _, Write as _};
use std::path::Path;

use anyhow::Context as _;
use cluster::{Mode, Redis};
use migrations::Level;
use server::{Config, Variant};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::cli::Serve;
use crate::ending::first_failure;
use crate::place::Place;
use crate::reference::LISTENING;

pub(crate) async fn run(home: &Path, serve: Serve, stop: &CancellationToken) -> anyhow::Result<u8> {
    if serve.until_stdin_closes {
        stop_with_stdin(stop.clone());
    }
    let place = Place::open(home, &serve.place, Mode::Serving).await?;
    let outcome = with_cache(home, &place, serve, stop).await;
    first_failure(outcome, place.close().await)?;
    Ok(0)
}

/// Serves with the private Redis, if it was asked for.
async fn with_cache(
    home: &Path,
    place: &Place,
    mut serve: Serve,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    if !serve.redis {
        return listen(place, &serve, stop).await;
    }
    let redis = Redis::start(home).await?;
    for note in redis.notes() {
        eprintln!("note: {note}");
    }
    serve.redis_url = Some(redis.url().to_owned());
    let outcome = listen(place, &serve, stop).await;
    first_failure(outcome, redis.stop().await.context("the private Redis could not be left in order"))
}

async fn listen(place: &Place, serve: &Serve, stop: &CancellationToken) -> anyhow::Result<()> {
    // In the private cluster each variant has the level that it is meant for; a URL is taken as it is.
    let database_url =
        if place.is_private() { place.level_url(level_of(serve.variant))? } else { place.url().to_owned() };
    let listener = TcpListener::bind(serve.listen).await.with_context(|| {
        format!(
            "the address {} can't be listened on; choose another with --listen (port 0 takes a free one)",
            serve.listen
        )
    })?;
    let address = listener.local_addr().context("the address of the listener is unknown")?;
    let config = Config {
        pool_size: serve.pool_size,
        redis_url: serve.redis_url.clone(),
        statement_timeout: serve.statement_timeout,
        request_timeout: serve.request_timeout,
        proxy_timeout: serve.proxy_timeout,
        max_connections: serve.max_connections,
        drain: serve.drain.unwrap_or_default(),
        profiling: !serve.no_profiling,
        public_url: serve.public_url.clone(),
        ..Config::new(database_url, serve.variant)
    };
    let server = server::Server::open(config, listener).await?;
    // Whoever started us may not read this line any more; that is no reason to stop.
    let _ = writeln!(std::io::stdout(), "{LISTENING}http://{address}");
    server.serve(stop.clone().cancelled_owned()).await?;
    Ok(())
}

/// The level of the schema on which a variant is measured.
pub(crate) fn level_of(variant: Variant) -> Level {
    match variant {
        Variant::Naive => Level::Before,
        Variant::Live => Level::Indexed,
        Variant::Rollup => Level::Optimized,
    }
}

/// Cancels `stop` when standard input ends: the process that started this one is gone, or wants it to end.
fn stop_with_stdin(stop: CancellationToken) {
    std::thread::spawn(move || {
        let mut buffer = [0; 64];
        let mut stdin = std::io::stdin();
        while matches!(stdin.read(&mut buffer), Ok(read) if read > 0) {}
        stop.cancel();
    });
}
