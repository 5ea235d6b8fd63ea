//! A session in a terminal: layers, statements and advice of the median answer, as text of at most 110 columns.

use super::groups::{Group, groups};
use super::judgement::exit_code;
use super::record::{Mention, Profile, Unused};
use super::session::Session;
use super::sql::{on_one_line, shortened};
use crate::budgets::words;
use crate::quantity;
use crate::run::Outcome;
use crate::terminal::grid::{Align, Grid, wrapped};
use crate::terminal::{BOLD, GREEN, RED, WIDTH, YELLOW, first_word_painted, painted};

/// Statements that are listed; the page has all.
const MOST_STATEMENTS: usize = 10;

/// Columns of a bar that is as long as the total.
const BAR: f64 = 40.0;

/// Columns of SQL beside a number.
const SQL: usize = 90;

/// The whole session; `color` adds ANSI colours to the words of verdicts.
#[must_use]
pub fn table(session: &Session, color: bool) -> String {
    let Some(shown) = session.shown() else { return head(session, &Profile::default(), color) };
    let profile = shown.profile();
    let sections = [
        Some(head(session, profile, color)),
        judged(session, color),
        layers(profile),
        statements(profile),
        one_by_one(profile),
        unused(profile),
        permission(profile),
        serializer(profile),
        memory(profile),
        advice(profile),
    ];
    sections.into_iter().flatten().collect::<Vec<_>>().join("\n") + "\n"
}

/// The verdict in one word. Without assertions nothing is judged, and nothing failed.
pub(super) fn standing(session: &Session) -> &'static str {
    match exit_code(&session.verdicts) {
        _ if session.verdicts.is_empty() => "Profiled",
        0 => "Pass",
        1 => "Fail",
        _ => "Not judged",
    }
}

/// What came of it in one sentence.
pub(super) fn headline(profile: &Profile) -> String {
    let statements = profile.query_count.map(|count| quantity::plural(count, "statement"));
    match (statements, profile.total_time_ms.map(quantity::time_ms)) {
        (Some(statements), Some(total)) => format!("{statements} in {total}"),
        (Some(words), None) | (None, Some(words)) => words,
        (None, None) => "A profile without figures".to_owned(),
    }
}

/// Which of the answers is shown, and how far they lie apart.
pub(super) fn choice(session: &Session) -> String {
    let counted = session.repeats.len() as u64;
    let warm_up = if session.warm_up.is_some() { " after a warm-up that is not counted" } else { "" };
    let totals = session.totals_ms();
    let (low, high) =
        totals.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), ms| (low.min(*ms), high.max(*ms)));
    match counted {
        0 => "no answer was counted".to_owned(),
        1 => format!("one request{warm_up}"),
        _ if totals.is_empty() => format!("the first of {counted} requests{warm_up}"),
        _ => format!(
            "the median by total time of {counted} requests ({} to {}){warm_up}",
            quantity::time_ms(low),
            quantity::time_ms(high)
        ),
    }
}

fn head(session: &Session, profile: &Profile, color: bool) -> String {
    let word = standing(session).to_uppercase();
    let paint = match word.as_str() {
        "PASS" => GREEN,
        "FAIL" => RED,
        "NOT JUDGED" => YELLOW,
        _ => BOLD,
    };
    let server = match &session.server.level {
        Some(level) => format!("{} on level {level}", session.server.name),
        None => format!("{} at {}", session.server.name, session.server.base_url),
    };
    let method = profile.method.as_deref().unwrap_or("GET");
    let facts = format!(
        "{}, {}; {server}; {}",
        session.name,
        session.started_at.format("%-d %B %Y, %H:%M UTC"),
        choice(session)
    );
    format!(
        "{}  {}\n{}{}",
        painted(&word, paint, color),
        headline(profile),
        chopped(&format!("{} {}", on_one_line(method), on_one_line(&session.path))),
        wrapped(&facts, WIDTH, "")
    )
}

/// A line without spaces in lines of the width.
fn chopped(line: &str) -> String {
    let letters: Vec<char> = line.chars().collect();
    letters.chunks(WIDTH).map(|chunk| chunk.iter().collect::<String>() + "\n").collect()
}

