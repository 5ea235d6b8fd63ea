//! The statements: the slowest, those that were sent once for each row, and what they fetched in vain.

use super::super::groups::groups;
use super::super::record::{Profile, Unused};
use super::super::sql::{on_one_line, shortened};
use super::super::words::alike;
use super::{SQL, sentence};
use crate::quantity;
use crate::terminal::WIDTH;
use crate::terminal::grid::{Align, Grid, wrapped};

/// Statements that are listed; the page has all.
const MOST_STATEMENTS: usize = 10;

pub(super) fn slowest(profile: &Profile) -> Option<String> {
    let groups = groups(profile);
    if groups.is_empty() {
        return None;
    }
    let mut grid = Grid::new(&[
        ("count", Align::Right),
        ("time", Align::Right),
        ("rows", Align::Right),
        ("layer", Align::Left),
        ("statement", Align::Left),
    ]);
    for group in groups.iter().take(MOST_STATEMENTS) {
        grid.row([
            quantity::count(group.count),
            group.time_ms.map_or_else(|| "–".into(), quantity::time_ms),
            group.rows.map_or_else(|| "–".into(), quantity::count),
            group.layer.as_deref().map_or_else(|| "–".into(), on_one_line),
            shortened(&group.sql, 64),
        ]);
    }
    let left = groups.len().saturating_sub(MOST_STATEMENTS) as u64;
    let more = if left > 0 {
        format!("  and {} on the page\n", quantity::plural(left, "more text"))
    } else {
        String::new()
    };
    Some(format!("Slowest statements, by text\n{}{more}{}", grid.text(), sentence(&alike(profile, &groups))))
}

pub(super) fn one_by_one(profile: &Profile) -> Option<String> {
    let mut text = match profile.queries.n_plus_one_detected {
        None => return None,
        Some(false) => return Some("N+1\n  none found\n".to_owned()),
        Some(true) => "N+1: once for each row of another statement\n".to_owned(),
    };
    for repeated in &profile.queries.n_plus_one {
        text += &counted(repeated.count, repeated.time_ms, &repeated.sql);
    }
    Some(text)
}

pub(super) fn unused(profile: &Profile) -> Option<String> {
    let unused = &profile.queries.unused_columns;
    let line = |unused: &Unused| {
        let columns = wrapped(&on_one_line(&unused.columns.join(", ")), WIDTH, "  ");
        format!("{columns}    in {}\n", shortened(&unused.sql, SQL))
    };
    (!unused.is_empty())
        .then(|| format!("Fetched and not used\n{}", unused.iter().map(line).collect::<String>()))
}

/// `  50 x  4.20 ms  SELECT …`
pub(super) fn counted(count: Option<u64>, ms: Option<f64>, sql: &str) -> String {
    let count = count.map_or_else(String::new, |count| format!("{} x", quantity::count(count)));
    let time = ms.map_or_else(String::new, quantity::time_ms);
    let line = format!("{count:>8}  {time:>8}  {}", shortened(sql, SQL - 2));
    format!("  {}\n", line.trim_end())
}
