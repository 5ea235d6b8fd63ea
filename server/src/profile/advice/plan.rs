//! A plan as PostgreSQL carried it out, read from `EXPLAIN (ANALYZE, BUFFERS, SETTINGS, FORMAT JSON)`.
//!
//! PostgreSQL 15 to 18 print the same tree with keys that come and go, so whatever is absent reads as zero or nothing.
//! Rows and times are printed per loop, rows rounded (to whole ones before 18, to hundredths since); here they are those
//! of all loops, so that a node can be compared with its children. Blocks, heap fetches and kilobytes are printed as totals
//! and include, where they are blocks, those of the children.

use serde_json::Value;

/// A statement's plan, with what it took.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Plan {
    /// The node that hands out the rows.
    pub(crate) root: Node,
    /// Time to plan.
    pub(crate) planning_ms: f64,
    /// Time to run, without planning.
    pub(crate) execution_ms: f64,
    /// Settings that differ from those that PostgreSQL is shipped with, as they are printed (`256MB`).
    pub(super) settings: Vec<(String, String)>,
}

/// One step of a plan. All figures are of all its loops together.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Node {
    /// What it does: `Seq Scan`, `Limit`, `Hash Join`.
    pub(crate) kind: String,
    /// Whether it is asked for a value beside the stream of rows: a subquery, or a common table expression.
    pub(crate) is_subplan: bool,
    /// The table that it reads.
    pub(crate) relation: Option<String>,
    /// What the statement calls that table.
    pub(crate) alias: Option<String>,
    /// The index that it reads.
    pub(crate) index: Option<String>,
    /// How often it ran; 0 when it never did. One process of a parallel step is one loop.
    pub(crate) loops: f64,
    /// Rows that it handed out.
    pub(crate) rows: f64,
    /// Rows that it read and threw away, by its filter or because an index had promised too much.
    pub(crate) removed: f64,
    /// Time in it and below it. Processes that ran at once are added up.
    pub(crate) total_ms: f64,
    /// What rows must pass after they were read.
    pub(crate) filter: Option<String>,
    /// What the index is asked for; of a bitmap, what its indexes were asked for.
    pub(crate) index_condition: Option<String>,
    /// What the rows of both sides of a hash join have in common.
    pub(crate) hash_condition: Option<String>,
    /// The order that a sort makes, one text for each key.
    pub(crate) sort_key: Vec<String>,
    /// How a sort went about it: `quicksort`, `top-N heapsort`, `external merge`.
    pub(crate) sort_method: Option<String>,
    /// Kilobytes on disk that a sort or an aggregate by hashing took; 0 when memory was enough. Of several processes, the
    /// most that one took.
    pub(crate) disk_kb: f64,
    /// Kilobytes of memory that a hash took.
    pub(crate) peak_memory_kb: f64,
    /// Parts in which a hash was worked off; more than 1 went through files.
    pub(crate) hash_batches: f64,
    /// Rows of an index for which the table had to be asked whether they are visible.
    pub(crate) heap_fetches: f64,
    /// Blocks written to temporary files, here and below.
    pub(crate) temp_written_blocks: f64,
    /// Blocks found in memory, here and below.
    pub(crate) shared_hit_blocks: f64,
    /// Blocks read from outside of PostgreSQL's memory, here and below.
    pub(crate) shared_read_blocks: f64,
    /// The steps that it takes its rows from, subplans included.
    pub(crate) children: Vec<Node>,
}

impl Plan {
    /// Reads what `EXPLAIN` answered: an array with one object, or that object. `None` when it is neither.
    pub(crate) fn read(explained: &Value) -> Option<Self> {
        let explained = explained.get(0).unwrap_or(explained);
        let root = explained.get("Plan").filter(|plan| plan.is_object())?;
        let settings = explained.get("Settings").and_then(Value::as_object);
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some(Self {
            root: Node::read(root),
            planning_ms: number(explained, "Planning Time"),
            execution_ms: number(explained, "Execution Time"),
            settings: settings
                .into_iter()
                .flatten()
                .map(|(name, value)| (name.clone(), text(value)))
                .collect(),
        })
    }

