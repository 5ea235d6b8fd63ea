//! Profiles of requests, kept for an hour. They are what happened, so no write makes them void.
//!
//! In Redis `callbench:1:<database>:profile:<request>` is a profile: its workspace, then JSON. `…:<request>:line` is what is
//! listed of it, and the sorted set `…:<workspace>:profiles` has the names of requests by time. A name that another
//! workspace has taken is taken: the names of requests come from clients.

use std::time::Duration;

use chrono::Utc;
use moka::sync::Cache as Map;
use redis::{Value, cmd};
use uuid::Uuid;

use crate::cache::link::Unanswered;
use crate::cache::{Cache, Store};

/// How long profiles are kept.
pub(crate) const LIFE: Duration = Duration::from_hours(1);

/// The most profiles of a workspace that are listed, newest first.
pub(crate) const LISTED: usize = 100;

/// The most that profiles in the process may take, in bytes. One of 750 statements takes some 300,000.
const CAPACITY_BYTES: u64 = 32 << 20;

/// A profile that is kept.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) workspace_id: Uuid,
    /// What is listed of it, as JSON.
    pub(crate) line: Vec<u8>,
    /// All of it, as JSON.
    pub(crate) whole: Vec<u8>,
}

/// Those in the process.
#[derive(Debug)]
pub(super) struct Profiles(Map<String, (i64, Kept)>);

impl Profiles {
    pub(super) fn new() -> Self {
        let weigh = |id: &String, (_, kept): &(i64, Kept)| {
            u32::try_from(id.len() + kept.line.len() + kept.whole.len()).unwrap_or(u32::MAX)
        };
        Self(Map::builder().max_capacity(CAPACITY_BYTES).weigher(weigh).time_to_live(LIFE).build())
    }

    fn keep(&self, id: &str, at_us: i64, kept: Kept) {
        let taken = self.0.get(id).is_some_and(|(_, other)| other.workspace_id != kept.workspace_id);
        if !taken {
            self.0.insert(id.to_owned(), (at_us, kept));
        }
    }

    fn lines(&self, workspace_id: Uuid) -> Vec<Vec<u8>> {
        let of_workspace = self.0.iter().filter(|(_, (_, kept))| kept.workspace_id == workspace_id);
        let mut found: Vec<_> = of_workspace.map(|(_, (at_us, kept))| (at_us, kept.line)).collect();
        found.sort_by_key(|(at_us, _)| std::cmp::Reverse(*at_us));
        found.into_iter().map(|(_, line)| line).take(LISTED).collect()
    }
}

impl Cache {
    /// Keeps the profile of the request with this name. Whatever happens, the request has its answer: a profile that Redis
    /// does not take is not kept.
    pub(crate) async fn keep_profile(&self, id: &str, kept: Kept) {
        let at_us = Utc::now().timestamp_micros();
        match &self.0.store {
            Store::Memory(_, profiles) => profiles.keep(id, at_us, kept),
            // The link has counted why.
            Store::Redis(redis) => drop(redis.keep_profile(id, at_us, &kept).await),
        }
    }

    /// The workspace of a profile, and all of it.
    pub(crate) async fn profile(&self, id: &str) -> Option<(Uuid, Vec<u8>)> {
        match &self.0.store {
            Store::Memory(_, profiles) => profiles.0.get(id).map(|(_, kept)| (kept.workspace_id, kept.whole)),
            Store::Redis(redis) => redis.profile(id).await.ok().flatten(),
        }
    }

    /// A line of each profile of this workspace, newest first.
    pub(crate) async fn profiles(&self, workspace_id: Uuid) -> Vec<Vec<u8>> {
        match &self.0.store {
            Store::Memory(_, profiles) => profiles.lines(workspace_id),
            Store::Redis(redis) => redis.profiles(workspace_id).await.unwrap_or_default(),
        }
    }
}

impl super::redis::Redis {
    async fn keep_profile(&self, id: &str, at_us: i64, kept: &Kept) -> Result<(), Unanswered> {
        if self.profile(id).await?.is_some_and(|(workspace_id, _)| workspace_id != kept.workspace_id) {
            return Ok(());
        }
        let value = [kept.workspace_id.as_bytes().as_slice(), &kept.whole].concat();
        let (key, seconds) = (self.profile_key(id), LIFE.as_secs());
        self.link.ask::<()>(cmd("SET").arg(&key).arg(value).arg("EX").arg(seconds)).await?;
        self.link
            .ask::<()>(cmd("SET").arg(line_key(&key)).arg(kept.line.as_slice()).arg("EX").arg(seconds))
            .await?;
        let names = self.names_key(kept.workspace_id);
        self.link.ask::<Value>(cmd("ZADD").arg(&names).arg(at_us).arg(id)).await?;
        self.link
            .ask::<Value>(cmd("ZREMRANGEBYSCORE").arg(&names).arg("-inf").arg(expired_us(at_us)))
            .await?;
        self.link.ask::<Value>(cmd("EXPIRE").arg(&names).arg(seconds)).await?;
        Ok(())
    }

    async fn profile(&self, id: &str) -> Result<Option<(Uuid, Vec<u8>)>, Unanswered> {
        let value: Option<Vec<u8>> = self.link.ask(cmd("GET").arg(self.profile_key(id))).await?;
        Ok(value.and_then(|value| {
            let (workspace_id, whole) = value.split_first_chunk::<16>()?;
            Some((Uuid::from_bytes(*workspace_id), whole.to_vec()))
        }))
    }

    async fn profiles(&self, workspace_id: Uuid) -> Result<Vec<Vec<u8>>, Unanswered> {
        let mut newest = cmd("ZREVRANGE");
        newest.arg(self.names_key(workspace_id)).arg(0).arg(LISTED - 1);
        let names: Vec<String> = self.link.ask(&newest).await?;
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let mut lines = cmd("MGET");
        for name in &names {
            lines.arg(line_key(&self.profile_key(name)));
        }
        // Those that are over are not there.
        let lines: Vec<Option<Vec<u8>>> = self.link.ask(&lines).await?;
        Ok(lines.into_iter().flatten().collect())
    }

    fn profile_key(&self, id: &str) -> String {
        format!("{}:profile:{id}", self.prefix)
    }

    fn names_key(&self, workspace_id: Uuid) -> String {
        format!("{}:{workspace_id}:profiles", self.prefix)
    }
}

/// No name of a request has a colon.
fn line_key(profile_key: &str) -> String {
    format!("{profile_key}:line")
}

/// Profiles up to this moment are over.
fn expired_us(now_us: i64) -> i64 {
    now_us - i64::try_from(LIFE.as_micros()).unwrap_or(i64::MAX)
}
