//! The rows of a bench: those of the database that is named, or fresh ones in the private PostgreSQL for tests, which starts
//! by itself and ends with the last program that uses it. Fresh ones go away with the bench, also after `kill -9`: then at
//! the next start.

use chrono::{DateTime, Utc};
use datagen::{DEFAULT_SEED, Scale, Spec};
use migrations::Level;

/// What names a database with a dataset.
const VARIABLE: &str = "CALLBENCH_DATABASE_URL";

/// Whether each bench is only to run once, to see that it works: `cargo bench -- --test`, and `cargo test --benches`. As
/// criterion understands it.
pub(crate) fn is_test() -> bool {
    let given = |flag: &str| std::env::args().any(|word| word == flag);
    given("--test") || !given("--bench")
}

/// URL of the database that the environment names.
pub(crate) fn named() -> Option<String> {
    std::env::var(VARIABLE).ok()
}

/// A database with rows.
pub(crate) struct Dataset {
    pub(crate) url: String,
    /// Held for as long as the rows are needed.
    _fresh: Option<cluster::testing::TestDatabase>,
}

impl Dataset {
    /// The database that the environment names, as it is; or a fresh one of this scale at this level, the smallest scale
    /// when benches are only tried.
    pub(crate) async fn open(name: &str, scale: Scale, level: Level) -> Self {
        if let Some(url) = named() {
            return Self { url, _fresh: None };
        }
        let database = cluster::testing::database(name).await;
        let as_of = DateTime::<Utc>::from_timestamp(1_780_000_000, 0).expect("a time");
        let scale = if is_test() { Scale::Tiny } else { scale };
        let spec = Spec::of(scale, DEFAULT_SEED, as_of);
        let options = datagen::Options::default();
        datagen::seed(database.url(), &spec, level, &options, &()).await.expect("the dataset is loaded");
        Self { url: database.url().to_owned(), _fresh: Some(database) }
    }
}
