//! The ground of a level: a copy of the dataset at that level, a server of its variant on it, and what the benches ask for.

use std::cell::{RefCell, RefMut};

use cluster::databases;
use cluster::testing::TestDatabase;
use datagen::LARGEST_SLUG;
use migrations::Level;
use server::Variant;
use server::page::{Cursor, Direction, Place};
use sqlx::{Connection as _, PgConnection};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::dataset::{self, Dataset};
use crate::reference::{Client, Reference};
use crate::{page_size, variant_of};

/// The name of this program in `pg_stat_activity`.
const APPLICATION: &str = "callbench";

/// What the benches of a level share.
pub(crate) struct Ground<'a> {
    runtime: &'a Runtime,
    copy: Copy,
    server: Reference,
    client: RefCell<Client>,
    connection: RefCell<PgConnection>,
    /// Path and query of the list, in pages.
    pub(crate) list: String,
    pub(crate) variant: Variant,
    pub(crate) workspace: Uuid,
    /// Live customers of the workspace.
    customers: u64,
    /// The label that stands on the most customers of the workspace.
    pub(crate) label: Uuid,
}

impl<'a> Ground<'a> {
    /// Copies, migrates and serves, and says what is measured.
    pub(crate) fn prepare(runtime: &'a Runtime, dataset: &Dataset, level: Level) -> Self {
        let variant = variant_of(level);
        let (copy, connection, (workspace, customers, calls, label, postgres), server) =
            runtime.block_on(async {
                let copy = Copy::of(&dataset.url).await;
                let mut connection =
                    migrations::connect(&copy.url, APPLICATION).await.expect("the copy is there");
                migrations::migrate(&mut connection, &copy.url, level, &mut |_| {}).await.expect("the level");
                // Pages that were copied or built are written now, and counts are fresh.
                sqlx::raw_sql("VACUUM (ANALYZE)").execute(&mut connection).await.expect("a vacuum");
                sqlx::raw_sql("CHECKPOINT").execute(&mut connection).await.ok();
                let facts = facts(&mut connection).await.expect("the dataset can be read");
                let server = Reference::start(&copy.url, variant, false).await;
                (copy, connection, facts, server)
            });
        println!(
            "\nlevel {level}, variant {variant}: a workspace of {customers} customers and {calls} calls, pages of {}, warm, \
             one request at a time; {postgres}",
            page_size()
        );
        Self {
            runtime,
            copy,
            client: RefCell::new(Client::connect(server.address)),
            server,
            connection: RefCell::new(connection),
            list: format!("/api/v1/customers/?workspace_id={LARGEST_SLUG}&page_size={}", page_size()),
            variant,
            workspace,
            customers: u64::try_from(customers).expect("a count"),
            label,
        }
    }

    /// The only connection to the server.
    pub(crate) fn client(&self) -> RefMut<'_, Client> {
        self.client.borrow_mut()
    }

    /// Does something in the database of this level, beside the server.
    pub(crate) fn aside<T>(&self, work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>) -> T {
        let mut connection = self.connection.borrow_mut();
        self.runtime.block_on(work(&mut connection)).expect("the database does as it is told")
    }

    /// Pages of the list that have all their rows.
    pub(crate) fn full_pages(&self) -> u64 {
        self.customers / u64::from(page_size())
    }

    /// Path and query of a page: by its number for the variant that knows no cursors, by a cursor for the others.
    pub(crate) fn page(&self, number: u64) -> String {
        if self.variant == Variant::Naive {
            return format!("{}&page={number}", self.list);
        }
        if number == 1 {
            return self.list.clone();
        }
        let rows_before = i64::try_from((number - 1) * u64::from(page_size())).expect("a count");
        let workspace = self.workspace;
        let (created_at, id) = self.aside(async |connection| {
            sqlx::query_as(
                "SELECT created_at, id FROM customer
                  WHERE workspace_id = $1 AND NOT is_deleted
                  ORDER BY created_at DESC, id DESC OFFSET $2 - 1 LIMIT 1",
            )
            .bind(workspace)
            .bind(rows_before)
            .fetch_one(connection)
            .await
        });
        let cursor = Cursor::beyond(Place { created_at, id }, Direction::Next);
        format!("{}&cursor={}", self.list, cursor.encode().expect("a cursor has a text"))
    }

    /// Stops the server and drops the copy.
    pub(crate) fn leave(self) {
        let Self { runtime, copy, server, client, connection, .. } = self;
        drop(client);
        runtime.block_on(async {
            server.stop().await;
            connection.into_inner().close().await.expect("the connection is closed");
        });
        drop(copy);
    }
}

/// Id, live customers and calls of the workspace, its commonest label, and the version of the server with what makes its commits
/// durable.
async fn facts(connection: &mut PgConnection) -> Result<(Uuid, i64, i64, Uuid, String), sqlx::Error> {
    sqlx::query_as(
        "SELECT w.id,
                (SELECT count(*) FROM customer WHERE workspace_id = w.id AND NOT is_deleted),
                (SELECT count(*) FROM call WHERE workspace_id = w.id),
                (SELECT cl.label_id FROM customer_label AS cl JOIN label AS l ON l.id = cl.label_id
                  WHERE l.workspace_id = w.id GROUP BY cl.label_id ORDER BY count(*) DESC, cl.label_id LIMIT 1),
                format('PostgreSQL %s, fsync %s, synchronous_commit %s', current_setting('server_version'),
                       current_setting('fsync'), current_setting('synchronous_commit'))
           FROM workspace AS w WHERE w.slug = $1",
    )
    .bind(LARGEST_SLUG)
    .fetch_one(connection)
    .await
}

/// The name of the one copy that there is at a time.
fn name_on_a_named_server() -> String {
    format!("callbench_benched_{}", std::process::id())
}

/// Waits for an interruption, and then leaves no copy on the server of this database, where nobody else would drop it.
pub(crate) async fn drop_when_interrupted(url: String) {
    if tokio::signal::ctrl_c().await.is_err() {
        return;
    }
    let name = name_on_a_named_server();
    let copy = databases::with_database(&url, &name).expect("a URL");
    match databases::drop(&copy).await {
        Ok(_) => eprintln!("interrupted; the copy {name} is dropped"),
        Err(error) => eprintln!("interrupted; the copy {name} remains: {error}"),
    }
    std::process::exit(130);
}

/// A copy of a database, which goes away with this value.
struct Copy {
    url: String,
    name: String,
    /// Keeps the place of a copy in the private PostgreSQL, and drops it.
    place: Option<TestDatabase>,
}

impl Copy {
    async fn of(url: &str) -> Self {
        let place = match dataset::named() {
            Some(_) => None,
            // Named as a database for tests, so that what a killed bench leaves goes away at the next start.
            None => Some(cluster::testing::database("level").await),
        };
        let name = match &place {
            Some(place) => place.name().to_owned(),
            None => name_on_a_named_server(),
        };
        let copy = databases::with_database(url, &name).expect("a URL");
        databases::drop(&copy).await.expect("the place is free");
        databases::clone(url, &name).await.unwrap_or_else(|error| panic!("{error}"));
        Self { url: copy, name, place }
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if self.place.is_some() {
            return;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let dropped = runtime.map(|runtime| runtime.block_on(databases::drop(&self.url)));
        if !matches!(dropped, Ok(Ok(_))) {
            eprintln!("the copy {} remains: {dropped:?}", self.name);
        }
    }
}
