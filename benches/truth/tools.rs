//! Other load generators on the same server, where they are installed.

use std::process::Command;

use crate::Figures;

/// What a closed loop of so many connections says, with nobody to hold it to a rate.
pub(crate) fn wrk(address: &str, connections: usize, seconds: u64) -> Option<Figures> {
    let (c, d) = (format!("-c{connections}"), format!("-d{seconds}s"));
    let text = output("wrk", &["-t1", &c, &d, "--latency", &format!("http://{address}/")])?;
    let at =
        |percentile: &str| text.lines().find_map(|line| ms(line.trim().strip_prefix(percentile)?.trim()));
    let max =
        text.lines().find_map(|line| ms(line.trim().strip_prefix("Latency")?.split_whitespace().nth(2)?));
    Some(Figures { p50: at("50%")?, p99: at("99%")?, p999: None, max: max? })
}

/// What a closed loop that is throttled to a rate says.
pub(crate) fn hey(address: &str, connections: usize, rate: f64, seconds: u64) -> Option<Figures> {
    let (c, z) = (connections.to_string(), format!("{seconds}s"));
    let q = (rate / connections as f64).to_string();
    let text = output("hey", &["-c", &c, "-q", &q, "-z", &z, &format!("http://{address}/")])?;
    let seconds_of = |words: &str| words.split_whitespace().next()?.parse::<f64>().ok().map(|s| s * 1e3);
    let at = |percentile: &str| {
        text.lines().find_map(|line| seconds_of(line.trim().strip_prefix(percentile)?.split("in").nth(1)?))
    };
    let max = text.lines().find_map(|line| seconds_of(line.trim().strip_prefix("Slowest:")?));
    Some(Figures { p50: at("50%")?, p99: at("99%")?, p999: None, max: max? })
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `10.42ms`, `1.01s`, `980.00us` as milliseconds.
fn ms(text: &str) -> Option<f64> {
    let digits = text.trim_end_matches(char::is_alphabetic);
    let scale = match &text[digits.len()..] {
        "us" => 1e-3,
        "ms" => 1.0,
        "s" => 1e3,
        _ => return None,
    };
    digits.parse::<f64>().ok().map(|number| number * scale)
}
