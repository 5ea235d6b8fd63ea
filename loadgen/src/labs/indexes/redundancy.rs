//! Which indexes are dispensable by their definition alone.
//!
//! A B-tree serves whatever one serves whose keys are its first ones, in the same order, by the same operator classes and
//! collations, over the same rows; except that it is larger, and that it keeps no rule of the shorter one. Columns that the
//! shorter one includes have to be in the longer one too, or scans of the index alone end.

use reports::labs::indexes::Redundancy;

/// What two indexes are compared by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) name: String,
    pub(super) table: String,
    pub(super) method: String,
    /// Each key as the catalogue has it: expression, operator class, collation, order.
    pub(super) keys: Vec<String>,
    /// The expressions of the keys alone.
    pub(super) columns: Vec<String>,
    pub(super) include: Vec<String>,
    pub(super) predicate: Option<String>,
    pub(super) keeps_a_rule: bool,
    pub(super) valid: bool,
}

impl Shape {
    fn covers_the_same_rows(&self, other: &Self) -> bool {
        self.table == other.table && self.method == other.method && self.predicate == other.predicate
    }

    fn has(&self, columns: &[String]) -> bool {
        columns.iter().all(|column| self.include.contains(column) || self.columns.contains(column))
    }

    fn is_same(&self, other: &Self) -> bool {
        let sorted = |shape: &Self| {
            let mut include = shape.include.clone();
            include.sort();
            include
        };
        self.covers_the_same_rows(other) && self.keys == other.keys && sorted(self) == sorted(other)
    }

    fn is_prefix_of(&self, longer: &Self) -> bool {
        self.method == "btree"
            && self.covers_the_same_rows(longer)
            && longer.keys.starts_with(&self.keys)
            && longer.has(&self.include)
    }
}

/// For each index in `all`, in the order of their making, what makes it dispensable. Of several that are the same, one that
/// keeps a rule stays, else the first. One that keeps a rule is never dispensable, and an invalid one makes no other so.
pub(super) fn redundancies(all: &[Shape]) -> Vec<Vec<Redundancy>> {
    let of = |place: usize, shape: &Shape| -> Vec<Redundancy> {
        if shape.keeps_a_rule {
            return Vec::new();
        }
        let others = all.iter().enumerate().filter(|(other, it)| *other != place && it.valid);
        let found = others.filter_map(|(other, it)| {
            if it.is_same(shape) {
                let stays = it.keeps_a_rule || other < place || !shape.valid;
                stays.then(|| Redundancy::DuplicateOf { index: it.name.clone() })
            } else {
                shape.is_prefix_of(it).then(|| Redundancy::PrefixOf { index: it.name.clone() })
            }
        });
        found.collect()
    };
    all.iter().enumerate().map(|(place, shape)| of(place, shape)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(name: &str, columns: &[&str]) -> Shape {
        let columns: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
        Shape {
            name: name.to_owned(),
            table: "t".to_owned(),
            method: "btree".to_owned(),
            keys: columns.clone(),
            columns,
            valid: true,
            ..Shape::default()
        }
    }

    fn prefix(of: &str) -> Vec<Redundancy> {
        vec![Redundancy::PrefixOf { index: of.to_owned() }]
    }

    #[test]
    fn the_first_keys_of_another_are_a_prefix_and_other_keys_are_not() {
        let all = [shape("a", &["x"]), shape("b", &["x", "y"]), shape("c", &["y"])];
        assert_eq!(redundancies(&all), [prefix("b"), vec![], vec![]]);
    }

    #[test]
    fn included_columns_have_to_be_in_the_longer_one() {
        let short = Shape { include: vec!["z".to_owned()], ..shape("a", &["x"]) };
        assert_eq!(redundancies(&[short.clone(), shape("b", &["x", "y"])]), [vec![], vec![]]);
        assert_eq!(redundancies(&[short.clone(), shape("b", &["x", "z"])]), [prefix("b"), vec![]]);
        // The same keys with more included.
        let more = Shape { include: vec!["y".to_owned(), "z".to_owned()], ..shape("b", &["x"]) };
        assert_eq!(redundancies(&[short, more]), [prefix("b"), vec![]]);
    }

    #[test]
    fn of_the_same_the_first_stays_or_the_one_that_keeps_a_rule() {
        let duplicate = |of: &str| vec![Redundancy::DuplicateOf { index: of.to_owned() }];
        let (first, second) = (shape("a", &["x"]), shape("b", &["x"]));
        assert_eq!(redundancies(&[first.clone(), second.clone()]), [vec![], duplicate("a")]);
        let rule = Shape { keeps_a_rule: true, ..second };
        assert_eq!(redundancies(&[first, rule]), [duplicate("b"), vec![]]);
    }

    #[test]
    fn what_keeps_a_rule_is_no_prefix_and_what_is_invalid_covers_nothing() {
        let rule = Shape { keeps_a_rule: true, ..shape("a", &["x"]) };
        assert_eq!(redundancies(&[rule, shape("b", &["x", "y"])]), [vec![], vec![]]);
        let invalid = Shape { valid: false, ..shape("b", &["x", "y"]) };
        assert_eq!(redundancies(&[shape("a", &["x"]), invalid]), [vec![], vec![]]);
    }
}
