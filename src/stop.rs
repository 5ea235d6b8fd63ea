//! Ctrl-C, `kill` and a closed terminal ask for an orderly end.

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

/// Exit code after an interruption: 128 + SIGINT, as shells have it.
pub(crate) const INTERRUPTED: u8 = 130;

/// What a command fails with because it was asked to stop, and for no other reason: what goes wrong on the way out is another
/// error, and has to be told.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(crate) struct Interrupted;

/// Whether an error says that and nothing more.
pub(crate) fn is_interruption(error: &anyhow::Error) -> bool {
    error.is::<Interrupted>() || matches!(error.downcast_ref(), Some(datagen::Error::Interrupted))
}

/// A token that is cancelled by the first signal; the second one ends the process at once.
///
/// It is set before anything else runs: goose installs a handler of its own only where there is none.
pub(crate) fn on_signals() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let token = stop.clone();
    ctrlc::set_handler(move || {
        if token.is_cancelled() {
            std::process::exit(i32::from(INTERRUPTED));
        }
        eprintln!("\ncallbench: stopping; once more to stop at once");
        token.cancel();
    })
    .context("the handler for Ctrl-C could not be set")?;
    Ok(stop)
}
