//! Reads: pages at the top, at page 100 and deep in the list, and the worst filter; and an answer without any.

use std::time::{Duration, Instant};

use reports::quantity;

use crate::ground::Ground;
use crate::reference::request;
use crate::{Rung, page_size};

/// Pages that are read if the dataset has them. The time of the last must be that of the first page.
pub(crate) const NUMBERED: [u64; 2] = [100, 10_000];

/// Benches of a dataset with at least so many full pages.
pub(crate) fn bench(rung: &mut Rung<'_, '_>, pages: u64) {
    let rows = usize::try_from(page_size()).expect("a number of rows");
    read(rung, "baseline: healthz", 1, |_| "/healthz".to_owned());
    read(rung, "first page", rows, |ground| ground.page(1));
    for number in NUMBERED.into_iter().filter(|number| *number <= pages) {
        read(rung, &format!("page {}", quantity::count(number)), rows, |ground| ground.page(number));
    }
    read(rung, "last page", rows, |ground| ground.page(ground.full_pages()));
    read(rung, "worst filter", 1, worst_filter);
}

/// Matches nothing: a label that many have, an attribute that nobody has, and a status that all pass. At level
/// `before` no index says so; from `indexed` on the one over attributes can.
fn worst_filter(ground: &Ground<'_>) -> String {
    format!(
        "{}&labels__id={}&other_attributes=no+key%3Dno+value&status__neq=absent",
        ground.list, ground.label
    )
}

fn read(rung: &mut Rung<'_, '_>, name: &str, rows: usize, path: impl Fn(&Ground<'_>) -> String) {
    let mut asked = None;
    rung.bench(name, rows, |ground, iterations| {
        let request = asked.get_or_insert_with(|| request("GET", &path(ground), ""));
        let mut client = ground.client();
        client.ask(request);
        let mut sum = Duration::ZERO;
        for _ in 0..iterations {
            let begun = Instant::now();
            client.ask(request);
            sum += begun.elapsed();
        }
        sum
    });
}
