//! One file per subcommand. Each is a walk through the crates; what they do is decided there.

mod bench;
mod capacity;
mod conform;
mod db;
mod demo;
mod depth;
mod export;
mod growth;
mod indexes;
mod load;
mod locks;
mod merge;
mod profile;
mod report;
mod seed;
mod serve;
mod subject;
mod verify;
mod writes;

use tokio_util::sync::CancellationToken;

use crate::cli::{Cli, Command};

/// Runs the subcommand; returns the exit code.
pub(crate) async fn run(cli: Cli, stop: &CancellationToken) -> anyhow::Result<u8> {
    match cli.command {
        Command::Demo(demo) => demo::run(&cli.home, demo, stop).await,
        Command::Seed(seed) => seed::run(&cli.home, seed, stop).await,
        Command::Serve(serve) => serve::run(&cli.home, serve, stop).await,
        Command::Indexes(indexes) => indexes::run(&cli.home, indexes, stop).await,
        Command::Load(load) => load::run(&cli.home, load, stop).await,
        Command::Locks(locks) => locks::run(&cli.home, locks, stop).await,
        Command::Merge(merge) => merge::run(&merge),
        Command::Capacity(capacity) => capacity::run(&cli.home, capacity, stop).await,
        Command::Depth(depth) => depth::run(&cli.home, depth, stop).await,
        Command::Growth(growth) => growth::run(&cli.home, growth, stop).await,
        Command::Bench(bench) => bench::run(&cli.home, bench, stop).await,
        Command::Profile(profile) => profile::run(&cli.home, profile, stop).await,
        Command::Conform(conform) => conform::run(&cli.home, conform, stop).await,
        Command::Writes(writes) => writes::run(&cli.home, writes, stop).await,
        Command::Report(report) => report::run(&report),
        Command::Db(db) => db::run(&cli.home, db, stop).await,
    }
}