fn judged(session: &Session, color: bool) -> Option<String> {
    if session.verdicts.is_empty() {
        return None;
    }
    let mut grid = Grid::new(&[
        ("verdict", Align::Left),
        ("assertion", Align::Left),
        ("measured", Align::Right),
        ("holds for", Align::Right),
    ]);
    let mut reasons = String::new();
    for verdict in &session.verdicts {
        grid.row([
            words::outcome(verdict.outcome).into(),
            on_one_line(&verdict.assertion),
            verdict.measured.as_ref().map_or_else(|| "–".into(), |value| shortened(&value.to_string(), 40)),
            format!("{} of {}", verdict.held, verdict.of),
        ]);
        if verdict.outcome == Outcome::Inconclusive {
            let sentence = format!("{}: {}", verdict.assertion, verdict.reason);
            reasons += &wrapped(&on_one_line(&sentence), WIDTH, "  ");
        }
    }
    let text: String = grid.text().lines().map(|line| first_word_painted(line, color) + "\n").collect();
    Some(format!("Assertions\n{text}{reasons}"))
}

fn layers(profile: &Profile) -> Option<String> {
    let layers = profile.breakdown.layers();
    if layers.is_empty() {
        return None;
    }
    let all: f64 = layers.iter().map(|(_, ms)| ms).sum();
    let total = profile.total_time_ms.unwrap_or(all).max(all);
    let mut grid = Grid::new(&[
        ("layer", Align::Left),
        ("time", Align::Right),
        ("share", Align::Right),
        ("", Align::Left),
    ]);
    for (name, ms) in &layers {
        let share = if total > 0.0 { ms / total } else { 0.0 };
        grid.row([(*name).to_owned(), quantity::time_ms(*ms), whole_share(share), bar(share)]);
    }
    Some(format!("Layers\n{}{}", grid.text(), sentence(&bound(profile))))
}

/// What bounds the request, as far as it is known.
pub(super) fn bound(profile: &Profile) -> String {
    let mut parts = Vec::new();
    match (&profile.bottleneck_type, &profile.bottleneck_layer) {
        (Some(kind), Some(layer)) => parts.push(format!("bound by {kind}, most of it in the {layer}")),
        (Some(kind), None) => parts.push(format!("bound by {kind}")),
        (None, Some(layer)) => parts.push(format!("most of it in the {layer}")),
        (None, None) => {}
    }
    if let Some(ms) = profile.total_query_time_ms {
        parts.push(format!("{} in statements", quantity::time_ms(ms)));
    }
    if let Some(ms) = profile.cpu_time_ms {
        parts.push(format!("{} on a core of the server", quantity::time_ms(ms)));
    }
    if let Some(ms) = profile.pool_wait_ms {
        parts.push(format!("{} of waiting for a connection", quantity::time_ms(ms)));
    }
    parts.join(", ")
}

