//! The rows of a bench: those of the database that is named, or fresh ones in the private PostgreSQL for tests, which starts
//! by itself and ends with the last program that uses it. That one is as durable as the one that is measured by the command.
//! Fresh ones go away with the bench, also after `kill -9`: then at the next start.
//!
//! `CALLBENCH_DATABASE_URL` names a database, `CALLBENCH_BENCH_SCALE` the scale of fresh rows.

use chrono::{DateTime, Utc};
use datagen::{DEFAULT_SEED, Scale, Spec};
use migrations::Level;

/// What names a database with a dataset.
const DATABASE: &str = "CALLBENCH_DATABASE_URL";

/// What names the scale of a fresh dataset.
const SCALE: &str = "CALLBENCH_BENCH_SCALE";

/// Whether each bench is only to run once, to see that it works: `cargo bench -- --test`, and `cargo test --benches`. As
/// criterion understands it.
pub(crate) fn is_test() -> bool {
    let given = |flag: &str| std::env::args().any(|word| word == flag);
    given("--test") || !given("--bench")
}

/// URL of the database that the environment names.
pub(crate) fn named() -> Option<String> {
    std::env::var(DATABASE).ok()
}

/// What a fresh dataset is like: of the scale that the environment names, or of the smallest when benches are only tried, or
/// of the `usual` one.
pub(crate) fn fresh(usual: Scale) -> Spec {
    let scale = match std::env::var(SCALE) {
        Ok(name) => name.parse().unwrap_or_else(|error| panic!("{SCALE}: {error}")),
        Err(_) if is_test() => Scale::Tiny,
        Err(_) => usual,
    };
    let as_of = DateTime::<Utc>::from_timestamp(1_780_000_000, 0).expect("a time");
    Spec::of(scale, DEFAULT_SEED, as_of)
}

/// A database with rows.
pub(crate) struct Dataset {
    pub(crate) url: String,
    /// Held for as long as the rows are needed.
    _fresh: Option<cluster::testing::TestDatabase>,
}

impl Dataset {
    /// The database that the environment names, as it is; or a [`fresh`] one at this level. Ends the program where the one
    /// that is named has not come as far as this level: the other benches may have what they need.
    pub(crate) async fn open(name: &str, usual: Scale, level: Level) -> Self {
        if let Some(url) = named() {
            match lack(&url, level).await {
                Ok(None) => {}
                Ok(Some(sentence)) => {
                    eprintln!("{name}: skipped; {sentence}");
                    std::process::exit(0);
                }
                Err(error) => {
                    eprintln!("{name}: {DATABASE}: {error}");
                    std::process::exit(2);
                }
            }
            return Self { url, _fresh: None };
        }
        let database = cluster::testing::database(name).await;
        let spec = fresh(usual);
        let options = datagen::Options::default();
        datagen::seed(database.url(), &spec, level, &options, &()).await.expect("the dataset is loaded");
        Self { url: database.url().to_owned(), _fresh: Some(database) }
    }
}

/// What a database lacks for benches that need this level.
async fn lack(url: &str, level: Level) -> Result<Option<String>, migrations::Error> {
    let mut connection = migrations::connect(url, "callbench").await?;
    let own = migrations::level(&mut connection).await?.unwrap_or(Level::Before);
    Ok((own < level).then(|| {
        format!(
            "the database of {DATABASE} is at level {own}, and this needs {level}; bring it there with `callbench db \
             migrate`, name another one, or leave {DATABASE} out for rows of their own"
        )
    }))
}
