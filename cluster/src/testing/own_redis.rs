//! A Redis for one test, which may do to it what others could not bear.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{port, redis_server};

/// How long Redis may take to start.
const STARTING: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(10);

/// Runs Redis until standard input ends, which it does with the test however that ends; then kills it.
const SCRIPT: &str = r#""$0" --bind 127.0.0.1 --port "$1" --save '' --appendonly no --dir /tmp >&2 & cat; kill -9 $!; wait $!"#;

/// A Redis of its own for one test, with no password and nothing in it. It goes away with this value.
#[derive(Debug)]
pub struct OwnRedis {
    port: u16,
    keeper: Option<Child>,
    frozen: Option<Pid>,
}

/// A Redis of its own for one test, running.
pub async fn own_redis() -> OwnRedis {
    let port = port::choose(None, None).unwrap_or_else(|error| panic!("{error}"));
    let mut redis = OwnRedis { port, keeper: None, frozen: None };
    redis.start().await;
    redis
}

impl OwnRedis {
    /// Its URL, the same for its whole life, also while it is stopped.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// A connection to it.
    pub async fn connection(&self) -> redis::aio::MultiplexedConnection {
        self.connect().await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Starts it, empty, on its port, and waits until it answers.
    pub async fn start(&mut self) {
        assert!(self.keeper.is_none(), "it runs");
        let program = redis_server::find().unwrap_or_else(|error| panic!("{error}"));
        let keeper = Command::new("/bin/sh")
            .args(["-c", SCRIPT])
            .arg(program)
            .arg(self.port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.keeper = Some(keeper.expect("a shell"));
        let begun = Instant::now();
        while let Err(error) = self.connect().await {
            assert!(begun.elapsed() < STARTING, "the Redis of the test does not answer: {error}");
            tokio::time::sleep(POLL).await;
        }
    }

    /// Makes it stand still: connections stay and new ones are taken, but nothing is answered.
    pub async fn freeze(&mut self) {
        let mut connection = self.connection().await;
        let asked = redis::cmd("INFO").arg("server").query_async::<String>(&mut connection).await;
        let info = asked.unwrap_or_else(|error| panic!("{error}"));
        let pid = info.lines().find_map(|line| line.strip_prefix("process_id:")?.trim().parse().ok());
        let pid = Pid::from_raw(pid.expect("Redis tells its process"));
        kill(pid, Signal::SIGSTOP).expect("it runs");
        self.frozen = Some(pid);
    }

    /// Lets it go on after [`freeze`](Self::freeze).
    pub fn thaw(&mut self) {
        let pid = self.frozen.take().expect("it is frozen");
        kill(pid, Signal::SIGCONT).expect("it runs");
    }

    /// Kills it, and waits until it is gone.
    pub fn stop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            self.frozen = None;
            keeper.wait().expect("the end of the shell");
        }
    }

    async fn connect(&self) -> redis::RedisResult<redis::aio::MultiplexedConnection> {
        let client = redis::Client::open(self.url())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        redis::cmd("PING").query_async::<()>(&mut connection).await?;
        Ok(connection)
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        self.stop();
    }
}
