//! Which bench stands beside which: the order of a group, and the baseline of each.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{Bench, Group, Ratio};

/// How the name of a function begins that others are compared with.
const WORD: &str = "baseline";

/// Whether a function is a baseline by its name.
pub(super) fn is_baseline(function: &str) -> bool {
    function.get(..WORD.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(WORD))
}

/// The groups of benches, each given with the name of its group: in order, and compared with their baselines.
pub(super) fn groups(benches: Vec<(String, Bench)>) -> Vec<Group> {
    let mut groups: BTreeMap<String, Vec<Bench>> = BTreeMap::new();
    for (group, bench) in benches {
        groups.entry(group).or_default().push(bench);
    }
    groups.into_iter().map(|(name, benches)| Group { name, benches: compared(benches) }).collect()
}

fn compared(mut benches: Vec<Bench>) -> Vec<Bench> {
    benches.sort_by(order);
    let baselines: Vec<Bench> = benches.iter().filter(|bench| bench.is_baseline).cloned().collect();
    for bench in benches.iter_mut().filter(|bench| !bench.is_baseline) {
        bench.beside_baseline = baseline_of(bench, &baselines).and_then(|baseline| ratio(bench, baseline));
    }
    benches
}

/// The one with the same parameter, or else the one without any.
fn baseline_of<'a>(bench: &Bench, baselines: &'a [Bench]) -> Option<&'a Bench> {
    let with = |parameter: Option<&String>| {
        baselines.iter().find(move |baseline| baseline.parameter.as_ref() == parameter)
    };
    with(bench.parameter.as_ref()).or_else(|| with(None))
}

fn ratio(bench: &Bench, baseline: &Bench) -> Option<Ratio> {
    let (time, least) = (bench.time_ns, baseline.time_ns);
    // A resampled interval may reach down to nothing where the clock is coarse.
    (least.value > 0.0 && least.lower > 0.0).then(|| Ratio {
        baseline: baseline.name(),
        ratio: time.value / least.value,
        lower: time.lower / least.upper,
        upper: time.upper / least.lower,
    })
}

fn order(a: &Bench, b: &Bench) -> Ordering {
    let rest = || {
        let by_function = a.function.cmp(&b.function);
        by_function.then_with(|| by_parameter(a.parameter.as_deref(), b.parameter.as_deref()))
    };
    b.is_baseline.cmp(&a.is_baseline).then_with(rest)
}

/// As numbers where they are numbers.
fn by_parameter(a: Option<&str>, b: Option<&str>) -> Ordering {
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<f64>().ok());
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => a.cmp(&b),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::bench;
    use super::*;

    fn of(group: &str, bench: Bench) -> (String, Bench) {
        (group.to_owned(), bench)
    }

    fn ratios(group: &Group) -> Vec<(String, Option<(String, f64)>)> {
        group
            .benches
            .iter()
            .map(|bench| {
                let ratio = bench.beside_baseline.as_ref();
                (bench.name(), ratio.map(|ratio| (ratio.baseline.clone(), ratio.ratio)))
            })
            .collect()
    }

    #[test]
    fn a_bench_stands_beside_the_baseline_of_its_parameter() {
        let groups = groups(vec![
            of("page", bench("read", Some("b"), 300.0)),
            of("page", bench("Baseline: nothing", Some("a"), 10.0)),
            of("page", bench("read", Some("a"), 100.0)),
            of("page", bench("baseline: nothing", Some("b"), 20.0)),
            of("page", bench("read", Some("c"), 300.0)),
        ]);
        let [page] = &groups[..] else { panic!("{groups:?}") };
        let beside = |name: &str, ratio| Some((name.to_owned(), ratio));
        assert_eq!(
            ratios(page),
            [
                ("Baseline: nothing/a".to_owned(), None),
                ("baseline: nothing/b".to_owned(), None),
                ("read/a".to_owned(), beside("Baseline: nothing/a", 10.0)),
                ("read/b".to_owned(), beside("baseline: nothing/b", 15.0)),
                ("read/c".to_owned(), None),
            ]
        );
    }

    #[test]
    fn a_baseline_without_a_parameter_is_that_of_all_and_only_in_its_group() {
        let groups = groups(vec![
            of("page", bench("read", Some("10"), 300.0)),
            of("page", bench("read", Some("9"), 200.0)),
            of("page", bench("baseline", None, 100.0)),
            of("other", bench("read", None, 5.0)),
        ]);
        assert_eq!(ratios(&groups[0]), [("read".to_owned(), None)]);
        let names: Vec<String> = groups[1].benches.iter().map(Bench::name).collect();
        assert_eq!(names, ["baseline", "read/9", "read/10"], "numbers are ordered as such");
        let ratio = groups[1].benches[2].beside_baseline.as_ref().unwrap();
        // The sample's intervals end a tenth below and above.
        assert!((ratio.ratio - 3.0).abs() < 1e-9);
        assert!((ratio.lower - 270.0 / 110.0).abs() < 1e-9 && (ratio.upper - 330.0 / 90.0).abs() < 1e-9);
    }

    #[test]
    fn a_name_that_only_has_the_word_in_it_is_no_baseline() {
        assert!(is_baseline("baseline: a copy") && is_baseline("Baseline"));
        assert!(!is_baseline("beside the baseline") && !is_baseline("bäseline") && !is_baseline(""));
    }
}
