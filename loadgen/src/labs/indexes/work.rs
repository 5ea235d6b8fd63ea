//! What one statement took, as `EXPLAIN (ANALYZE, …, FORMAT JSON)` tells it.

use std::collections::BTreeSet;

use serde_json::Value;

/// Counted work of one statement.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Work {
    /// Shared buffers that execution touched; triggers that fire at the end are not in it.
    pub(super) buffers: f64,
    /// Time in the executor, triggers included.
    pub(super) time_us: f64,
    /// Records in the log, images of whole pages, and bytes of both; 0 for a read.
    pub(super) wal_records: f64,
    pub(super) wal_images: f64,
    pub(super) wal_bytes: f64,
    /// Indexes that the plan has.
    pub(super) indexes: BTreeSet<String>,
    /// Tables that the plan reads.
    pub(super) tables: BTreeSet<String>,
    /// Tables that it changes; those of triggers are not in it.
    pub(super) changed: BTreeSet<String>,
}

impl Work {
    /// From the document that EXPLAIN answers with.
    pub(super) fn of(explained: &Value) -> Self {
        let top = &explained[0];
        let plan = &top["Plan"];
        let number = |key: &str| plan[key].as_f64().unwrap_or(0.0);
        let mut work = Self {
            buffers: number("Shared Hit Blocks") + number("Shared Read Blocks"),
            time_us: top["Execution Time"].as_f64().unwrap_or(0.0) * 1e3,
            wal_records: number("WAL Records"),
            wal_images: number("WAL FPI"),
            wal_bytes: number("WAL Bytes"),
            ..Self::default()
        };
        work.walk(plan);
        work
    }

    fn walk(&mut self, node: &Value) {
        let name = |key: &str| node[key].as_str().map(str::to_owned);
        self.indexes.extend(name("Index Name"));
        let tables = if node["Node Type"] == "ModifyTable" { &mut self.changed } else { &mut self.tables };
        tables.extend(name("Relation Name"));
        for child in node["Plans"].as_array().into_iter().flatten() {
            self.walk(child);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn buffers_are_those_of_the_whole_and_names_those_of_all_nodes() {
        let explained = json!([{
            "Plan": {
                "Node Type": "Limit", "Shared Hit Blocks": 50, "Shared Read Blocks": 4, "WAL Bytes": 900, "WAL Records": 7,
                "WAL FPI": 1,
                "Plans": [
                    { "Node Type": "Index Scan", "Index Name": "b", "Relation Name": "t", "Shared Hit Blocks": 40 },
                    { "Node Type": "Bitmap Heap Scan", "Relation Name": "u",
                      "Plans": [{ "Node Type": "Bitmap Index Scan", "Index Name": "a" }] },
                ],
            },
            "Execution Time": 1.25,
        }]);
        let work = Work::of(&explained);
        assert_eq!((work.buffers, work.time_us), (54.0, 1250.0));
        assert_eq!((work.wal_records, work.wal_images, work.wal_bytes), (7.0, 1.0, 900.0));
        assert_eq!(Vec::from_iter(work.indexes), ["a", "b"]);
        assert_eq!(Vec::from_iter(work.tables), ["t", "u"]);
        let explained = json!([{ "Plan": {
            "Node Type": "ModifyTable", "Relation Name": "t", "Plans": [{ "Node Type": "Seq Scan", "Relation Name": "u" }],
        } }]);
        let work = Work::of(&explained);
        assert_eq!(
            (Vec::from_iter(work.changed), Vec::from_iter(work.tables)),
            (vec!["t".into()], vec!["u".into()])
        );
    }
}
