//! Each index left out in turn, and what reads lose and writes gain by it.
//!
//! `DROP INDEX` in a transaction that is rolled back costs nothing and leaves the index as it was; it locks the table, so
//! this is for a database that nobody else uses. All rounds of reads come before those of writes: rows that were written
//! and rolled back lie on the pages until a vacuum, and reads would count them.
//!
//! Each round looks at the full set twice and at the set without each index once, in an order drawn anew, so that what the
//! database has in its caches is nobody's advantage. The two looks at the full set are the noise that a difference has to
//! exceed. Before the first round there is a look that is not counted, in which each page that will be written leaves its
//! image in the log.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rand::SeedableRng as _;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom as _;
use reports::labs::indexes::{Ablation, Index, Kept, Operation, Sample, price};
use reports::run::Check;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::Error;
use super::look::{Ground, Setting};
use super::statements::{Asked, Statements};
use super::values::Values;

/// Seed of the orders.
const SEED: u64 = 7;

/// What is left out, and how it is measured.
pub struct Ablating<'a> {
    /// A database that nobody else uses, and that is dropped afterwards.
    pub url: &'a str,
    /// All indexes; those that keep a rule, or are invalid, stay in place.
    pub indexes: &'a [Index],
    /// Slug or UUID of the workspace whose rows are read and written.
    pub workspace: &'a str,
    /// What is read.
    pub reads: Statements,
    /// Rounds, at least 1.
    pub rounds: u32,
    /// How long one statement may take.
    pub timeout: Duration,
    /// Is told of each round that is done, and how long it took.
    pub tell: &'a dyn Fn(&str, Duration),
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Ablated {
    /// Samples and prices.
    pub ablation: Ablation,
    /// Whether the indexes are as they were.
    pub checks: Vec<Check>,
    /// What a reader must know.
    pub warnings: Vec<String>,
}

/// An index that is left out, and how SQL writes its name.
struct Candidate<'a> {
    index: &'a Index,
    quoted: String,
}

/// Leaves out each index in turn.
pub async fn ablate(asked: &Ablating<'_>) -> Result<Ablated, Error> {
    let mut connection = super::connect(asked.url).await?;
    quieten(&mut connection).await?;
    let before = definitions(&mut connection).await?;
    let (mut candidates, mut kept) = (Vec::new(), Vec::new());
    for index in asked.indexes {
        match why_kept(index) {
            Some(why) => kept.push(Kept { index: index.name.clone(), why }),
            None => {
                candidates.push(Candidate { index, quoted: quoted(&mut connection, &index.name).await? });
            }
        }
    }
    let mut warnings = Vec::new();
    let writes = Statements::writes()?;
    let (mut operations, mut samples) = (Vec::new(), Vec::new());
    for (kind, statements) in [("reads", &asked.reads), ("writes", &writes)] {
        let values = Values::draw(&mut connection, statements, asked.workspace).await?;
        let phase = Phase { asked, kind, candidates: &candidates, values };
        let found = phase.run(&mut connection, &statements.asked, &mut warnings).await?;
        operations.extend(found.0);
        samples.extend(found.1);
    }
    if operations.is_empty() {
        return Err(Error::NothingToAsk(asked.workspace.to_owned()));
    }
    let after = definitions(&mut connection).await?;
    connection.close().await?;
    let prices = candidates.iter().map(|candidate| price(candidate.index, &operations, &samples)).collect();
    let ablation = Ablation {
        workspace: asked.workspace.to_owned(),
        rounds: asked.rounds,
        timeout_s: asked.timeout.as_secs_f64(),
        operations,
        samples,
        kept,
        prices,
    };
    let check = Check {
        name: "the indexes are as they were".to_owned(),
        passed: before == after,
        detail: format!("{} definitions and their files compared", before.len()),
    };
    Ok(Ablated { ablation, checks: vec![check], warnings })
}

/// Reads, or writes.
struct Phase<'a> {
    asked: &'a Ablating<'a>,
    kind: &'static str,
    candidates: &'a [Candidate<'a>],
    values: Values,
}

