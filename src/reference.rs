//! The reference server as a child process, so that its CPU and memory are read from outside.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use server::Variant;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};

/// What `callbench serve` prints before the address, once it accepts connections.
pub(crate) const LISTENING: &str = "listening on ";

/// How long a server may take to listen, and how long to stop.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running `callbench serve`. It stops when this process closes its standard input, also by dying.
pub(crate) struct Reference {
    child: Child,
    stdin: ChildStdin,
    base_url: String,
}

impl Reference {
    /// Starts a variant on a free port of the loopback interface, and waits until it listens.
    pub(crate) async fn start(variant: Variant, database_url: &str, pool_size: u32) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("the path of this program is unknown")?;
        let mut child = Command::new(program)
            .args(["serve", "--until-stdin-closes", "--listen", "127.0.0.1:0"])
            .args(["--variant", &variant.to_string(), "--pool-size", &pool_size.to_string()])
            // Not as an argument: arguments can be read by every user of the machine.
            .env("CALLBENCH_DATABASE_URL", database_url)
            // What is measured must not depend on what else the caller's environment has.
            .env_remove("CALLBENCH_REDIS_URL")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // The terminal's Ctrl-C is for this process, which then stops its servers in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("the reference server could not be started")?;
        let stdin = child.stdin.take().context("the reference server has no standard input")?;
        let stdout = child.stdout.take().context("the reference server has no standard output")?;
        let mut stderr = child.stderr.take().context("the reference server has no standard error")?;

        let mut line = String::new();
        let mut lines = BufReader::new(stdout);
        let first = tokio::time::timeout(PATIENCE, lines.read_line(&mut line)).await;
        let Some(base_url) = line.trim().strip_prefix(LISTENING).map(str::to_owned) else {
            drop(stdin);
            let mut said = String::new();
            let _ = tokio::time::timeout(PATIENCE, stderr.read_to_string(&mut said)).await;
            match first {
                Err(_) => {
                    bail!("the reference server ({variant}) did not listen within {} s", PATIENCE.as_secs())
                }
                Ok(_) => bail!("the reference server ({variant}) did not start: {}", said.trim()),
            }
        };
        // What it says later belongs on our own standard error.
        tokio::spawn(async move { tokio::io::copy(&mut stderr, &mut tokio::io::stderr()).await });
        Ok(Self { child, stdin, base_url })
    }

    /// For example `http://127.0.0.1:41234`.
    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Process id, while it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Lets it finish what runs, and waits for its end.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.stdin);
        match tokio::time::timeout(PATIENCE, self.child.wait()).await {
            Ok(status) => {
                let status = status.context("the reference server could not be waited for")?;
                if !status.success() {
                    bail!("the reference server ended with {status}");
                }
            }
            Err(_) => self.child.kill().await.context("the reference server could not be ended")?,
        }
        Ok(())
    }
}
