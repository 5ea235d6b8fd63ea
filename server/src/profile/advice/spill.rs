//! Rows that went through files because memory was too small for them.
//!
//! Each step may use `work_mem`, a hash `hash_mem_multiplier` times as much (manual, Resource Consumption). How much would
//! have been enough follows from what went to disk:
//!
//! - a sort keeps a slot of 24 bytes for each row, and in front of the row a header that files don't have, rounded up to
//!   8 bytes (`SortTuple` and `MinimalTuple` in PostgreSQL's sources, `tuplesort.c`);
//! - a hash join worked through its parts one after the other, and the largest took the peak (`nodeHash.c`);
//! - an aggregate by hashing wrote rows that it had no room to group, so both together are enough (`nodeAgg.c`);
//! - anything else keeps rows as they are written.

use super::{Evidence, Finding, Kind, Node, Plan, figures};

/// What a row takes in the memory of a sort and not in its file.
const SORT_BYTES_PER_ROW: f64 = 24.0 + 16.0 + 8.0;

/// What memory is claimed in steps for: tables double, parts are not of one size.
const ROOM: f64 = 1.25;

/// The setting that PostgreSQL is shipped with.
const HASH_MEM_MULTIPLIER: f64 = 2.0;
const WORK_MEM: &str = "4MB";

const BLOCK_KB: f64 = 8.0;

/// The finding about the step that needs the most memory.
pub(super) fn findings(seen: &Evidence) -> Option<Finding> {
    let plan = seen.good_plan()?;
    let spills = plan.root.walk().filter_map(|node| Spill::of(plan, node));
    let spill = spills.max_by(|one, other| one.needed_kb.total_cmp(&other.needed_kb))?;
    let cost_ms = seen.cost_ms(plan, spill.node);
    let sentence = format!(
        "{} of the statement on {} took {} of files, because work_mem is {} ({}): give it a work_mem of at least {}MB, or \
         fewer rows",
        spill.what,
        seen.table(),
        figures::kilobytes(spill.file_kb),
        plan.setting("work_mem").unwrap_or(WORK_MEM),
        seen.spent(cost_ms),
        (spill.needed_kb / 1024.0).ceil(),
    );
    Some(Finding::new(Kind::Spill, cost_ms, sentence))
}

/// A step that went through files.
struct Spill<'p> {
    node: &'p Node,
    what: String,
    file_kb: f64,
    /// The `work_mem` with which it would not have.
    needed_kb: f64,
}

impl<'p> Spill<'p> {
    fn of(plan: &Plan, node: &'p Node) -> Option<Self> {
        let multiplier = plan.setting("hash_mem_multiplier").and_then(|text| text.parse().ok());
        let of_hash = |memory_kb: f64| memory_kb / multiplier.unwrap_or(HASH_MEM_MULTIPLIER);
        let written_kb = node.own_temp_blocks() * BLOCK_KB;
        let (what, file_kb, needed_kb) = match node.kind.as_str() {
            "Sort" | "Incremental Sort" if node.disk_kb > 0.0 => {
                let rows = node.rows_taken() / node.loops.max(1.0);
                let memory_kb = node.disk_kb + rows * SORT_BYTES_PER_ROW / 1024.0;
                (format!("A sort of {} rows", figures::count(rows)), node.disk_kb, memory_kb)
            }
            "Hash" if node.hash_batches > 1.0 => (
                format!("A hash of {} rows in {} parts", figures::count(node.rows), node.hash_batches),
                written_kb,
                of_hash(node.peak_memory_kb * node.hash_batches),
            ),
            "Aggregate" if node.disk_kb > 0.0 => (
                format!("Grouping {} rows", figures::count(node.rows_taken())),
                node.disk_kb,
                of_hash(node.peak_memory_kb + node.disk_kb),
            ),
            // The hash below it says how much.
            "Hash Join" | "Sort" | "Incremental Sort" | "Hash" | "Aggregate" => return None,
            kind if written_kb > 0.0 => (format!("The step `{kind}`"), written_kb, written_kb),
            _ => return None,
        };
        Some(Self { node, what, file_kb, needed_kb: needed_kb * ROOM })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::advice::Layer;
    use crate::profile::advice::testing::{Ground, assert_says, sentences};

    /// The `work_mem` that a sentence asks for, in megabytes.
    fn asked_mb(sentences: &[String]) -> u32 {
        let (_, tail) = sentences[0].split_once("a work_mem of at least ").expect("a setting");
        tail.split_once("MB").expect("megabytes").0.parse().expect("a number")
    }

    #[tokio::test]
    async fn what_went_through_files_fits_into_the_memory_that_is_asked_for() {
        let mut ground = Ground::new().await;
        for (only, sql, step) in [
            ("", "SELECT id, name FROM customer ORDER BY name", "A sort of 20,000 rows"),
            ("", "SELECT * FROM customer ORDER BY name, id", "A sort of 20,000 rows"),
            (
                "SET enable_sort = off",
                "SELECT name, count(*) FROM customer GROUP BY name",
                "Grouping 20,000 rows",
            ),
            (
                "SET enable_mergejoin = off; SET enable_nestloop = off",
                "SELECT a.*, b.wide FROM customer AS a
                   JOIN (SELECT name, repeat(name, 10) AS wide FROM customer OFFSET 0) AS b ON a.name = b.name",
                "A hash of 20,000 rows in",
            ),
            (
                "",
                "WITH c AS MATERIALIZED (SELECT * FROM customer) SELECT a.id FROM c AS a WHERE a.id < 9",
                "The step `CTE Scan`",
            ),
        ] {
            ground.run(&format!("RESET ALL; SET jit = off; {only}; SET work_mem = '256kB'")).await;
            let cramped = ground.see(Layer::Queryset, sql, "").await;
            let found = sentences(Kind::Spill, &cramped);
            assert_says(&found, &[step, "of the statement on customer", "because work_mem is 256kB"]);

            let asked_mb = asked_mb(&found);
            assert!(asked_mb <= 8, "the rows have 4 MB at most: {found:?}");
            ground.run(&format!("SET work_mem = '{asked_mb}MB'")).await;
            let roomy = ground.see(Layer::Queryset, sql, "").await;
            assert_eq!(sentences(Kind::Spill, &roomy), [""; 0], "{sql}: {asked_mb} MB: {:#?}", roomy.plan);
        }
    }

    #[tokio::test]
    async fn a_sort_in_memory_is_no_spill() {
        let mut ground = Ground::new().await;
        ground.run("SET work_mem = '256kB'").await;
        let top = ground.see(Layer::Queryset, "SELECT * FROM customer ORDER BY name LIMIT 50", "").await;
        assert!(top.plan.iter().flat_map(|plan| plan.root.walk()).any(|node| node.sort_method.is_some()));
        assert_eq!(sentences(Kind::Spill, &top), [""; 0]);
    }
}
