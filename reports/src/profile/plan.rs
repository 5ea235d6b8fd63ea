//! A plan as lines: each node with its own share of the time and the buffers.
//!
//! `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)` gives rows and time per loop, and buffers and time with those of the nodes
//! below. Which node is to blame is seen from its own part: time x loops, less that of its children (PostgreSQL
//! documentation, *Using EXPLAIN*). That is never below zero, and only near the truth where several processes share a node,
//! or where a node reads what another one has made (`CTE Scan`).
//!
//! Only names that are there are read, so plans of any version are understood as far as they go.

use serde_json::Value;

/// A plan that ran.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// Milliseconds to make the plan.
    pub planning_ms: Option<f64>,
    /// Milliseconds to carry it out, which watching it makes longer.
    pub execution_ms: Option<f64>,
    /// The nodes, each before its children.
    pub nodes: Vec<Node>,
}

/// A node of a plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Node {
    /// 0 for the root.
    pub depth: usize,
    /// What it does, on what: `Index Scan using customer_pkey on customer c`.
    pub operation: String,
    /// Rows that were expected, per loop.
    pub planned_rows: Option<f64>,
    /// Rows that came, per loop.
    pub rows: Option<f64>,
    /// How often it ran; 0 for a node that was never reached.
    pub loops: Option<f64>,
    /// Milliseconds over all loops, with its children.
    pub total_ms: Option<f64>,
    /// Milliseconds over all loops, without its children.
    pub own_ms: Option<f64>,
    /// Blocks found in the buffers of the server, without its children.
    pub hit_blocks: Option<u64>,
    /// Blocks read from outside of them, without its children.
    pub read_blocks: Option<u64>,
    /// Conditions, and whatever else tells why: `Filter: …`, `Rows Removed by Filter: 40`.
    pub details: Vec<String>,
}

/// Fields that are printed below a node, in this order, where they are there and not zero.
const DETAILS: [&str; 24] = [
    "Index Cond",
    "Recheck Cond",
    "Rows Removed by Index Recheck",
    "Order By",
    "Hash Cond",
    "Merge Cond",
    "Join Filter",
    "Rows Removed by Join Filter",
    "Filter",
    "Rows Removed by Filter",
    "One-Time Filter",
    "Heap Fetches",
    "Lossy Heap Blocks",
    "Group Key",
    "Sort Key",
    "Presorted Key",
    "Sort Method",
    "Sort Space Used",
    "Sort Space Type",
    "Hash Batches",
    "Disk Usage",
    "Workers Planned",
    "Workers Launched",
    "Temp Written Blocks",
];

impl Explained {
    /// Reads what `EXPLAIN` wrote: a list with one object, or that object. `None` for anything else.
    #[must_use]
    pub fn read(plan: &Value) -> Option<Self> {
        let document = plan.as_array().map_or(Some(plan), |list| list.first())?;
        let root = document.get("Plan").filter(|root| root.is_object())?;
        let mut nodes = Vec::new();
        walk(root, 0, &mut nodes);
        if nodes.first().is_none_or(|root| root.operation.is_empty()) {
            return None;
        }
        Some(Self {
            planning_ms: document.get("Planning Time").and_then(Value::as_f64),
            execution_ms: document.get("Execution Time").and_then(Value::as_f64),
            nodes,
        })
    }
}

impl Node {
    /// By what factor the rows differ from what was expected, at least 1. Below one row counts as one row.
    #[must_use]
    pub fn misjudged(&self) -> Option<f64> {
        let (planned, rows) = (self.planned_rows?.max(1.0), self.rows?.max(1.0));
        (self.loops? > 0.0).then(|| (rows / planned).max(planned / rows))
    }
}