    /// A setting that the plan was made under, when it is not the one that PostgreSQL is shipped with.
    pub(crate) fn setting(&self, name: &str) -> Option<&str> {
        self.settings.iter().find(|(is, _)| is == name).map(|(_, value)| value.as_str())
    }

    /// Time to plan and to run.
    pub(crate) fn total_ms(&self) -> f64 {
        self.planning_ms + self.execution_ms
    }

    /// Blocks of tables and indexes that were looked at, wherever they were found.
    pub(crate) fn blocks(&self) -> f64 {
        self.root.shared_hit_blocks + self.root.shared_read_blocks
    }

    /// The part of the run that was spent in a node and below it, from 0 to 1.
    pub(crate) fn share(&self, node: &Node) -> f64 {
        let whole_ms = self.execution_ms.max(self.root.total_ms);
        if whole_ms > 0.0 { (node.total_ms / whole_ms).clamp(0.0, 1.0) } else { 1.0 }
    }
}

impl Node {
    fn read(printed: &Value) -> Self {
        let text = |key: &str| printed.get(key).and_then(Value::as_str).map(str::to_owned);
        let of = |key: &str| number(printed, key);
        let loops = of("Actual Loops");
        let workers = || list(printed, "Workers");
        let spilled = |part: &Value| {
            let sorted_kb = if part.get("Sort Space Type").and_then(Value::as_str) == Some("Disk") {
                number(part, "Sort Space Used")
            } else {
                0.0
            };
            let groups_kb = ["Full-sort Groups", "Pre-sorted Groups"]
                .map(|groups| number(&part[groups]["Sort Space Disk"], "Peak Sort Space Used"));
            groups_kb.into_iter().fold(sorted_kb, f64::max).max(number(part, "Disk Usage"))
        };
        let most = |key: &str| workers().map(|worker| number(worker, key)).fold(of(key), f64::max);
        Self {
            kind: text("Node Type").unwrap_or_default(),
            is_subplan: matches!(text("Parent Relationship").as_deref(), Some("InitPlan" | "SubPlan")),
            relation: text("Relation Name"),
            alias: text("Alias"),
            index: text("Index Name"),
            loops,
            rows: of("Actual Rows") * loops,
            removed: (of("Rows Removed by Filter") + of("Rows Removed by Index Recheck")) * loops,
            total_ms: of("Actual Total Time") * loops,
            filter: text("Filter"),
            index_condition: text("Index Cond").or_else(|| text("Recheck Cond")),
            hash_condition: text("Hash Cond"),
            sort_key: list(printed, "Sort Key").filter_map(Value::as_str).map(str::to_owned).collect(),
            sort_method: text("Sort Method"),
            disk_kb: workers().map(spilled).fold(spilled(printed), f64::max),
            peak_memory_kb: most("Peak Memory Usage"),
            hash_batches: most("Hash Batches").max(most("HashAgg Batches")),
            heap_fetches: of("Heap Fetches"),
            temp_written_blocks: of("Temp Written Blocks"),
            shared_hit_blocks: of("Shared Hit Blocks"),
            shared_read_blocks: of("Shared Read Blocks"),
            children: list(printed, "Plans").map(Self::read).collect(),
        }
    }

    /// It and everything below it, each node before its children.
    pub(crate) fn walk(&self) -> impl Iterator<Item = &Node> {
        let mut ahead = vec![self];
        std::iter::from_fn(move || {
            let node = ahead.pop()?;
            ahead.extend(node.children.iter().rev());
            Some(node)
        })
    }

    /// Rows that it looked at.
    pub(crate) fn rows_read(&self) -> f64 {
        self.rows + self.removed
    }

    /// Where its rows come from: its children without the subplans, of a join the outer side first.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &Node> {
        self.children.iter().filter(|child| !child.is_subplan)
    }

    /// Rows that its first input handed to it; 0 without one.
    pub(crate) fn rows_taken(&self) -> f64 {
        self.inputs().next().map_or(0.0, |input| input.rows)
    }

    /// Blocks that this step itself wrote to temporary files.
    pub(crate) fn own_temp_blocks(&self) -> f64 {
        let below: f64 = self.children.iter().map(|child| child.temp_written_blocks).sum();
        (self.temp_written_blocks - below).max(0.0)
    }
}

fn number(printed: &Value, key: &str) -> f64 {
    printed.get(key).and_then(Value::as_f64).unwrap_or(0.0)
}

