//! Whom a measurement asks, and where its result goes.

use std::path::PathBuf;

use clap::Args;
use loadgen::Identity;

use super::output::run_name;
use super::{Live, Place};

/// One server: the reference server, or somebody's.
#[derive(Debug, Clone, Args)]
pub(crate) struct Subject {
    /// A server that is already running; without it the reference server is started.
    #[arg(long, value_name = "URL")]
    pub(crate) target: Option<String>,
    /// Bearer token.
    #[arg(long, env = "CALLBENCH_TOKEN", hide_env_values = true, default_value = "token123")]
    pub(crate) token: String,
    /// The workspace under test: its slug or UUID.
    #[arg(long, default_value = datagen::LARGEST_SLUG)]
    pub(crate) workspace: String,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Rows per page.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200), value_name = "N")]
    pub(crate) page_size: u32,
}

/// Who else asks, for the commands whose scenarios draw that.
#[derive(Debug, Clone, Args)]
pub(crate) struct Crowd {
    /// Somebody else who asks, beside --token in --workspace: TOKEN@WORKSPACE, or TOKEN@WORKSPACE=WEIGHT with the weight of
    /// the first user being 1. Can be given several times. Pages of the list without filters are the first user's alone.
    #[arg(long = "as", value_parser = identity, value_name = "TOKEN@WORKSPACE")]
    pub(crate) others: Vec<Identity>,
}

/// Where the result goes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Kept {
    /// Folder for results.
    #[arg(long, default_value = "runs", value_name = "DIR")]
    pub(crate) runs: PathBuf,
    /// Name of the result. Default: the command and the time.
    #[arg(long, value_name = "NAME", value_parser = run_name)]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) live: Live,
}

/// Reads `TOKEN@WORKSPACE` or `TOKEN@WORKSPACE=WEIGHT`. A workspace has no `=` in it; a token may have.
fn identity(text: &str) -> Result<Identity, String> {
    let (token, rest) = text
        .rsplit_once('@')
        .filter(|(token, rest)| !token.is_empty() && !rest.is_empty())
        .ok_or("it looks like TOKEN@WORKSPACE or TOKEN@WORKSPACE=WEIGHT")?;
    let (workspace, weight) = rest.split_once('=').unwrap_or((rest, "1"));
    let weight = weight.parse().ok().filter(|weight: &f64| weight.is_finite() && *weight > 0.0);
    let weight = weight.ok_or("its weight is not a positive number")?;
    Ok(Identity { token: token.to_owned(), workspace: workspace.to_owned(), weight })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_else_has_a_token_a_workspace_and_perhaps_a_weight() {
        let read = |text| identity(text).map(|who| (who.token, who.workspace, who.weight));
        let is = |token: &str, workspace: &str, weight| Ok((token.to_owned(), workspace.to_owned(), weight));
        assert_eq!(read("t@w"), is("t", "w", 1.0));
        assert_eq!(read("a=b@c@w=0.25"), is("a=b@c", "w", 0.25));
        for wrong in ["t", "@w", "t@", "t@w=", "t@w=0", "t@w=-1", "t@w=nan"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
