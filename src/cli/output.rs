//! What becomes of a run, for all commands that make one.

use std::path::PathBuf;

use clap::Args;

use super::Live;

/// What is judged, and where the result goes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Output {
    /// Budgets to judge; `callbench load` judges only when they are given, the others have the built-in ones.
    #[arg(long, value_name = "FILE")]
    pub(crate) budgets: Option<PathBuf>,
    /// Folder for results.
    #[arg(long, default_value = "runs", value_name = "DIR")]
    pub(crate) runs: PathBuf,
    /// Name of the run. Default: the command and the time.
    #[arg(long, value_name = "NAME", value_parser = run_name)]
    pub(crate) name: Option<String>,
    /// Don't look at the database and at processes once a second meanwhile; what that costs is in the result.
    #[arg(long)]
    pub(crate) no_probes: bool,
    #[command(flatten)]
    pub(crate) live: Live,
}

pub(super) fn run_name(text: &str) -> Result<String, String> {
    let fits = !text.is_empty()
        && !text.starts_with('.')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if fits {
        Ok(text.to_owned())
    } else {
        Err("a name has letters, digits, '-', '_' and '.' only".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_run_can_not_leave_its_folder() {
        assert!(run_name("nightly-2026.07.01").is_ok());
        for wrong in ["", "..", "a/b", ".hidden", "a b"] {
            assert!(run_name(wrong).is_err(), "{wrong}");
        }
    }
}