fn list<'v>(printed: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    printed.get(key).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::profile::advice::testing::Ground;

    #[test]
    fn figures_are_those_of_all_loops_and_what_is_absent_is_nothing() {
        // As PostgreSQL 18 prints it, with rows in hundredths.
        let explained = json!([{
            "Plan": {
                "Node Type": "Nested Loop", "Actual Rows": 100.00, "Actual Loops": 1, "Actual Total Time": 2.5, "Disabled": false,
                "Shared Hit Blocks": 12, "Shared Read Blocks": 3, "Temp Written Blocks": 9,
                "Plans": [
                    {"Node Type": "Seq Scan", "Parent Relationship": "InitPlan", "Actual Rows": 1, "Actual Loops": 1},
                    {"Node Type": "Seq Scan", "Parent Relationship": "Outer", "Relation Name": "customer", "Alias": "c",
                     "Actual Rows": 50.0, "Actual Loops": 1, "Temp Written Blocks": 2},
                    {"Node Type": "Index Scan", "Parent Relationship": "Inner", "Index Name": "idx_call", "Relation Name": "call",
                     "Actual Rows": 1.98, "Actual Loops": 50, "Actual Total Time": 0.01, "Index Searches": 50,
                     "Rows Removed by Filter": 0.5, "Rows Removed by Index Recheck": 0.5}
                ]
            },
            "Settings": {"work_mem": "64kB"}, "Planning Time": 0.25, "Execution Time": 2.75, "Triggers": []
        }]);
        let plan = Plan::read(&explained).unwrap();
        assert_eq!((plan.total_ms(), plan.blocks()), (3.0, 15.0));
        assert_eq!((plan.setting("work_mem"), plan.setting("jit")), (Some("64kB"), None));
        let kinds: Vec<&str> = plan.root.walk().map(|node| node.kind.as_str()).collect();
        assert_eq!(kinds, ["Nested Loop", "Seq Scan", "Seq Scan", "Index Scan"]);
        assert_eq!(
            (plan.root.rows_taken(), plan.root.own_temp_blocks()),
            (50.0, 7.0),
            "subplans are beside the stream"
        );
        let calls = &plan.root.children[2];
        assert_eq!((calls.rows, calls.removed, calls.rows_read()), (99.0, 50.0, 149.0));
        assert!((plan.share(calls) - 0.5 / 2.75).abs() < 1e-9, "{}", plan.share(calls));

        assert_eq!(Plan::read(&explained[0]), Some(plan), "without the array around it");
        let bare = Plan::read(&json!([{"Plan": {}}])).unwrap();
        assert_eq!((bare.root, bare.execution_ms), (Node::default(), 0.0));
        for other in [json!(null), json!([]), json!({"Plan": 3}), json!("Seq Scan")] {
            assert_eq!(Plan::read(&other), None, "{other}");
        }
    }

    #[tokio::test]
    async fn a_plan_is_read_as_postgresql_carried_it_out() {
        let mut ground = Ground::new().await;
        let sql = "SELECT name FROM customer AS c WHERE c.status = $1 ORDER BY c.name DESC LIMIT 5";
        let plan = ground.explain("force_custom_plan", sql, "'blocked'").await;
        let nodes: Vec<&Node> = plan.root.walk().collect();
        let [limit, sort, scan] = nodes[..] else { panic!("{plan:#?}") };
        assert_eq!((limit.kind.as_str(), limit.rows, limit.rows_taken()), ("Limit", 5.0, 5.0));
        assert_eq!(sort.sort_key, ["name DESC"]);
        assert_eq!((sort.rows_taken(), sort.disk_kb), (40.0, 0.0));
        assert!(sort.sort_method.is_some());
        assert_eq!((scan.relation.as_deref(), scan.alias.as_deref()), (Some("customer"), Some("c")));
        assert_eq!((scan.rows, scan.removed, scan.loops), (40.0, 19_960.0, 1.0));
        assert_eq!(scan.filter.as_deref(), Some("((status)::text = 'blocked'::text)"));
        assert!(plan.execution_ms > 0.0 && plan.blocks() > 100.0);
        assert_eq!(plan.setting("jit"), Some("off"));
    }
}
