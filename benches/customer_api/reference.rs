//! The server under measurement: the release binary as a child process.

use std::process::Stdio;

use anyhow::{Context as _, bail};
use server::Variant;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// A running `callbench serve`. It ends when its standard input is closed.
pub(crate) struct Reference {
    child: Child,
    address: String,
}

impl Reference {
    /// Starts one.
    pub(crate) async fn start(variant: Variant, database_url: &str) -> anyhow::Result<Self> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_callbench"))
            .args([
                "serve",
                "--until-stdin-closes",
                "--listen",
                "127.0.0.1:0",
                "--variant",
                &variant.to_string(),
            ])
            .env("CALLBENCH_DATABASE_URL", database_url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("the server could not be started")?;
        let mut line = String::new();
        let stdout = child.stdout.take().context("the server has no standard output")?;
        BufReader::new(stdout).read_line(&mut line).await?;
        let Some(address) = line.trim().strip_prefix("listening on http://") else {
            bail!("the server did not start: {line}");
        };
        Ok(Self { address: address.to_owned(), child })
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Resident memory now and at its highest, in MiB.
    pub(crate) fn memory_mib(&self) -> anyhow::Result<(f64, f64)> {
        let pid = self.child.id().context("the server has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let mib = |name: &str| -> anyhow::Result<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no such line")?;
            Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
        };
        Ok((mib("VmRSS:")?, mib("VmHWM:")?))
    }

    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.child.stdin.take());
        let status = self.child.wait().await?;
        if status.success() { Ok(()) } else { bail!("the server ended with {status}") }
    }
}