impl Phase<'_> {
    async fn run(
        &self,
        connection: &mut PgConnection,
        statements: &[Asked],
        warnings: &mut Vec<String>,
    ) -> Result<(Vec<Operation>, Vec<Sample>), Error> {
        let (mut can, cannot): (Vec<Asked>, Vec<Asked>) =
            statements.iter().cloned().partition(|asked| self.values.times(&asked.statement) > 0);
        for asked in cannot {
            warnings.push(format!(
                "{} was not carried out: no [[draw]] gave a row with {}",
                asked.name,
                self.values.missing(&asked.statement).join(", ")
            ));
        }
        sqlx::query("CHECKPOINT").execute(&mut *connection).await?;
        let begun = Instant::now();
        let first = self.ground(&can).look(connection, Setting { round: 0, pass: 1, without: None }).await?;
        for sample in first.samples.iter().filter(|sample| sample.stopped) {
            warnings.push(format!(
                "{} did not end within {} s with all indexes, and was left out",
                sample.operation,
                self.asked.timeout.as_secs_f64()
            ));
            can.retain(|asked| asked.name != sample.operation);
        }
        (self.asked.tell)(&format!("{}, before the first round", self.kind), begun.elapsed());
        let mut tables: BTreeMap<String, BTreeSet<String>> = first.tables;
        let mut samples = Vec::new();
        for round in 1..=self.asked.rounds {
            let begun = Instant::now();
            for setting in self.settings(round) {
                let looked = self.ground(&can).look(connection, setting).await?;
                samples.extend(looked.samples);
                for (operation, found) in looked.tables {
                    tables.entry(operation).or_default().extend(found);
                }
            }
            (self.asked.tell)(
                &format!("{}, round {round} of {}", self.kind, self.asked.rounds),
                begun.elapsed(),
            );
        }
        let operations = can.into_iter().map(|asked| Operation {
            writes: asked.rows > 0,
            rows: asked.rows,
            times: self.values.times(&asked.statement) as u64,
            sql: asked.written,
            tables: tables.get(&asked.name).into_iter().flatten().cloned().collect(),
            name: asked.name,
        });
        Ok((operations.collect(), samples))
    }

    fn ground<'a>(&'a self, asked: &'a [Asked]) -> Ground<'a> {
        Ground { asked, values: &self.values, timeout: self.asked.timeout }
    }

    /// The looks of a round, in an order of its own.
    fn settings(&self, round: u32) -> Vec<Setting<'_>> {
        let full = (1..=2).map(|pass| Setting { round, pass, without: None });
        let left_out = self.candidates.iter().map(|candidate| Setting {
            round,
            pass: 1,
            without: Some((&candidate.index.name, &candidate.quoted)),
        });
        let mut settings: Vec<Setting<'_>> = full.chain(left_out).collect();
        settings.shuffle(&mut Xoshiro256PlusPlus::seed_from_u64(SEED ^ u64::from(round)));
        settings
    }
}

/// Why an index stays in place; `None` if it does not.
fn why_kept(index: &Index) -> Option<String> {
    if !index.valid {
        return Some("invalid, so no read can miss it".to_owned());
    }
    index.rule.map(|rule| format!("keeps a rule ({})", rule.words()))
}

/// How SQL writes the name of an index.
async fn quoted(connection: &mut PgConnection, name: &str) -> Result<String, Error> {
    Ok(sqlx::query_scalar(
        "SELECT format('%I.%I', n.nspname, c.relname)
           FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
          WHERE c.relkind = 'i'
            AND CASE WHEN n.nspname = 'public' THEN c.relname::text ELSE n.nspname || '.' || c.relname END = $1",
    )
    .bind(name)
    .fetch_one(connection)
    .await?)
}

/// Keeps autovacuum away: it would come in between, and hold locks.
async fn quieten(connection: &mut PgConnection) -> Result<(), Error> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', n.nspname, c.relname)
           FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
          WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
            AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%'",
    )
    .fetch_all(&mut *connection)
    .await?;
    for table in tables {
        // Safe: the name comes quoted from the catalogue.
        let sql = AssertSqlSafe(format!("ALTER TABLE {table} SET (autovacuum_enabled = off)"));
        sqlx::query(sql).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Every index with what makes it, whether it may be used, and the file that it lies in, which one that was built anew has
/// of its own.
async fn definitions(connection: &mut PgConnection) -> Result<Vec<(String, bool, Option<i64>)>, Error> {
    Ok(sqlx::query_as(
        "SELECT pg_get_indexdef(indexrelid), indisvalid AND indisready, pg_relation_filenode(indexrelid)::bigint
           FROM pg_catalog.pg_index
          WHERE indrelid >= 16384 ORDER BY 1",
    )
    .fetch_all(connection)
    .await?)
}
