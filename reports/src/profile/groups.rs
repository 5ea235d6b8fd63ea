//! Statements of equal text as one.

use std::collections::{HashMap, HashSet};

use super::record::Profile;

/// Statements of one text that one layer sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The text.
    pub sql: String,
    /// The layer; `None` where the server does not say.
    pub layer: Option<String>,
    /// How many.
    pub count: u64,
    /// Milliseconds in all; `None` where the server does not say.
    pub time_ms: Option<f64>,
    /// Rows in all.
    pub rows: Option<u64>,
    /// How many of them had run before with the same values.
    pub duplicates: Option<u64>,
}

/// The statements of a profile by text and layer, the longest in all first.
///
/// They are made from all statements where the server lists them, and from its own groups otherwise, of which it may leave
/// out the short ones.
#[must_use]
pub fn groups(profile: &Profile) -> Vec<Group> {
    let mut groups = if profile.statements.is_empty() { given(profile) } else { made(profile) };
    // A stable sort: equal times stay in the order in which they began.
    groups.sort_by(|a, b| b.time_ms.unwrap_or(0.0).total_cmp(&a.time_ms.unwrap_or(0.0)));
    groups
}

fn given(profile: &Profile) -> Vec<Group> {
    let texts = profile.queries.slowest_queries.iter();
    texts
        .map(|texts| Group {
            sql: texts.sql.clone(),
            layer: texts.layer.clone(),
            count: texts.count.unwrap_or(1),
            time_ms: texts.time_ms,
            rows: texts.rows,
            duplicates: texts.duplicates,
        })
        .collect()
}

fn made(profile: &Profile) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places = HashMap::new();
    let mut seen = HashSet::new();
    for statement in &profile.statements {
        let place = *places.entry((&statement.sql, &statement.layer)).or_insert_with(|| {
            groups.push(Group {
                sql: statement.sql.clone(),
                layer: statement.layer.clone(),
                count: 0,
                time_ms: None,
                rows: None,
                duplicates: None,
            });
            groups.len() - 1
        });
        let group = &mut groups[place];
        group.count += 1;
        if let Some(ms) = statement.time_ms {
            *group.time_ms.get_or_insert(0.0) += ms;
        }
        if let Some(rows) = statement.rows {
            *group.rows.get_or_insert(0) += rows;
        }
        if let Some(values) = &statement.values {
            let again = !seen.insert((&statement.sql, values));
            *group.duplicates.get_or_insert(0) += u64::from(again);
        }
    }
    // The server adds up before it rounds.
    for texts in &profile.queries.slowest_queries {
        let whole = |group: &&mut Group| {
            group.sql == texts.sql && group.layer == texts.layer && Some(group.count) == texts.count
        };
        if let (Some(group), Some(ms)) = (groups.iter_mut().find(whole), texts.time_ms) {
            group.time_ms = Some(ms);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn statements_of_equal_text_are_one_group_with_their_sums() {
        let repeat = sample::naive(40.0);
        let profile = repeat.profile();
        let groups = groups(profile);
        assert_eq!(groups.iter().map(|group| group.count).sum::<u64>(), 752);
        assert!(groups.is_sorted_by(|a, b| a.time_ms >= b.time_ms));
        let calls = groups.iter().find(|group| group.sql.contains("FROM campaign ")).unwrap();
        assert_eq!(
            (calls.count, calls.layer.as_deref(), calls.duplicates),
            (50, Some("serializer"), Some(45))
        );
    }

    #[test]
    fn the_sum_of_the_server_is_taken_where_it_gives_one() {
        let mut profile = sample::naive(40.0).profile().clone();
        profile.queries.slowest_queries[0].time_ms = Some(4.125);
        assert_eq!(groups(&profile)[0].time_ms, Some(4.125));
        profile.queries.slowest_queries[0].count = Some(49);
        assert!(groups(&profile)[0].time_ms < Some(4.12), "a group of other statements");
    }

    #[test]
    fn without_a_list_of_statements_the_groups_of_the_server_are_taken() {
        let mut profile = sample::naive(40.0).profile().clone();
        profile.statements.clear();
        let groups = groups(&profile);
        assert_eq!(groups.len(), profile.queries.slowest_queries.len());
        assert_eq!(groups[0].sql, profile.queries.slowest_queries[0].sql);
    }
}
