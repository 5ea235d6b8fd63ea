//! Reading a budget file.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::evidence::Kind;
use super::metric::List;
use super::soundness::{Places, fitting, refuse_contradictions};
use super::{Budget, Budgets, Policy, Rule, Versus};
use crate::document::{self, Error, Mistake, in_order, string, unknown_key};
use crate::run::Weight;

/// The version of the layout of budget files that this program reads.
const SCHEMA: i64 = 1;

const BUDGET_KEYS: [&str; 7] = ["lab", "operation", "subject", "work", "latency", "counts", "versus"];
const POLICY_KEYS: [&str; 3] = ["confidence", "inconclusive", "no_data"];
const WEIGHTS: [(&str, Weight); 4] = [
    ("fail", Weight::Fail),
    ("undecided", Weight::Undecided),
    ("warn", Weight::Warn),
    ("pass", Weight::Pass),
];

/// Reads a budget file; `file_name` is what errors call it.
pub fn parse(file_name: &str, text: &str) -> Result<Budgets, Error> {
    read(text).map_err(|mistake| mistake.locate(file_name, text))
}

fn read(text: &str) -> Result<Budgets, Mistake> {
    let document = document::parse(text)?;
    let mut policy = Policy::default();
    let mut budgets = Vec::new();
    let mut schema = None;
    for (key, span, value) in in_order(document.get_ref()) {
        match key {
            "schema" => schema = Some(read_schema(value)?),
            "policy" => policy = read_policy(table(value, &span, "policy")?)?,
            name => budgets.extend(read_budget(text, name, &span, value)?),
        }
    }
    if schema.is_none() {
        return Err(Mistake::new(
            0..0,
            "no version in the file",
            format!("expected `schema = {SCHEMA}` at its top"),
        ));
    }
    if budgets.is_empty() {
        return Err(Mistake::new(
            0..0,
            "no budget in the file",
            "expected a section such as [first_page] with `latency = [\"p95 < 500ms\"]`",
        ));
    }
    refuse_contradictions(&budgets)?;
    Ok(Budgets { policy, budgets: budgets.into_iter().map(|(budget, _)| budget).collect() })
}

fn read_schema(value: &Spanned<DeValue<'_>>) -> Result<i64, Mistake> {
    let expected = format!("expected `schema = {SCHEMA}`");
    let number = value.get_ref().as_integer().and_then(|integer| integer.as_str().parse::<i64>().ok());
    match number {
        Some(SCHEMA) => Ok(SCHEMA),
        Some(newer) if newer > SCHEMA => Err(Mistake::new(
            value.span(),
            "schema of a newer callbench",
            format!("this one reads schema {SCHEMA}; update callbench"),
        )),
        _ => Err(Mistake::new(value.span(), "unknown schema", expected)),
    }
}

fn read_policy(table: &DeTable<'_>) -> Result<Policy, Mistake> {
    let mut policy = Policy::default();
    for (key, span, value) in in_order(table) {
        match key {
            "confidence" => policy.confidence = confidence(value)?,
            "inconclusive" => policy.inconclusive = weight(value)?,
            "no_data" => policy.no_data = weight(value)?,
            _ => return Err(unknown_key(span, key, "policy", &POLICY_KEYS)),
        }
    }
    Ok(policy)
}

fn confidence(value: &Spanned<DeValue<'_>>) -> Result<f64, Mistake> {
    value
        .get_ref()
        .as_float()
        .and_then(|float| float.as_str().parse::<f64>().ok())
        .filter(|confidence| (0.5..1.0).contains(confidence) && *confidence > 0.5)
        .ok_or_else(|| {
            Mistake::new(value.span(), "bad confidence", "expected a number between 0.5 and 1, such as 0.95")
        })
}

fn weight(value: &Spanned<DeValue<'_>>) -> Result<Weight, Mistake> {
    let names = WEIGHTS.map(|(name, _)| name);
    let word = string(value, &format!("expected one of {}", names.join(", ")))?;
    WEIGHTS.iter().find(|(name, _)| *name == word).map(|(_, weight)| *weight).ok_or_else(|| {
        Mistake::new(value.span(), "unknown answer", format!("expected one of {}", names.join(", ")))
            .suggest(word, names)
    })
}