/// Appends a node and all below it.
fn walk(json: &Value, depth: usize, nodes: &mut Vec<Node>) {
    let number = |name: &str| json.get(name).and_then(Value::as_f64);
    let loops = number("Actual Loops");
    let children: Vec<&Value> = json.get("Plans").and_then(Value::as_array).into_iter().flatten().collect();
    let total_ms = inclusive_ms(json);
    let below_ms: f64 = children.iter().filter_map(|child| inclusive_ms(child)).sum();
    let own_blocks = |name: &str| {
        let blocks = |json: &Value| json.get(name).and_then(Value::as_u64);
        let below: u64 = children.iter().filter_map(|child| blocks(child)).sum();
        Some(blocks(json)?.saturating_sub(below))
    };
    nodes.push(Node {
        depth,
        operation: operation(json),
        planned_rows: number("Plan Rows"),
        rows: number("Actual Rows"),
        loops,
        total_ms,
        own_ms: total_ms.map(|ms| (ms - below_ms).max(0.0)),
        hit_blocks: own_blocks("Shared Hit Blocks"),
        read_blocks: own_blocks("Shared Read Blocks"),
        details: details(json),
    });
    for child in children {
        walk(child, depth + 1, nodes);
    }
}

/// Milliseconds over all loops, with the nodes below.
fn inclusive_ms(json: &Value) -> Option<f64> {
    let number = |name: &str| json.get(name).and_then(Value::as_f64);
    Some(number("Actual Total Time")? * number("Actual Loops").unwrap_or(1.0))
}

/// The line of a node, worded as `EXPLAIN` words it in its text format.
fn operation(json: &Value) -> String {
    let text = |name: &str| json.get(name).and_then(Value::as_str);
    let kind = text("Node Type").unwrap_or_default();
    let mut words = String::new();
    if let Some(name) = text("Subplan Name") {
        words.push_str(name);
        words.push_str(": ");
    }
    if json.get("Parallel Aware").and_then(Value::as_bool) == Some(true) {
        words.push_str("Parallel ");
    }
    let kind_of = match (kind, text("Strategy"), text("Join Type")) {
        ("Aggregate", Some("Hashed"), _) => "HashAggregate".to_owned(),
        ("Aggregate", Some("Sorted"), _) => "GroupAggregate".to_owned(),
        ("Aggregate", Some("Mixed"), _) => "MixedAggregate".to_owned(),
        ("Nested Loop", _, Some(join)) if join != "Inner" => format!("Nested Loop {join} Join"),
        ("Hash Join", _, Some(join)) if join != "Inner" => format!("Hash {join} Join"),
        ("Merge Join", _, Some(join)) if join != "Inner" => format!("Merge {join} Join"),
        _ => kind.to_owned(),
    };
    words.push_str(&kind_of);
    if text("Scan Direction") == Some("Backward") {
        words.push_str(" Backward");
    }
    if let Some(index) = text("Index Name") {
        words.push_str(if kind == "Bitmap Index Scan" { " on " } else { " using " });
        words.push_str(index);
    }
    let on = ["Relation Name", "CTE Name", "Function Name"].into_iter().find_map(text);
    if let Some(on) = on {
        words.push_str(" on ");
        words.push_str(on);
    }
    if let Some(alias) = text("Alias").filter(|alias| Some(*alias) != on) {
        words.push_str(if on.is_some() { " " } else { " on " });
        words.push_str(alias);
    }
    words
}

