//! What the private PostgreSQL is there for at the moment: to be measured, or to be filled.
//!
//! At `wal_level = minimal` a table that is truncated in the transaction that fills it, and an index that is built, write
//! no log for their rows; their files are flushed when the transaction commits instead
//! (<https://www.postgresql.org/docs/current/populate.html>). That is as safe in a crash as the log is: the rows of
//! before are there, or those of after. It only leaves nothing to send to a standby or an archive, which a cluster that
//! can be filled again has no need of.
//!
//! Production has a standby and so at least `replica`, and log per request is a figure of the report. So nothing is
//! measured in [`Mode::Loading`], and a change of mode is a restart, because PostgreSQL reads `wal_level` at its start.

use crate::{Error, databases};

/// What the server is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Serving and being measured: `wal_level = replica`, as in production.
    #[default]
    Serving,
    /// Being filled: `wal_level = minimal`. As durable as [`Mode::Serving`].
    Loading,
}

impl Mode {
    /// The `wal_level` of this mode.
    #[must_use]
    pub fn wal_level(self) -> &'static str {
        match self {
            Mode::Serving => "replica",
            Mode::Loading => "minimal",
        }
    }

    /// The mode that the server of `url` runs in by its own account.
    pub(crate) async fn of_server(url: &str) -> Result<Mode, Error> {
        let mut connection = databases::connect(url).await?;
        let level: Result<String, _> =
            sqlx::query_scalar("SELECT current_setting('wal_level')").fetch_one(&mut connection).await;
        sqlx::Connection::close(connection).await.ok();
        let level = level.map_err(|error| databases::failure("postgres", "read", &error))?;
        Ok(if level == Mode::Loading.wal_level() { Mode::Loading } else { Mode::Serving })
    }
}

/// Why a server runs in another mode than the one asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// Another process uses it.
    InUse,
    /// `db start` keeps it running, for programs that we can't see.
    Staying,
    /// It was started for us alone, so something that was set with `ALTER SYSTEM` wants it so.
    Settings,
}

impl Obstacle {
    /// What to tell somebody who asked for one mode and got the other.
    pub(crate) fn note(self, asked: Mode) -> String {
        match (asked, self) {
            (Mode::Loading, Obstacle::InUse) => {
                "PostgreSQL is in use by another process, so it keeps wal_level replica: loading takes longer"
                    .to_owned()
            }
            (Mode::Loading, Obstacle::Staying) => {
                "PostgreSQL was told to keep running, so it keeps wal_level replica: loading takes longer (`callbench db \
                 stop` before it, and it won't)"
                    .to_owned()
            }
            (Mode::Loading, Obstacle::Settings) => {
                "settings or replication slots of this PostgreSQL need wal_level replica, so it keeps that: loading takes longer"
                    .to_owned()
            }
            (Mode::Serving, Obstacle::InUse) => {
                "PostgreSQL runs with wal_level minimal, for another process that loads: its log per request is not that of \
                 production, and its times are those of a busy server"
                    .to_owned()
            }
            (Mode::Serving, Obstacle::Staying) => {
                "PostgreSQL was told to keep running with wal_level minimal: its log per request is not that of production; \
                 `callbench db stop` ends that"
                    .to_owned()
            }
            (Mode::Serving, Obstacle::Settings) => {
                "ALTER SYSTEM has set wal_level to minimal, so its log per request is not that of production; `ALTER SYSTEM \
                 RESET wal_level` and a restart take that back"
                    .to_owned()
            }
        }
    }
}