fn read_budget(
    text: &str,
    name: &str,
    name_span: &Range<usize>,
    value: &Spanned<DeValue<'_>>,
) -> Result<Vec<(Budget, Places)>, Mistake> {
    if value.get_ref().as_table().is_none() {
        let mistake = Mistake::new(
            name_span.clone(),
            "unknown key",
            "expected `schema`, [policy], or the section of a budget",
        );
        return Err(mistake.suggest(name, ["schema", "policy"]));
    }
    let mut budget = Budget {
        name: name.to_owned(),
        kind: Kind::Run,
        operation: String::new(),
        subject: String::new(),
        rules: Vec::new(),
        versus: Vec::new(),
    };
    let (mut operations, mut subjects) = (vec![name.to_owned()], None);
    let (mut work, mut latency, mut counts, mut versus) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (key, span, value) in in_order(table(value, name_span, name)?) {
        match key {
            "lab" => budget.kind = lab(value)?,
            "operation" => operations = names(value)?,
            "subject" => subjects = Some(names(value)?),
            "work" => work = rules(text, value, List::Work)?,
            "latency" => latency = rules(text, value, List::Latency)?,
            "counts" => counts = rules(text, value, List::Counts)?,
            "versus" => {
                for (base, _, value) in in_order(table(value, &span, key)?) {
                    versus.push((base.to_owned(), rules(text, value, List::Versus)?));
                }
            }
            _ => return Err(unknown_key(span, key, name, &BUDGET_KEYS)),
        }
    }
    let mut places = Vec::new();
    for (rule, place) in work.into_iter().chain(latency).chain(counts) {
        budget.rules.push(rule);
        places.push(place);
    }
    for (base, rules) in versus {
        let (rules, spans): (Vec<_>, Vec<_>) = rules.into_iter().unzip();
        budget.versus.push(Versus { base, rules });
        places.extend(spans);
    }
    if places.is_empty() {
        return Err(Mistake::new(
            name_span.clone(),
            "budget without a rule",
            "expected `work`, `latency`, `counts` or `versus` with at least one rule",
        ));
    }
    fitting(&budget, &places)?;
    let subjects = match (subjects, budget.kind) {
        (Some(subjects), _) => subjects,
        (None, Kind::Run) => vec!["live".to_owned()],
        (None, kind) => return Err(without_subject(name_span.clone(), kind)),
    };
    let pairs =
        operations.iter().flat_map(|operation| subjects.iter().map(move |subject| (operation, subject)));
    let budgets = pairs.map(|(operation, subject)| {
        let (operation, subject) = (operation.clone(), subject.clone());
        (Budget { operation, subject, ..budget.clone() }, places.clone())
    });
    Ok(budgets.collect())
}

/// No lab has the subject that runs have when none is named.
fn without_subject(section: Range<usize>, kind: Kind) -> Mistake {
    let example = match kind {
        Kind::Locks => "[\"sql\", \"api\"]",
        _ => "\"optimized/api\"",
    };
    Mistake::new(
        section,
        "section without a subject",
        format!("expected one of the lab, such as subject = {example}"),
    )
}

fn lab(value: &Spanned<DeValue<'_>>) -> Result<Kind, Mistake> {
    let names = Kind::LABS.map(|(name, _)| name);
    let expected = format!("expected one of {}", names.join(", "));
    let word = string(value, &expected)?;
    Kind::LABS
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, kind)| *kind)
        .ok_or_else(|| Mistake::new(value.span(), "unknown lab", expected).suggest(word, names))
}

fn rules(text: &str, value: &Spanned<DeValue<'_>>, list: List) -> Result<Vec<(Rule, Range<usize>)>, Mistake> {
    let expected = "expected a list of rules, such as [\"p95 < 500ms\"]";
    let array =
        value.get_ref().as_array().ok_or_else(|| Mistake::new(value.span(), "not a list", expected))?;
    array
        .iter()
        .map(|item| {
            let rule = string(item, "expected a rule in quotes, such as \"p95 < 500ms\"")?;
            let parsed = Rule::parse(rule, list).map_err(|mistake| document::inside(text, item, mistake))?;
            Ok((parsed, item.span()))
        })
        .collect()
}

