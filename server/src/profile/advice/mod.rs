//! What to change so that a request becomes faster, drawn from what was seen of it.
//!
//! Evidence comes in as plain data, findings come out; nothing here asks a database or a clock. Each kind of finding is a
//! module with its thresholds, and a threshold has its reason beside it. A finding is a sentence that names what it is about
//! (a statement by its table, an index, a setting), the figure that was seen, and what to do.
//!
//! What a statement's text can tell is read by `sql`, what its plan can tell by `plan` and `condition`. A plan is read as
//! what it did, never as what the planner expected.

mod columns;
mod condition;
mod counting;
mod figures;
mod generic;
mod heap;
mod index;
mod n_plus_one;
mod offset;
mod plan;
mod pool;
mod scans;
mod spill;
mod sql;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod variants;

pub(crate) use n_plus_one::is_n_plus_one;
pub(crate) use plan::{Node, Plan};
pub(crate) use scans::scans_whole;
use sql::Text;
pub(crate) use sql::counts;

use crate::profile::Layer;

/// The column that tells tenants apart. Every index that serves one tenant begins with it.
const TENANT: &str = "workspace_id";

/// From how many rows a node of a plan is worth a word. PostgreSQL looks at some thousands of rows in a millisecond, and a
/// table that is smaller lies in a few blocks, which no index makes fewer.
const MANY_ROWS: f64 = 1_000.0;

/// Facts of a request as a whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request<'a> {
    /// Rows that it answered with.
    pub(crate) records: usize,
    /// Time from its first byte to the last one of the answer.
    pub(crate) total_ms: f64,
    /// The pools that it took connections from.
    pub(crate) pools: &'a [PoolUse<'a>],
    /// Definitions of the indexes that are there, as `pg_indexes.indexdef` has them. What stands there is not advised again.
    pub(crate) indexes: &'a [String],
}

/// What a request had of a pool.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PoolUse<'a> {
    /// Name of the pool.
    pub(crate) name: &'a str,
    /// The most connections that it may have.
    pub(crate) size: usize,
    /// Time that the request waited for connections.
    pub(crate) wait_ms: f64,
}

/// What was seen of one statement; those of equal text are one.
#[derive(Debug, Clone)]
pub(crate) struct Evidence<'a> {
    /// Its text, with parameters.
    pub(crate) sql: &'a str,
    /// The layer that ran it.
    pub(crate) layer: Layer,
    /// How often it ran.
    pub(crate) times: usize,
    /// Time of all its runs.
    pub(crate) time_ms: f64,
    /// Rows of all its runs.
    pub(crate) rows: u64,
    /// The plan of one run, made as the request's was.
    pub(crate) plan: Option<Plan>,
    /// The plan of the same run made for its values, when the other was not.
    pub(crate) custom_plan: Option<Plan>,
    /// Columns that it brought and nobody read.
    pub(crate) unused_columns: &'a [&'a str],
}

impl Evidence<'_> {
    /// Time that all runs spent in a node of its plan and below.
    fn cost_ms(&self, plan: &Plan, node: &Node) -> f64 {
        self.time_ms * plan.share(node)
    }

    /// The plan that advice on tables and indexes is drawn from. Where a plan for all values hurts, that is what is to be
    /// changed; what remains to be said is seen in the one that would be made instead.
    fn good_plan(&self) -> Option<&Plan> {
        generic::hurts(self).map_or(self.plan.as_ref(), |pair| Some(pair.custom))
    }

    /// The table that it is about, for sentences.
    fn table(&self) -> &str {
        Text::of(self.sql).table().unwrap_or("no table")
    }

    /// A part of its time, for sentences.
    fn spent(&self, part_ms: f64) -> String {
        let spent = figures::ms(part_ms);
        if self.times > 1 { format!("{spent} in {} runs", self.times) } else { spent }
    }
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A permission check counts where it only needs to know whether there is any.
    CountInPermission,
    /// A permission check reads a table from end to end.
    ScanInPermission,
    /// Rows are counted one by one beside a page of them.
    ExactCount,
    /// One statement for each record.
    NPlusOne,
    /// An index would spare most of the rows that are read.
    MissingIndex,
    /// Rows are read only to be skipped.
    DeepOffset,
    /// The index alone is not enough, because the table was not vacuumed.
    HeapFetches,
    /// Memory was too small, so rows went through files.
    Spill,
    /// A plan made for all values is much worse than one made for these.
    GenericPlan,
    /// All connections were in use.
    FullPool,
    /// Columns are fetched and not used.
    UnusedColumns,
}

