//! `callbench report`: render a stored run again, and judge it by other budgets if asked.

use crate::cli::Report;
use crate::live::Print;
use crate::results::{self, Limits};

pub(crate) fn run(report: &Report) -> anyhow::Result<u8> {
    let mut run = reports::store::read(&report.run)?;
    if let Some(file) = &report.budgets {
        run.verdicts = Limits::read(Some(file))?.judge(&run);
    }
    let folder = if report.run.is_dir() { report.run.clone() } else { results::folder_of(&report.run) };
    let code = reports::exit_code(&run);
    results::store_and_print(&run, &folder, Print::Table, results::verdict(code), code)?;
    Ok(code)
}
