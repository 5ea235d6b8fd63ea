//! The command `callbench`: parse, listen for Ctrl-C, run the subcommand, exit with its code.

mod cli;
mod commands;
mod dataset;
mod ending;
mod environment;
mod live;
mod offered;
mod place;
mod progress;
mod reference;
mod results;
mod scratch;
mod stop;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, LogFormat};

/// Says what a request allocates; see `allocations`.
#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

fn main() -> ExitCode {
    let cli = Cli::parse();
    init_logging(cli.verbose, cli.log_format());
    let stop = match stop::on_signals() {
        Ok(stop) => stop,
        Err(error) => return complain(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error.into()),
    };
    match runtime.block_on(commands::run(cli, &stop)) {
        Ok(code) => ExitCode::from(code),
        Err(error) if stop.is_cancelled() => {
            complain(&error);
            ExitCode::from(stop::INTERRUPTED)
        }
        Err(error) => complain(&error),
    }
}

/// One sentence, and the exit code of "could not run".
fn complain(error: &anyhow::Error) -> ExitCode {
    eprintln!("callbench: {error:#}");
    ExitCode::from(2)
}

fn init_logging(verbose: u8, format: LogFormat) {
    let default = match verbose {
        0 => "warn,sqlx=error,goose=error",
        1 => "info,sqlx=warn,goose=warn",
        _ => "debug,sqlx=info,goose=info",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("CALLBENCH_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => lines.init(),
        // The fields of the line at the top, those of its request under `span`.
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).init(),
    }
}
