//! A private Redis, with the same lifetime as the private PostgreSQL.
//!
//! It is a cache and nothing else: no persistence, a bound on memory, and the least recently used keys go first.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::account::{command, give};
use crate::keeper::{Attempt, Keeper, Member, Service};
use crate::machine::Machine;
use crate::place::Room;
use crate::settings::scaled_mb;
use crate::{Error, port};

const NAME: &str = "the private Redis";
const ROOM: &str = "redis";
const OLDEST_MAJOR: u32 = 7;
const SEED_MEMORY_BYTES: u64 = 2 << 30;
const CONNECTIONS: u32 = 50;
const STARTING: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(10);
const PORTS_TO_TRY: usize = 5;

/// A use of the private Redis. The server runs at least as long as this lives.
#[derive(Debug)]
pub struct Redis {
    keeper: Keeper,
    member: Member,
    url: String,
    notes: Vec<String>,
}

impl Redis {
    /// Starts the Redis of `home`, or joins it when it runs already.
    pub async fn start(home: &Path) -> Result<Redis, Error> {
        let room = Room::prepare(home, ROOM)?;
        let keeper = Keeper::of(&room.folder);
        let turn = keeper.turn(room.account.as_ref()).await?;
        let member = keeper.enter(&turn)?;
        let memory_mb = scaled_mb(SEED_MEMORY_BYTES, &Machine::observe(&room.folder)?, 64);
        let mut notes = room.notes.clone();
        if memory_mb << 20 < SEED_MEMORY_BYTES {
            notes.push(format!("the private Redis may use {memory_mb} MB and not 2 GB, because this machine has less than 16 GB"));
        }
        let url_file = room.folder.join("url");
        if keeper.greet(&member, false, NAME).await? {
            let url = fs::read_to_string(&url_file).map_err(Error::file("read", &url_file))?;
            if answers(&keeper, &url).await? {
                return Ok(Redis { keeper, member, url, notes });
            }
        }
        let program = find()?;
        let port_file = room.folder.join("port");
        let mut last = port::remembered(&port_file);
        for attempt_number in 1.. {
            let port = port::choose(None, last)?;
            let password = uuid::Uuid::new_v4().simple().to_string();
            let url = format!("redis://:{password}@127.0.0.1:{port}/0");
            let configuration = room.folder.join("redis.conf");
            write_private(&configuration, &room, &text(port, &password, memory_mb, &room.folder))?;
            write_private(&url_file, &room, &url)?;
            port::remember(&port_file, port)?;
            let service = Service {
                signal: "TERM",
                program: &program,
                arguments: vec![configuration.as_os_str()],
                account: room.account.as_ref(),
                socket_folder: &room.folder,
            };
            let attempt: Attempt = keeper.spawn(&turn, &member, false, &service).await?;
            if answers(&keeper, &url).await? {
                return Ok(Redis { keeper, member, url, notes });
            }
            if attempt.last_words().contains("Address already in use") && attempt_number < PORTS_TO_TRY {
                last = None;
                continue;
            }
            return Err(attempt.failure(NAME));
        }
        unreachable!("the attempts are bounded")
    }

    /// The URL, with the password: `redis://:password@127.0.0.1:port/0`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Things to say aloud: less memory than asked because the machine has less.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Lets Redis go: stops it, and waits for that, unless somebody else uses it.
    pub async fn stop(self) -> Result<(), Error> {
        let turn = self.keeper.turn(None).await?;
        self.keeper.leave(&turn, self.member, NAME).await
    }
}

/// Waits until the server answers; false when it is gone instead.
async fn answers(keeper: &Keeper, url: &str) -> Result<bool, Error> {
    let client = redis::Client::open(url).map_err(|error| Error::Url(error.to_string()))?;
    let begun = Instant::now();
    while keeper.is_running() {
        if let Ok(mut connection) = client.get_multiplexed_async_connection().await
            && redis::cmd("PING").query_async::<String>(&mut connection).await.is_ok()
        {
            return Ok(keeper.is_running());
        }
        if begun.elapsed() > STARTING {
            return Err(keeper.stuck(NAME, "start", STARTING));
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(false)
}

fn text(port: u16, password: &str, memory_mb: u64, folder: &Path) -> String {
    format!(
        "bind 127.0.0.1\n\
         port {port}\n\
         requirepass {password}\n\
         dir \"{}\"\n\
         save \"\"\n\
         appendonly no\n\
         maxmemory {memory_mb}mb\n\
         maxmemory-policy allkeys-lru\n\
         maxclients {CONNECTIONS}\n\
         daemonize no\n\
         logfile \"{}\"\n\
         loglevel notice\n",
        escape(folder),
        escape(Keeper::of(folder).log()),
    )
}

/// A path inside the double quotes of a Redis configuration.
fn escape(path: &Path) -> String {
    path.display().to_string().replace('\\', "\\\\").replace('"', "\\\"")
}

fn write_private(path: &Path, room: &Room, text: &str) -> Result<(), Error> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(Error::file("written", path))?;
    give(path, room.account.as_ref())
}

/// The program to run: `CALLBENCH_REDIS_BIN` (the program or its folder), else the `redis-server` of PATH.
pub(crate) fn find() -> Result<PathBuf, Error> {
    let named = std::env::var_os("CALLBENCH_REDIS_BIN").filter(|value| !value.is_empty()).map(PathBuf::from);
    let candidates: Vec<PathBuf> = match named {
        Some(folder) if folder.is_dir() => vec![folder.join("redis-server")],
        Some(program) => vec![program],
        None => std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
            .map(|folder| folder.join("redis-server"))
            .chain([
                PathBuf::from("/opt/homebrew/bin/redis-server"),
                PathBuf::from("/usr/local/bin/redis-server"),
            ])
            .collect(),
    };
    let (program, version) = candidates
        .into_iter()
        .find_map(|program| version(&program).map(|v| (program, v)))
        .ok_or(Error::NoRedis)?;
    check(&program, &version)?;
    Ok(program)
}

fn check(program: &Path, version: &str) -> Result<(), Error> {
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| major >= OLDEST_MAJOR) {
        return Ok(());
    }
    Err(Error::OldRedis { version: version.to_owned(), program: program.to_owned() })
}

fn version(program: &Path) -> Option<String> {
    let output = command(program, None).arg("--version").output().ok()?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

/// Reads `Redis server v=7.0.15 sha=00000000:0 …`.
fn parse_version(output: &str) -> Option<String> {
    output.split_whitespace().find_map(|word| word.strip_prefix("v=")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redis_7_and_newer_are_taken_and_older_ones_are_refused_by_their_version() {
        let version = parse_version("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64");
        assert_eq!(version.as_deref(), Some("7.0.15"));
        let program = Path::new("/usr/bin/redis-server");
        assert!(check(program, "7.0.15").is_ok());
        assert!(check(program, "10.0.0").is_ok());
        let refusal = check(program, "6.2.7").expect_err("too old").to_string();
        assert!(
            refusal.starts_with("/usr/bin/redis-server is Redis 6.2.7, but callbench needs 7"),
            "{refusal}"
        );
    }
}
