//! What can be typed after `callbench demo`.

use clap::Args;

use super::Output;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  callbench demo             1,000,000 customers, 5,000,000 calls; a second run finds them
  callbench demo --quick     the same walk with 2,000 customers, within a minute")]
pub(crate) struct Demo {
    /// Scale `tiny`, shorter windows, pages of 10: the same walk within a minute.
    #[arg(long)]
    pub(crate) quick: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}
