//! What is told of a measurement while it runs and in the end, for all commands that make one.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::quantity::duration;

/// In which form, and to whom.
#[derive(Debug, Clone, Args)]
pub(crate) struct Live {
    /// For machines, on standard output: `--json` prints the JSON of the result in the end instead of the table,
    /// `--json=lines` one object a line for all that happens, each second of a window included (docs/live.md).
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "result", value_name = "FORM")]
    pub(crate) json: Option<Json>,
    /// Serve /metrics for Prometheus at this address until the end: 127.0.0.1:9464, or a port alone, which is one of
    /// 127.0.0.1. Port 0 is any that is free.
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub(crate) metrics: Option<SocketAddr>,
    /// Serve them for so much longer after the end, so that the last scrape sees the last window. Ctrl-C cuts it short.
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "metrics")]
    pub(crate) metrics_linger: Option<Duration>,
}

/// What a machine is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Json {
    /// The result, in the end.
    Result,
    /// Events, as they happen.
    Lines,
}

/// Reads `ADDRESS:PORT`, or a port.
fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text.strip_prefix(':').unwrap_or(text).parse().ok();
    let loopback = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    port.map(loopback)
        .or_else(|| text.parse().ok())
        .ok_or_else(|| "expected an address such as 127.0.0.1:9464, [::1]:9464, or a port".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_one_of_this_machine() {
        let read = |text| address(text).map(|address| address.to_string());
        for text in ["9464", ":9464", "127.0.0.1:9464"] {
            assert_eq!(read(text), Ok("127.0.0.1:9464".to_owned()), "{text}");
        }
        assert_eq!(read("0.0.0.0:0"), Ok("0.0.0.0:0".to_owned()));
        assert_eq!(read("[::1]:80"), Ok("[::1]:80".to_owned()));
        for wrong in ["", "70000", "localhost", "127.0.0.1", "host:9464"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
