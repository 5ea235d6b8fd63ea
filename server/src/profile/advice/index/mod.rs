//! Indexes that would spare most of the rows that a statement reads.
//!
//! Two signs in a plan: a scan whose filter throws away nearly everything that it read, and a sort of many rows of which a
//! LIMIT keeps few. What the index must look like stands in the conditions of the scan and in the order that is wanted
//! ([`definition`]).

mod definition;
#[cfg(test)]
mod tests;

pub(super) use definition::Definition;
use definition::Purpose;

use super::sql::Text;
use super::{Evidence, Finding, Kind, Layer, MANY_ROWS, Node, Plan, Request, figures};

/// The part of its rows that a step must throw away. An index on a condition that more rows pass is not used: fetching a
/// tenth of a table row by row costs about as much as reading all of it.
const NEARLY_ALL: f64 = 0.9;

/// An index that is wanted, and what for.
pub(super) struct Wanted<'p> {
    /// The scan that it would replace.
    pub(super) scan: &'p Node,
    /// The step that does the work that it would spare.
    step: &'p Node,
    /// What was seen.
    seen: String,
    pub(super) index: Definition,
}

/// A finding for each index that is wanted. Of a table that a permission check reads from end to end, the finding about that
/// names it.
pub(super) fn findings(request: &Request, seen: &Evidence) -> Vec<Finding> {
    let Some(plan) = seen.good_plan() else { return Vec::new() };
    let is_told = |wanted: &Wanted| seen.layer == Layer::Permission && wanted.scan.kind == "Seq Scan";
    wanted(request, seen, plan)
        .into_iter()
        .filter(|wanted| !is_told(wanted))
        .map(|wanted| {
            let cost_ms = seen.cost_ms(plan, wanted.step);
            let sentence = format!("{} ({}): {}", wanted.seen, seen.spent(cost_ms), wanted.index);
            Finding::new(Kind::MissingIndex, cost_ms, sentence)
        })
        .collect()
}

/// The indexes that a plan wants and that are not there, each once.
pub(super) fn wanted<'p>(request: &Request, seen: &Evidence, plan: &'p Plan) -> Vec<Wanted<'p>> {
    let tables = plan.root.walk().filter(|node| node.relation.is_some()).count();
    let mut walk = Walk { text: Text::of(seen.sql), has_one_table: tables == 1, found: Vec::new() };
    walk.visit(&plan.root, Above::default());
    let mut wanted: Vec<Wanted> = Vec::new();
    for candidate in walk.found {
        let is_there = request.indexes.iter().any(|index| candidate.index.is_served_by(index));
        if !is_there && !wanted.iter().any(|other| other.index == candidate.index) {
            wanted.push(candidate);
        }
    }
    wanted
}

/// What wants the rows of a node.
#[derive(Debug, Clone, Copy, Default)]
struct Above<'p> {
    /// It ends the stream of rows early.
    limit: Option<&'p Node>,
    /// The sort between, if the rows don't come in the order that is wanted.
    sort: Option<&'p Node>,
}

struct Walk<'p, 's> {
    text: Text<'s>,
    /// Then every column that is named without an alias is that table's.
    has_one_table: bool,
    found: Vec<Wanted<'p>>,
}

impl<'p> Walk<'p, '_> {
    fn visit(&mut self, node: &'p Node, above: Above<'p>) {
        let kind = node.kind.as_str();
        let below = match kind {
            "Limit" => Above { limit: Some(node), sort: None },
            "Sort" | "Incremental Sort" => {
                if let Some(limit) = above.limit {
                    self.sort(node, limit);
                }
                Above { sort: Some(node), ..above }
            }
            "Nested Loop" | "Hash Join" | "Merge Join" | "Gather" | "Gather Merge" | "Subquery Scan"
            | "Result" | "LockRows" => above,
            _ => Above::default(),
        };
        if node.relation.is_some() && kind.ends_with("Scan") {
            self.scan(node, above);
        }
        // Only the outer side of a join hands on its order.
        let outer = node.inputs().next().map(std::ptr::from_ref);
        for child in &node.children {
            let is_outer = outer.is_some_and(|outer| std::ptr::eq(outer, child));
            self.visit(child, if is_outer { below } else { Above::default() });
        }
    }

    /// A scan: does its filter throw away nearly all that it reads?
    fn scan(&mut self, scan: &'p Node, above: Above<'p>) {
        let read = scan.rows_read();
        if read < MANY_ROWS || scan.removed < read * NEARLY_ALL {
            return;
        }
        // A sort takes in all rows; without one between, a limit ends the scan.
        let (purpose, order) = match (above.limit, above.sort) {
            (Some(_), Some(sort)) => (Purpose::Filter, sort.sort_key.clone()),
            (Some(_), None) => (Purpose::Walk, self.written_order()),
            (None, _) => (Purpose::Filter, Vec::new()),
        };
        let Some(index) = Definition::of(scan, &self.text, self.has_one_table, purpose, &order) else {
            return;
        };
        let table = scan.relation.as_deref().unwrap_or_default();
        let (read, kept) = (figures::count(read), figures::count(scan.rows));
        let seen = match &scan.index {
            Some(used) => format!("{used} finds {read} rows of {table}, of which a filter leaves {kept}"),
            None if scan.kind == "Seq Scan" => {
                format!("{table} is read from end to end, {read} rows, of which {kept} are wanted")
            }
            None => format!("{read} rows of {table} are read, of which {kept} are wanted"),
        };
        self.found.push(Wanted { scan, step: scan, seen, index });
    }

    /// A sort under a limit: does it take in many rows that nobody gets to see?
    fn sort(&mut self, sort: &'p Node, limit: &'p Node) {
        let sorted = sort.rows_taken();
        if sorted < MANY_ROWS || limit.rows > sorted * (1.0 - NEARLY_ALL) {
            return;
        }
        let is_owner = |scan: &&Node| {
            let alias = scan.alias.as_deref().unwrap_or_default();
            scan.relation.is_some()
                && sort.sort_key.iter().all(|key| definition::ordered(key, alias).is_some())
        };
        let owners: Vec<&Node> = sort.walk().filter(is_owner).collect();
        let [scan] = owners[..] else { return };
        let Some(index) =
            Definition::of(scan, &self.text, self.has_one_table, Purpose::Order, &sort.sort_key)
        else {
            return;
        };
        let seen = format!(
            "{} rows of {} are sorted, of which {} are wanted",
            figures::count(sorted),
            scan.relation.as_deref().unwrap_or_default(),
            figures::count(limit.rows),
        );
        self.found.push(Wanted { scan, step: sort, seen, index });
    }

    /// The order that the statement asks for, if it asks for one only.
    fn written_order(&self) -> Vec<String> {
        let orders = self.text.orders();
        match &orders[..] {
            [first, others @ ..] if others.iter().all(|other| other == first) => {
                first.iter().filter(|key| self.has_one_table || key.contains('.')).cloned().collect()
            }
            _ => Vec::new(),
        }
    }
}
