//! Writes the made-up run of [`reports::sample`] to a folder, to look at a change of the report without a
//! measurement: `cargo run -p callbench-reports --example sample_report -- FOLDER`.

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let folder = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("runs/sample"), PathBuf::from);
    let run = reports::sample::run();
    print!("{}", reports::terminal::table(&run, false));
    match reports::store::write(&run, &folder) {
        Ok(written) => {
            println!("{}", written.report.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