fn details(json: &Value) -> Vec<String> {
    let shown = |name: &&str| {
        let words = match json.get(*name)? {
            Value::String(text) => text.clone(),
            Value::Number(number) if number.as_f64() != Some(0.0) => number.to_string(),
            Value::Array(list) => list
                .iter()
                .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
                .collect::<Vec<_>>()
                .join(", "),
            _ => return None,
        };
        // PostgreSQL gives both in kilobytes.
        let unit = if *name == "Sort Space Used" || *name == "Disk Usage" { " kB" } else { "" };
        Some(format!("{name}: {words}{unit}"))
    };
    DETAILS.iter().filter_map(shown).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plan() -> Value {
        json!([{
            "Plan": {
                "Node Type": "Nested Loop", "Join Type": "Left", "Plan Rows": 50, "Actual Rows": 50.0, "Actual Loops": 1,
                "Actual Total Time": 10.0, "Shared Hit Blocks": 1000, "Shared Read Blocks": 7,
                "Plans": [
                    {
                        "Node Type": "Index Scan", "Index Name": "customer_created", "Relation Name": "customer", "Alias": "c",
                        "Scan Direction": "Backward", "Plan Rows": 2, "Actual Rows": 50.0, "Actual Loops": 1,
                        "Actual Total Time": 2.0, "Shared Hit Blocks": 100, "Shared Read Blocks": 7,
                        "Index Cond": "(workspace_id = $1)", "Rows Removed by Filter": 0, "Heap Fetches": 3
                    },
                    {
                        "Node Type": "Aggregate", "Strategy": "Plain", "Subplan Name": "SubPlan 1", "Plan Rows": 1,
                        "Actual Rows": 1.0, "Actual Loops": 50, "Actual Total Time": 0.1, "Shared Hit Blocks": 800,
                        "Plans": [{
                            "Node Type": "Seq Scan", "Relation Name": "call", "Alias": "call", "Parallel Aware": true,
                            "Plan Rows": 1, "Actual Rows": 0, "Actual Loops": 0, "Actual Total Time": 0.0,
                            "Sort Key": ["a", "b DESC"], "Sort Space Used": 128
                        }]
                    }
                ]
            },
            "Planning Time": 0.5, "Execution Time": 10.5
        }])
    }

    #[test]
    fn a_node_has_its_own_part_of_time_and_buffers() {
        let explained = Explained::read(&plan()).unwrap();
        assert_eq!((explained.planning_ms, explained.execution_ms), (Some(0.5), Some(10.5)));
        let own: Vec<_> = explained.nodes.iter().map(|node| (node.depth, node.own_ms.unwrap())).collect();
        assert_eq!(own, [(0, 3.0), (1, 2.0), (1, 5.0), (2, 0.0)]);
        let blocks: Vec<_> = explained.nodes.iter().map(|node| node.hit_blocks).collect();
        assert_eq!(blocks, [Some(100), Some(100), Some(800), None]);
        assert_eq!(explained.nodes[0].read_blocks, Some(0));
    }

    #[test]
    fn nodes_are_worded_as_explain_words_them() {
        let explained = Explained::read(&plan()).unwrap();
        let words: Vec<&str> = explained.nodes.iter().map(|node| node.operation.as_str()).collect();
        assert_eq!(
            words,
            [
                "Nested Loop Left Join",
                "Index Scan Backward using customer_created on customer c",
                "SubPlan 1: Aggregate",
                "Parallel Seq Scan on call"
            ]
        );
        assert_eq!(explained.nodes[1].details, ["Index Cond: (workspace_id = $1)", "Heap Fetches: 3"]);
        assert_eq!(explained.nodes[3].details, ["Sort Key: a, b DESC", "Sort Space Used: 128 kB"]);
    }

    #[test]
    fn what_was_misjudged_is_a_factor_in_either_direction() {
        let explained = Explained::read(&plan()).unwrap();
        let factors: Vec<_> = explained.nodes.iter().map(Node::misjudged).collect();
        assert_eq!(factors, [Some(1.0), Some(25.0), Some(1.0), None]);
    }

    #[test]
    fn what_is_no_plan_is_none() {
        for value in
            [json!(null), json!([]), json!([{"Plan": {}}]), json!("Seq Scan"), json!([{"Plan": [1]}])]
        {
            assert_eq!(Explained::read(&value), None, "{value}");
        }
        let bare = Explained::read(&json!({"Plan": {"Node Type": "Result", "Plans": "x"}})).unwrap();
        assert_eq!(bare.nodes, [Node { operation: "Result".into(), ..Node::default() }]);
    }
}
