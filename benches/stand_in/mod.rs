//! A stand-in for a server that lists customers: a process of its own, so that the load generator's processor time and
//! wake-ups are not the server's. It is this very program, started with one word; it ends when its standard input does.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use anyhow::Context as _;
use loadgen::Target;
use reports::run::Subject;

/// The word that makes a program the server.
const WORD: &str = "be-the-server";

pub(crate) const WORKSPACE: &str = "11111111-1111-1111-1111-111111111111";

/// Whether this program was started to be the server.
pub(crate) fn is_this() -> bool {
    std::env::args().nth(1).as_deref() == Some(WORD)
}

/// Prints its address and answers each connection on a thread of its own, so that no request waits for another.
pub(crate) fn serve(
    answer: impl Fn(TcpStream) -> std::io::Result<()> + Send + Sync + 'static,
) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            thread::spawn(move || answer(stream));
        }
    });
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// A page of one customer with a name of so many letters, as HTTP/1.1 has it.
pub(crate) fn page(letters: usize) -> String {
    let name = "x".repeat(letters);
    let row = format!(r#"{{"id":"{WORKSPACE}","workspace_id":"{WORKSPACE}","name":"{name}"}}"#);
    let body = format!(r#"{{"results":[{row}],"next":null,"previous":null,"count":null}}"#);
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length";
    format!("{head}: {}\r\n\r\n{body}", body.len())
}

/// The running server. It ends with this value.
pub(crate) struct Child {
    child: std::process::Child,
    pub(crate) address: String,
}

impl Child {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(WORD)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("piped")?).read_line(&mut line)?;
        Ok(Self { child, address: line.trim().to_owned() })
    }

    /// What the load generator is pointed at.
    pub(crate) fn target(&self) -> Target {
        Target {
            subject: Subject { name: "stand-in".to_owned(), level: None, description: String::new() },
            base_url: format!("http://{}", self.address),
            token: "none".to_owned(),
            workspace: WORKSPACE.to_owned(),
            crowd: Vec::new(),
            page_size: 1,
            database_url: None,
            server_pid: None,
            control: false,
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It has nothing to do but to end.
        let _ = self.child.wait();
    }
}