fn statements(profile: &Profile) -> Option<String> {
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

/// How many statements are like others.
pub(super) fn alike(profile: &Profile, groups: &[Group]) -> String {
    let mut parts = vec![quantity::plural(groups.len() as u64, "text")];
    match profile.queries.similar {
        None => {}
        Some(0) => parts.push("no two statements share one".to_owned()),
        Some(similar) => {
            parts.push(format!("{} statements share theirs with another", quantity::count(similar)));
        }
    }
    if let Some(duplicates) = profile.queries.duplicates.filter(|duplicates| *duplicates > 0) {
        parts.push(format!("{} asked again with the same values", quantity::count(duplicates)));
    }
    parts.join(", ")
}

fn one_by_one(profile: &Profile) -> Option<String> {
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

fn unused(profile: &Profile) -> Option<String> {
    let unused = &profile.queries.unused_columns;
    let line = |unused: &Unused| {
        let columns = wrapped(&on_one_line(&unused.columns.join(", ")), WIDTH, "  ");
        format!("{columns}    in {}\n", shortened(&unused.sql, SQL))
    };
    (!unused.is_empty())
        .then(|| format!("Fetched and not used\n{}", unused.iter().map(line).collect::<String>()))
}

/// `  50 x  4.20 ms  SELECT …`
fn counted(count: Option<u64>, ms: Option<f64>, sql: &str) -> String {
    let count = count.map_or_else(String::new, |count| format!("{} x", quantity::count(count)));
    let time = ms.map_or_else(String::new, quantity::time_ms);
    let line = format!("{count:>8}  {time:>8}  {}", shortened(sql, SQL - 2));
    format!("  {}\n", line.trim_end())
}

fn permission(profile: &Profile) -> Option<String> {
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

fn serializer(profile: &Profile) -> Option<String> {
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

fn memory(profile: &Profile) -> Option<String> {
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

fn advice(profile: &Profile) -> Option<String> {
    if profile.recommendations.is_empty() {
        return None;
    }
    let lines: String = profile
        .recommendations
        .iter()
        .enumerate()
        .map(|(at, sentence)| wrapped(&format!("{}. {}", at + 1, on_one_line(sentence)), WIDTH, "  "))
        .collect();
    Some(format!("Advice\n{lines}"))
}

/// A share as a percentage with one digit, so that a column of them is even.
pub(super) fn whole_share(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A bar of up to [`BAR`] columns, to an eighth of one.
fn bar(share: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 8 bars")]
    let eighths = (share.clamp(0.0, 1.0) * BAR * 8.0).round() as usize;
    // What took any time is seen.
    let eighths = if share > 0.0 { eighths.max(1) } else { eighths };
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

fn sentence(words: &str) -> String {
    if words.is_empty() { String::new() } else { wrapped(&on_one_line(words), WIDTH, "  ") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::sample;
    use super::super::session::Repeat;
    use super::*;
    use crate::terminal::PLAIN;

    /// The whole text, so that a change of its form is seen in review.
    #[test]
    fn a_session_is_printed_as_before() {
        insta::assert_snapshot!(table(&sample::naive_session(), false));
    }

    #[test]
    fn what_the_server_does_not_give_is_not_printed() {
        insta::assert_snapshot!(table(&sample::session(vec![sample::plain()], &[]), false));
        let text = table(&sample::session(vec![Repeat::read(json!({})).unwrap()], &[]), false);
        assert!(text.starts_with("PROFILED  A profile without figures\n"), "{text}");
        assert_eq!(text.lines().count(), 4, "{text}");
    }

    #[test]
    fn no_line_is_wider_than_110_columns_and_none_obeys_the_server() {
        let evil = "SELECT \u{1b}[31m\"".to_owned() + &"wide ".repeat(400);
        let mut raw = sample::naive(40.0).raw().clone();
        raw["recommendations"] = json!([evil]);
        raw["method"] = json!("GET\u{1b}[2J");
        raw["bottleneck_layer"] = json!(evil);
        raw["permission"]["count_statements"] = json!([{"sql": evil}]);
        for list in ["n_plus_one", "unused_columns", "slowest_queries"] {
            raw["queries"][list][0]["sql"] = json!(evil);
        }
        raw["queries"]["unused_columns"][0]["columns"] = json!([evil]);
        for statement in raw["statements"].as_array_mut().unwrap() {
            statement["sql"] = json!(evil);
        }
        let mut session = sample::session(vec![Repeat::read(raw).unwrap()], &["method == x", "q < 1"]);
        session.path = format!("/{}", "x".repeat(300));
        let text = table(&session, false);
        assert!(!text.contains('\u{1b}'), "{text}");
        for line in text.lines() {
            assert!(line.chars().count() <= WIDTH, "{} columns: {line}", line.chars().count());
        }
    }

    #[test]
    fn colours_only_add_to_the_words() {
        let session = sample::naive_session();
        let mut painted = table(&session, true);
        assert!(painted.contains("\u{1b}[31mFAIL\u{1b}[0m") && painted.contains("\u{1b}[32mpass\u{1b}[0m"));
        for code in [BOLD, GREEN, RED, YELLOW, PLAIN] {
            painted = painted.replace(code, "");
        }
        assert_eq!(painted, table(&session, false));
    }

    #[test]
    fn a_bar_is_as_long_as_its_share_and_the_smallest_is_seen() {
        assert_eq!(bar(1.0).chars().count(), 40);
        assert_eq!(bar(0.5), "█".repeat(20));
        assert_eq!([bar(0.0), bar(1e-9), bar(1.5 / 40.0)], ["", "▏", "█▌"]);
    }
}
