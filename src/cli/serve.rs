//! What can be typed after `callbench serve`.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::Place;
use super::quantity::duration;

/// How log lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for programs.
    Json,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  callbench serve --variant live --scale demo
  callbench serve --variant live --redis                 with a cache that servers share
  callbench serve --variant naive --listen 127.0.0.1:9000 --database-url postgres://me@localhost/scratch
  callbench serve -v --log-format json --public-url https://api.example.com --drain 10s
  curl -H 'Authorization: Bearer token123' \\
      'http://127.0.0.1:8000/api/v1/customers/?workspace_id=enterprise-workspace-1'

Beside the API:
  /docs/            the API to browse and to try; /openapi.json is its document
  /healthz          does the process run
  /readyz           can requests be served; 503 while it stops
  /metrics          counts and gauges for Prometheus; keep it behind the proxy

-v writes one line a request on standard error: name, method, route, workspace, status, statements,
retries, milliseconds, bytes. SIGINT and SIGTERM let running requests finish.")]
pub(crate) struct Serve {
    /// How the list is answered.
    #[arg(long, default_value_t = server::Variant::Live)]
    pub(crate) variant: server::Variant,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8000", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// Connections to the database.
    #[arg(long, default_value_t = 16, value_name = "N")]
    pub(crate) pool_size: u32,
    /// Cache in this Redis, which the servers of one database may share; without one each has a cache in its process.
    #[arg(long, env = "CALLBENCH_REDIS_URL", hide_env_values = true, value_name = "URL")]
    pub(crate) redis_url: Option<String>,
    /// Cache in the private Redis of the home folder, and start it if it does not run; wins over --redis-url.
    #[arg(long)]
    pub(crate) redis: bool,
    /// How long a statement may run; shorter than a request.
    #[arg(long, default_value = "25s", value_parser = duration, value_name = "TIME")]
    pub(crate) statement_timeout: Duration,
    /// How long a request may take.
    #[arg(long, default_value = "30s", value_parser = duration, value_name = "TIME")]
    pub(crate) request_timeout: Duration,
    /// How long the proxy in front waits for an answer; longer than a request may take.
    #[arg(long, default_value = "60s", value_parser = duration, value_name = "TIME")]
    pub(crate) proxy_timeout: Duration,
    /// Connections of clients at a time; further ones wait.
    #[arg(long, default_value_t = 900, value_name = "N")]
    pub(crate) max_connections: usize,
    /// After the signal to stop, go on serving for so long while /readyz says 503, so that a load balancer notices.
    #[arg(long, value_parser = duration, value_name = "TIME")]
    pub(crate) drain: Option<Duration>,
    /// Where links point to, for a server behind a proxy; without it, to where the client called.
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// Let nobody ask for the profile of a request with _profile=true; without this, admins and managers can.
    #[arg(long)]
    pub(crate) no_profiling: bool,
    /// How log lines are written on standard error.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
    /// Stop when standard input closes, so that no server outlives the process that started it.
    #[arg(long, hide = true)]
    pub(crate) until_stdin_closes: bool,
}
