//! What can be typed after `callbench growth`.

use std::time::Duration;

use clap::Args;

use super::quantity::duration;
use super::{Described, Kept};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  callbench growth
  callbench growth --customers 1000,10000,100000,1000000 --variants naive,live,rollup
  callbench growth --customers 5000,50000 --calls-per-customer 20 --keep
  callbench growth detail search --scenarios customers.toml
  callbench growth --target https://staging.example.com --token $TOKEN --workspace small --workspace large
  callbench growth search --scenarios shop.toml --target http://127.0.0.1:9000 \\
      --workspace $TOKEN@shop-1=200 --workspace $OTHER_TOKEN@shop-2=90000

Each size is seeded into databases of its own in the private cluster, measured, and dropped again; sizes that the disk
can't hold are refused before anything is written. A --target can't be seeded: there the sizes are workspaces that it has
already, one after the other. They share their tables, so its curve shows what a large tenant pays, and not what a large
database costs; all its customers are counted, unless --workspace says how many there are. Requests are sent one after another; each scenario of each variant
has a window in every round, in a drawn order. The exponent is the slope of a line through the logarithms.
Exit codes: 0 measured, 1 the variants gave different rows, 2 fewer than two sizes could be measured.")]
pub(crate) struct Growth {
    /// What is requested at each size; those with a weight are parts of one mix.
    #[arg(default_values = ["first_page", "worst_filters"], value_name = "SCENARIO[=WEIGHT]")]
    pub(crate) scenarios: Vec<String>,
    #[command(flatten)]
    pub(crate) described: Described,
    /// A server that is already running; without it each size is seeded for the reference server.
    #[arg(
        long,
        value_name = "URL",
        requires = "workspaces",
        conflicts_with_all = ["customers", "calls_per_customer", "variants", "keep"]
    )]
    pub(crate) target: Option<String>,
    /// Bearer token for --target.
    #[arg(long, env = "CALLBENCH_TOKEN", hide_env_values = true, default_value = "token123")]
    pub(crate) token: String,
    /// A workspace of --target, by its slug or UUID; given for each size. With TOKEN@ before it where --token is not for
    /// it, and =CUSTOMERS behind it where the server does not say how many it has at GET /api/v1/workspaces/ID/.
    #[arg(long = "workspace", requires = "target", value_parser = workspace, value_name = "WORKSPACE[=CUSTOMERS]")]
    pub(crate) workspaces: Vec<Workspace>,
    /// The database of --target, whose buffers are counted then.
    #[arg(long, env = "CALLBENCH_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub(crate) database_url: Option<String>,
    /// Customers of the largest workspace, at each size.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "1000,10000,100000",
        value_parser = clap::value_parser!(u64).range(1..),
        value_name = "NUMBERS"
    )]
    pub(crate) customers: Vec<u64>,
    /// Calls for each of them.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(0..=10_000), value_name = "N")]
    pub(crate) calls_per_customer: u64,
    /// Variants of the reference server: naive, live, rollup.
    #[arg(long, value_delimiter = ',', default_value = "naive,live", value_name = "NAMES")]
    pub(crate) variants: Vec<server::Variant>,
    /// Rounds; each measures every scenario of every variant once.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "N")]
    pub(crate) rounds: u32,
    /// Length of one window; a slow request is sent three times, however long that takes.
    #[arg(long, default_value = "300ms", value_parser = duration, value_name = "TIME")]
    pub(crate) window: Duration,
    /// Rows per page.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200), value_name = "N")]
    pub(crate) page_size: u32,
    /// Leave the databases, so that the next time they need not be seeded.
    #[arg(long)]
    pub(crate) keep: bool,
    #[command(flatten)]
    pub(crate) kept: Kept,
}

/// A workspace as one size of a curve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Workspace {
    /// Whose it is; `None` for --token.
    pub(crate) token: Option<String>,
    /// Slug or UUID.
    pub(crate) name: String,
    /// As given; `None` where the server is asked.
    pub(crate) customers: Option<u64>,
}

/// Reads `WORKSPACE`, with `TOKEN@` before it or `=CUSTOMERS` behind it. A workspace has no `=` and no `@` in it.
fn workspace(text: &str) -> Result<Workspace, String> {
    let (token, rest) = text.rsplit_once('@').map_or((None, text), |(token, rest)| (Some(token), rest));
    let (name, customers) = rest.split_once('=').map_or((rest, None), |(name, count)| (name, Some(count)));
    if name.is_empty() || token.is_some_and(str::is_empty) {
        return Err("it looks like WORKSPACE, WORKSPACE=CUSTOMERS or TOKEN@WORKSPACE=CUSTOMERS".to_owned());
    }
    let customers = match customers.map(str::parse) {
        None => None,
        Some(Ok(customers)) if customers > 0 => Some(customers),
        Some(_) => return Err("its customers are not a positive number".to_owned()),
    };
    Ok(Workspace { token: token.map(str::to_owned), name: name.to_owned(), customers })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_may_have_a_token_and_a_number_of_customers() {
        let read = |text| workspace(text).map(|read| (read.token, read.name, read.customers));
        let is = |token: Option<&str>, name: &str, customers| {
            Ok((token.map(str::to_owned), name.to_owned(), customers))
        };
        assert_eq!(read("acme"), is(None, "acme", None));
        assert_eq!(read("acme=500"), is(None, "acme", Some(500)));
        assert_eq!(read("a=b@c@acme=500"), is(Some("a=b@c"), "acme", Some(500)));
        for wrong in ["", "@acme", "t@", "=5", "acme=", "acme=0", "acme=-1", "acme=many"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
