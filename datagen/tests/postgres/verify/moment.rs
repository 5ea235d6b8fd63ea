//! One moment is seen, whoever writes meanwhile; and how far it is can be watched and stopped.

use std::sync::Once;

use datagen::verify::{Error, verify};
use datagen::{Progress, Unit};
use migrations::Level;
use sqlx::Connection as _;
use tokio_util::sync::CancellationToken;

use super::{ADD_A_CALL, changes, count, found, loaded, table, with_connections};
use crate::support::{Listener, connect};

#[tokio::test]
async fn what_an_open_transaction_has_written_is_not_seen() {
    let database = loaded(Level::Optimized).await;
    let mut writer = connect(database.url()).await;
    let mut open = writer.begin().await.unwrap();
    sqlx::raw_sql(ADD_A_CALL).execute(&mut *open).await.unwrap();
    sqlx::raw_sql("DELETE FROM label; UPDATE customer SET status = 'pending'")
        .execute(&mut *open)
        .await
        .unwrap();
    let before = found(&database).await;
    assert!(before.passed(), "{}", before.sentence());
    open.commit().await.unwrap();
    let after = found(&database).await;
    assert_eq!(changes(&after, "call").added.rows, 1);
    assert!(!table(&after, "label").is_equal && !table(&after, "customer").is_equal);
}

/// Writes to the database as soon as the first table is being read.
struct Writer {
    url: String,
    once: Once,
}

impl Progress for Writer {
    fn phase_started(&self, name: &str, _: u64, unit: Unit) {
        assert!(
            name.starts_with("verify ") && (unit == Unit::Rows || unit == Unit::Steps),
            "{name} {unit:?}"
        );
        let url = self.url.clone();
        self.once.call_once(|| {
            let writing = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let mut conn = connect(&url).await;
                    sqlx::raw_sql(ADD_A_CALL).execute(&mut conn).await.unwrap();
                    sqlx::raw_sql("DELETE FROM workspace").execute(&mut conn).await.unwrap();
                    // A snapshot does not bring truncated rows back, so TRUNCATE has to wait.
                    let lock = "BEGIN; LOCK TABLE call IN ACCESS EXCLUSIVE MODE NOWAIT";
                    let refused = sqlx::raw_sql(lock).execute(&mut conn).await.unwrap_err();
                    assert!(refused.to_string().contains("could not obtain lock"), "{refused}");
                });
            });
            writing.join().unwrap();
        });
    }
}

#[tokio::test]
async fn what_is_committed_while_it_runs_is_not_seen_on_any_connection() {
    let database = loaded(Level::Optimized).await;
    let writer = Writer { url: database.url().to_owned(), once: Once::new() };
    let found = verify(database.url(), &with_connections(4), &writer).await.unwrap();
    assert!(writer.once.is_completed());
    assert!(found.passed(), "{}", found.sentence());
    assert_eq!(count(&database, "SELECT count(*) FROM workspace").await, 0);
}

#[tokio::test]
async fn it_can_be_stopped() {
    let database = loaded(Level::Before).await;
    let options = with_connections(2);
    let stop = StopAt { phase: "verify customer", stop: options.stop.clone() };
    let outcome = verify(database.url(), &options, &stop).await;
    assert!(matches!(outcome, Err(Error::Interrupted)), "{outcome:?}");
}

struct StopAt {
    phase: &'static str,
    stop: CancellationToken,
}

impl Progress for StopAt {
    fn phase_started(&self, name: &str, _: u64, _: Unit) {
        if name == self.phase {
            self.stop.cancel();
        }
    }
}

/// Hears of every row that is read, in phases that follow each other.
#[tokio::test]
async fn progress_tells_each_table_and_all_of_its_rows() {
    let database = loaded(Level::Before).await;
    let listener = Listener::default();
    verify(database.url(), &with_connections(2), &listener).await.unwrap();
    let heard = listener.heard.lock().unwrap().clone();
    assert_eq!(heard[0], "verify workspace 12 Rows");
    assert_eq!(heard[10], "verify call 120000 Rows");
    assert!(heard.iter().any(|phase| phase == "verify references 16 Steps"), "{heard:?}");
    let phases = listener.phases.lock().unwrap();
    assert_eq!(phases.len(), heard.len());
    assert_eq!((phases[10].name.as_str(), phases[10].rows), ("verify call", Some(120_000)));
}
