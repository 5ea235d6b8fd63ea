//! Reads: pages at the top, at page 100 and deep in the list, and the worst filter.

use std::time::{Duration, Instant};

use crate::Rung;
use crate::ground::Ground;
use crate::reference::request;

pub(crate) fn bench(rung: &mut Rung<'_, '_>) {
    read(rung, "healthz", |_| "/healthz".to_owned());
    read(rung, "first page", |ground| ground.page(1));
    read(rung, "page 100", |ground| ground.page(100));
    read(rung, "page 10,000 or the last", |ground| ground.page(10_000));
    read(rung, "worst filter", worst_filter);
}

/// Matches nothing, and no index says so: a label that many have, an attribute that nobody has, and a status that all pass.
fn worst_filter(ground: &Ground<'_>) -> String {
    format!(
        "{}&labels__id={}&other_attributes=no+key%3Dno+value&status__neq=absent",
        ground.list, ground.label
    )
}

fn read(rung: &mut Rung<'_, '_>, name: &str, path: impl Fn(&Ground<'_>) -> String) {
    let mut asked = None;
    rung.bench(name, |ground, iterations| {
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
