//! The cache in Redis, for all servers of a database.
//!
//! `callbench:1:<database>:<workspace>:stamp` is the stamp of a workspace, and `…:<workspace>:<employee or all>:<what>` a
//! value: the stamp under which it was computed, then JSON. A look is one MGET. The number in the prefix is that of this
//! layout; a server with another one does not see these keys.
//!
//! A stamp is random, so it can be lost at any time (deleted by a write, evicted, flushed): the next look makes another,
//! and what was kept under the old one stays void.

use std::sync::Arc;
use std::time::Duration;

use redis::{Client, Value, cmd};
use uuid::Uuid;

use crate::Error;
use crate::cache::Key;
use crate::cache::counters::Counters;
use crate::cache::link::{Link, Unanswered};

/// The layout of keys and values.
const LAYOUT: u32 = 1;

/// A stamp outlives all values under it; one that is lost with its workspace unread for a day costs a query.
const STAMP_LIFE_S: u64 = 24 * 60 * 60;

/// Bytes of a stamp before a value.
const STAMP_BYTES: usize = 16;

#[derive(Debug)]
pub(super) struct Redis {
    pub(super) link: Link,
    pub(super) prefix: String,
}

impl Redis {
    /// Opens the cache of the database with this identity.
    pub(super) async fn open(
        url: &str,
        wait: Duration,
        identity: &str,
        counters: Arc<Counters>,
    ) -> Result<Self, Error> {
        let client = Client::open(url).map_err(|error| Error::BadRedisUrl(error.to_string()))?;
        let link = Link::open(client, wait, counters).await;
        Ok(Self { link, prefix: format!("callbench:{LAYOUT}:{identity}") })
    }

    /// The stamp of the workspace, if Redis has or takes one, and the values that were kept under it.
    pub(super) async fn look(
        &self,
        workspace_id: Uuid,
        keys: &[Key],
    ) -> (Option<Uuid>, Vec<Option<Vec<u8>>>) {
        let none = || vec![None; keys.len()];
        let mut command = cmd("MGET");
        command.arg(self.stamp_key(workspace_id));
        for key in keys {
            command.arg(key.text(&self.prefix));
        }
        let Ok(answer) = self.link.ask::<Vec<Option<Vec<u8>>>>(&command).await else {
            return (None, none());
        };
        let mut answer = answer.into_iter();
        let Some(stamp) = answer.next().flatten().as_deref().and_then(read_stamp) else {
            return (self.new_stamp(workspace_id).await.ok(), none());
        };
        let current = |value: Option<Vec<u8>>| {
            let value = value?;
            let json = value.strip_prefix(stamp.as_bytes().as_slice())?;
            Some(json.to_vec())
        };
        (Some(stamp), answer.map(current).collect())
    }

    /// Gives the workspace a stamp. Of many who do that at once all get the same.
    async fn new_stamp(&self, workspace_id: Uuid) -> Result<Uuid, Unanswered> {
        let key = self.stamp_key(workspace_id);
        let stamp = Uuid::new_v4();
        let set = || {
            let mut command = cmd("SET");
            command.arg(&key).arg(stamp.as_bytes().as_slice()).arg("EX").arg(STAMP_LIFE_S);
            command
        };
        // What is there and is no stamp, whatever its type, is overwritten.
        match self.link.ask::<Value>(set().arg("NX").arg("GET")).await {
            Ok(Value::Nil) => return Ok(stamp),
            Ok(Value::BulkString(bytes)) => {
                if let Some(there) = read_stamp(&bytes) {
                    return Ok(there);
                }
            }
            Ok(_) | Err(Unanswered) => {}
        }
        self.link.ask::<()>(&set()).await?;
        Ok(stamp)
    }

    pub(super) async fn keep(&self, key: &Key, stamp: Uuid, ttl: Duration, json: &[u8]) {
        let life_ms = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        if life_ms == 0 {
            return;
        }
        let mut value = Vec::with_capacity(STAMP_BYTES + json.len());
        value.extend_from_slice(stamp.as_bytes());
        value.extend_from_slice(json);
        let mut command = cmd("SET");
        command.arg(key.text(&self.prefix)).arg(value).arg("PX").arg(life_ms);
        // What could not be kept is computed again; the link has counted why.
        let _: Result<(), Unanswered> = self.link.ask(&command).await;
    }

    /// Takes the stamp of the workspace away. Deleting works in a Redis that is full, too.
    pub(super) async fn forget(&self, workspace_id: Uuid) {
        self.link.delete(self.stamp_key(workspace_id)).await;
    }

    fn stamp_key(&self, workspace_id: Uuid) -> String {
        format!("{}:{workspace_id}:stamp", self.prefix)
    }
}

fn read_stamp(bytes: &[u8]) -> Option<Uuid> {
    Uuid::from_slice(bytes).ok()
}