/// One name, or a list of at least one, each once.
fn names(value: &Spanned<DeValue<'_>>) -> Result<Vec<String>, Mistake> {
    match value.get_ref().as_array() {
        Some(list) if list.is_empty() => {
            Err(Mistake::new(value.span(), "empty list", "expected a name in quotes, or several"))
        }
        Some(list) => {
            let mut names = Vec::new();
            for item in list {
                let name = name_of(item)?;
                if names.contains(&name) {
                    return Err(Mistake::new(item.span(), "name given twice", "expected each name once"));
                }
                names.push(name);
            }
            Ok(names)
        }
        None => Ok(vec![name_of(value)?]),
    }
}

fn name_of(value: &Spanned<DeValue<'_>>) -> Result<String, Mistake> {
    let name = string(value, "expected a name in quotes")?;
    if name.trim().is_empty() {
        return Err(Mistake::new(value.span(), "empty name", "expected a name in quotes"));
    }
    Ok(name.to_owned())
}

fn table<'a, 'i>(
    value: &'a Spanned<DeValue<'i>>,
    span: &Range<usize>,
    name: &str,
) -> Result<&'a DeTable<'i>, Mistake> {
    let expected = match name {
        "versus" => "expected the base and its rules, such as { naive = [\"p95 <= 0.5x\"] }".to_owned(),
        _ => format!("expected a section [{name}]"),
    };
    value.get_ref().as_table().ok_or_else(|| Mistake::new(span.clone(), "not a table", expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
schema = 1

[policy]
confidence = 0.99
inconclusive = "warn"
no_data = "undecided"

[first_page]
work = ["statements/req < 10"]
latency = ["p95 < 500ms", "errors = 0%"]
versus = { naive = ["p95 <= 0.5x"] }

[second]
operation = "page_100"
subject = "target"
latency = ["p99 < 1s"]
"#;

    #[test]
    fn a_file_reads_in_its_own_order_with_its_defaults() {
        let budgets = parse("budgets.toml", GOOD).unwrap();
        assert_eq!(
            budgets.policy,
            Policy { confidence: 0.99, inconclusive: Weight::Warn, no_data: Weight::Undecided }
        );
        let [first, second] = &budgets.budgets[..] else { panic!("two budgets") };
        assert_eq!((first.operation.as_str(), first.subject.as_str()), ("first_page", "live"));
        let texts: Vec<_> = first.rules.iter().map(|rule| rule.text.as_str()).collect();
        assert_eq!(texts, ["statements/req < 10", "p95 < 500ms", "errors = 0%"]);
        assert_eq!(first.versus[0].base, "naive");
        assert_eq!((second.operation.as_str(), second.subject.as_str()), ("page_100", "target"));
    }

    #[test]
    fn a_section_may_speak_of_a_lab_and_of_several_subjects_under_several_operations() {
        let text = "schema = 1\n[ordered]\nlab = \"locks\"\noperation = [\"calls\", \"insert\"]\n\
                    subject = [\"sql\", \"api\"]\ncounts = [\"deadlocks = 0\"]\n";
        let budgets = parse("budgets.toml", text).unwrap().budgets;
        let pairs: Vec<_> = budgets.iter().map(|of| (of.operation.as_str(), of.subject.as_str())).collect();
        assert_eq!(pairs, [("calls", "sql"), ("calls", "api"), ("insert", "sql"), ("insert", "api")]);
        for budget in &budgets {
            assert_eq!((budget.name.as_str(), budget.kind, budget.rules.len()), ("ordered", Kind::Locks, 1));
        }
    }

    #[test]
    fn the_default_budgets_parse() {
        let budgets = parse("budgets.toml", super::super::DEFAULT).unwrap();
        assert_eq!(budgets.policy, Policy::default());
        assert!(budgets.budgets.iter().any(|budget| budget.operation == "page_100"));
    }

    /// Every mistake with its line, column, and the words that a user sees.
    #[test]
    fn mistakes_are_reported_with_line_and_column() {
        for (text, message) in [
            ("schema = 1\n[a\n", "2:3: not valid TOML at"),
            ("schema = 1\n[a]\nsubject = []\nlatency = [\"p95 < 5ms\"]", "3:11: empty list"),
            ("schema = 1\nschema = 1\n", "2:1: not valid TOML at `schema`: duplicate key"),
            (
                "[a]\nlatency = [\"p95 < 5ms\"]",
                "1:1: no version in the file ``: expected `schema = 1` at its top",
            ),
            (
                "schema = 2\n",
                "1:10: schema of a newer callbench `2`: this one reads schema 1; update callbench",
            ),
            ("schema = \"1\"\n", "1:10: unknown schema `\"1\"`: expected `schema = 1`"),
            ("schema = 1\n", "1:1: no budget in the file ``: expected a section"),
            (
                "shcema = 1\n",
                "1:1: unknown key `shcema`: expected `schema`, [policy], or the section of a budget; did you mean `schema`?",
            ),
            (
                "schema = 1\n[policy]\nconfidance = 0.9",
                "3:1: unknown key `confidance`: [policy] has confidence, inconclusive, no_data; did you mean `confidence`?",
            ),
            (
                "schema = 1\n[policy]\nconfidence = 95",
                "3:14: bad confidence `95`: expected a number between 0.5 and 1, such as 0.95",
            ),
            (
                "schema = 1\n[policy]\nno_data = \"fial\"",
                "3:11: unknown answer `\"fial\"`: expected one of fail, undecided, warn, pass; did you mean `fail`?",
            ),
            ("schema = 1\n[policy]\nno_data = 1", "3:11: not a string `1`: expected one of fail"),
            ("schema = 1\npolicy = 3", "2:1: not a table `policy`: expected a section [policy]"),
            (
                "schema = 1\n[a]\nlatencies = []",
                "3:1: unknown key `latencies`: [a] has lab, operation, subject, work, latency, counts, versus; did you mean `latency`?",
            ),
            ("schema = 1\n[a]\n", "2:2: budget without a rule `a`: "),
            ("schema = 1\n[a]\nlatency = []\n", "2:2: budget without a rule `a`: "),
            ("schema = 1\n[a]\nsubject = \" \"\n", "3:11: empty name `\" \"`: "),
            (
                "schema = 1\n[a]\nlatency = \"p95 < 5ms\"",
                "3:11: not a list `\"p95 < 5ms\"`: expected a list of rules",
            ),
            ("schema = 1\n[a]\nlatency = [5]", "3:12: not a string `5`: expected a rule in quotes"),
            (
                "schema = 1\n[a]\nversus = [\"p95 < 1x\"]",
                "3:1: not a table `versus`: expected the base and its rules",
            ),
            (
                "schema = 1\n[a]\nlatency = [\n  \"p95 < 5ms\",\n  \"p9q < 5ms\",\n]",
                "5:4: unknown metric `p9q`: expected one of p50, p90, p95, p99, p99.9, max, errors; did you mean `p9",
            ),
            (
                "schema = 1\n[a]\nlatency = [\"p95 < 500\"]",
                "3:19: limit without a unit `500`: expected us, ms or s after the number, such as 500ms",
            ),
            // Columns count characters, not bytes.
            ("schema = 1\n[\"é\"]\nlatency = [\"é < 5ms\", \"p95 < 500\"]", "3:13: unknown metric `é`"),
            (
                "schema = 1\n[a]\nlatency = [\"errors < 5%\", \"p95 < 5 µs\", \"p99 < 5 µz\"]",
                "3:50: unknown unit `µz`",
            ),
            // Positions inside a string with escapes would be wrong: the string itself is named.
            (
                "schema = 1\n[a]\nlatency = [\"p95\\u0020< 500\"]",
                "3:12: limit without a unit `\"p95\\u0020< 500\"`",
            ),
            (
                "schema = 1\n[a]\nlatency = [\"p95 < 5ms\", \"p95 <= 6ms\"]",
                "3:25: duplicate rule `\"p95 <= 6ms\"`: p95 already has a limit on this side in [a]; keep one of the two",
            ),
            (
                "schema = 1\n[a]\nlatency = [\"p95 < 5ms\"]\n[b]\noperation = \"a\"\nlatency = [\"p95 < 6ms\"]",
                "6:12: duplicate rule `\"p95 < 6ms\"`: p95 already has a limit on this side in [a]",
            ),
            (
                "schema = 1\n[a]\nlatency = [\"p95 > 9ms\", \"p95 < 5ms\"]",
                "3:25: contradictory rule `\"p95 < 5ms\"`: no value satisfies both `p95 > 9ms` and `p95 < 5ms`",
            ),
        ] {
            assert_refused(text, message);
        }
    }

    #[test]
    fn mistakes_about_labs_are_reported_alike() {
        for (text, message) in [
            (
                "schema = 1\n[a]\nlab = \"lock\"\ncounts = [\"deadlocks = 0\"]",
                "3:7: unknown lab `\"lock\"`: expected one of writes, locks; did you mean `locks`?",
            ),
            (
                "schema = 1\n[a]\ncounts = [\"deadlocks = 0\"]",
                "3:11: rule about something that only the lock lab counts `\"deadlocks = 0\"`: expected `lab = \"locks\"`",
            ),
            (
                "schema = 1\n[a]\nlab = \"locks\"\ncounts = [\"deadlocks = 0\"]",
                "2:2: section without a subject `a`: expected one of the lab, such as subject = [\"sql\", \"api\"]",
            ),
            (
                "schema = 1\n[single_insert]\nlab = \"writes\"\nlatency = [\"p99 < 5ms\"]",
                "2:2: section without a subject `single_insert`: expected one of the lab, such as subject = \"optimized/api\"",
            ),
            (
                "schema = 1\n[a]\nlab = \"locks\"\nlatency = [\"p95 < 5ms\"]",
                "4:12: rule about something that the lock lab does not measure `\"p95 < 5ms\"`: expected `counts` with one of",
            ),
            (
                "schema = 1\n[a]\nsubject = [\"live\", \"live\"]\nlatency = [\"p95 < 5ms\"]",
                "3:20: name given twice `\"live\"`: expected each name once",
            ),
            (
                "schema = 1\n[a]\nlab = \"locks\"\nsubject = \"sql\"\ncounts = [\"deadlocks = 0\", \"deadlocks > 0\"]",
                "5:28: contradictory rule `\"deadlocks > 0\"`: no value satisfies both `deadlocks = 0` and `deadlocks > 0`",
            ),
            (
                "schema = 1\n[a]\nwork = [\"statements/req >= 5\", \"statements/req < 5\"]",
                "3:32: contradictory rule",
            ),
        ] {
            assert_refused(text, message);
        }
    }

    #[track_caller]
    fn assert_refused(text: &str, message: &str) {
        let error = parse("b.toml", text).expect_err(text).to_string();
        assert!(
            error.starts_with(&format!("b.toml:{message}")),
            "{text}\n  said   {error}\n  wanted b.toml:{message}"
        );
    }

    #[test]
    fn limits_on_both_sides_of_a_range_are_fine() {
        for rules in [
            "latency = [\"p95 > 1ms\", \"p95 < 5ms\"]",
            "work = [\"statements/req >= 5\", \"statements/req <= 5\"]",
            "work = [\"statements/req = 5\", \"statements/req <= 5\"]",
        ] {
            parse("b.toml", &format!("schema = 1\n[a]\n{rules}")).unwrap();
        }
    }

    #[test]
    fn a_run_and_a_lab_may_limit_the_same_operation_of_the_same_name() {
        let text = "schema = 1\n[a]\nsubject = \"x\"\nlatency = [\"p95 < 5ms\"]\n\
                    [b]\nlab = \"writes\"\noperation = \"a\"\nsubject = \"x\"\nlatency = [\"p95 < 9ms\"]\n";
        assert_eq!(parse("b.toml", text).unwrap().budgets.len(), 2);
    }
}
