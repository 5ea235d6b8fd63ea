//! The parts of a request besides its statements: permission, serializer, memory.

use super::super::record::{Mention, Profile};
use super::super::sql::shortened;
use super::statements::counted;
use super::{SQL, sentence};
use crate::quantity;

pub(super) fn permission(profile: &Profile) -> Option<String> {
    let permission = &profile.permission;
    let mut parts = Vec::new();
    if let Some(statements) = permission.statements {
        parts.push(quantity::plural(statements, "statement"));
    }
    if let Some(ms) = permission.time_ms {
        parts.push(quantity::time_ms(ms));
    }
    if let Some(repeated) = permission.repeated_checks {
        parts.push(quantity::plural(repeated, "repeated check"));
    }
    if parts.is_empty() {
        return None;
    }
    let lines = |what: &str, mentions: &[Mention]| {
        let line = |mention: &Mention| format!("  {what}: {}\n", shortened(&mention.words(), SQL));
        mentions.iter().map(line).collect::<String>()
    };
    Some(format!(
        "Permission\n  {}\n{}{}",
        parts.join(", "),
        lines("counts", &permission.count_statements),
        lines("full scan", &permission.full_scans)
    ))
}

pub(super) fn serializer(profile: &Profile) -> Option<String> {
    let serializer = &profile.serializer;
    let mut parts = Vec::new();
    if let Some(records) = serializer.records {
        parts.push(quantity::plural(records, "record"));
    }
    if let Some(us) = serializer.us_per_record {
        parts.push(format!("{} each", quantity::time_us(us)));
    }
    if let Some(share) = serializer.share {
        parts.push(format!("{} of the total", quantity::share(share)));
    }
    if parts.is_empty() {
        return None;
    }
    let mut lines = String::new();
    let one_by_one = &serializer.loaded_one_by_one;
    // Where the N+1 has been listed, the same texts need not be listed again.
    let listed = |sql: &str| profile.queries.n_plus_one.iter().any(|repeated| repeated.sql == sql);
    for loaded in one_by_one.iter().filter(|loaded| !listed(&loaded.sql)) {
        lines += &counted(loaded.count, None, &loaded.sql);
    }
    if !one_by_one.is_empty() {
        let number = quantity::plural(one_by_one.len() as u64, "statement");
        parts.push(format!("{number} loaded something for one record at a time"));
    }
    Some(format!("Serializer\n{}{lines}", sentence(&parts.join(", "))))
}

pub(super) fn memory(profile: &Profile) -> Option<String> {
    let memory = &profile.memory;
    let mut parts = Vec::new();
    if let Some(bytes) = memory.allocated_bytes {
        parts.push(format!("{} allocated", quantity::bytes(bytes as f64)));
    }
    if let Some(allocations) = memory.allocations {
        parts.push(quantity::plural(allocations, "allocation"));
    }
    if let Some(bytes) = memory.peak_bytes {
        parts.push(format!("at most {} at a time", quantity::bytes(bytes as f64)));
    }
    (!parts.is_empty()).then(|| format!("Memory\n  {}\n", parts.join(", ")))
}