/// Something that should be changed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    /// What it is about.
    pub(crate) kind: Kind,
    /// What was seen, with figures, and what to do about it.
    pub(crate) sentence: String,
    /// The place of the statement in the evidence; of several, the one that costs most. `None` when it is about the request.
    pub(crate) statement: Option<usize>,
    /// Time of the request that the change is about. An upper bound: what is done instead takes some time, too.
    pub(crate) cost_ms: f64,
}

impl Finding {
    fn new(kind: Kind, cost_ms: f64, sentence: String) -> Self {
        Self { kind, sentence, statement: None, cost_ms }
    }
}

/// What to change about a request, the most costly first.
pub(crate) fn advise(request: &Request, evidence: &[Evidence]) -> Vec<Finding> {
    let mut findings = n_plus_one::findings(request, evidence);
    findings.extend(pool::findings(request));
    for (at, seen) in evidence.iter().enumerate() {
        let about = |finding: Finding| Finding { statement: Some(at), ..finding };
        findings.extend(counting::findings(seen).into_iter().map(about));
        findings.extend(scans::findings(request, seen).into_iter().map(about));
        findings.extend(index::findings(request, seen).into_iter().map(about));
        findings.extend(offset::findings(seen).into_iter().map(about));
        findings.extend(heap::findings(seen).into_iter().map(about));
        findings.extend(spill::findings(seen).into_iter().map(about));
        findings.extend(generic::findings(seen).into_iter().map(about));
        findings.extend(columns::findings(seen).into_iter().map(about));
    }
    findings.sort_by(|one, other| other.cost_ms.total_cmp(&one.cost_ms).then(one.kind.cmp(&other.kind)));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use testing::Ground;

    #[tokio::test]
    async fn findings_come_in_the_order_of_what_they_cost_and_name_their_statement() {
        let mut ground = Ground::new().await;
        let page = "SELECT id, name, status FROM customer WHERE workspace_id = $1
                     ORDER BY created_at DESC, id DESC LIMIT 50 OFFSET $2";
        let count = "SELECT count(*) FROM customer WHERE workspace_id = $1";
        let check = "SELECT count(*) FROM customer WHERE workspace_id = $1 AND employee_id = $2";
        let mut evidence = vec![
            ground.see(Layer::Permission, check, "1, 4").await,
            ground.see(Layer::Queryset, count, "1").await,
            ground.see(Layer::Queryset, page, "1, 8000").await,
        ];
        evidence[0].time_ms = 5.0;
        evidence[1].time_ms = 80.0;
        evidence[2].time_ms = 200.0;
        evidence[2].unused_columns = &["status"];
        let one = "SELECT name FROM employee WHERE id = $1";
        evidence.push(Evidence { sql: one, times: 50, time_ms: 1e6, plan: None, ..evidence[0].clone() });
        let pools = [PoolUse { name: "all", size: 4, wait_ms: 1e4 }];
        let request = Request { records: 50, total_ms: 2e4, pools: &pools, indexes: &[] };

        let findings = advise(&request, &evidence);
        let found: Vec<(Kind, Option<usize>)> =
            findings.iter().map(|finding| (finding.kind, finding.statement)).collect();
        assert_eq!(found[..2], [(Kind::NPlusOne, Some(3)), (Kind::FullPool, None)]);
        assert_eq!(*found.last().unwrap(), (Kind::UnusedColumns, Some(2)));
        for expected in [
            (Kind::DeepOffset, Some(2)),
            (Kind::MissingIndex, Some(2)),
            (Kind::ExactCount, Some(1)),
            (Kind::CountInPermission, Some(0)),
            (Kind::ScanInPermission, Some(0)),
        ] {
            assert!(found.contains(&expected), "{expected:?} in {findings:#?}");
        }
        assert_eq!(found.len(), 8, "{findings:#?}");
        assert!(findings.is_sorted_by(|one, next| one.cost_ms >= next.cost_ms), "{findings:#?}");
    }
}
