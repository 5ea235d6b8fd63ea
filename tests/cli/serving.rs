//! The reference server as a test starts it: `callbench serve`.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use crate::command::callbench;

/// A running `callbench serve`. It is killed when this value is dropped, also in a panic.
pub(crate) struct Server {
    child: Child,
    pub(crate) origin: String,
}

impl Server {
    pub(crate) fn start(folder: &Path, database_url: &str, variant: &str) -> Self {
        let mut child = callbench(folder)
            .args(["serve", "--variant", variant, "--listen=127.0.0.1:0", "--until-stdin-closes"])
            .env("CALLBENCH_DATABASE_URL", database_url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("UTF-8");
        let origin = line.trim().strip_prefix("listening on ").expect("an address").to_owned();
        Self { child, origin }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A second panic would hide the first one.
        if std::thread::panicking() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        } else {
            self.child.kill().expect("it runs");
            self.child.wait().expect("its end");
        }
    }
}
