//! Service time of pages 1, 100 and 10,000, each reached by following the links before it.

use std::io::Write;
use std::time::Instant;

use crate::client::Client;
use crate::quantile;

const PAGES: [usize; 3] = [1, 100, 10_000];

/// Requests of each page. The pages take turns, so that a slow moment meets all of them.
const REQUESTS: usize = 300;

pub(crate) async fn measure(out: &mut impl Write, client: &mut Client, list: &str) -> anyhow::Result<()> {
    let mut paths = vec![(1, list.to_owned())];
    let mut path = list.to_owned();
    for number in 2..=PAGES[PAGES.len() - 1] {
        let Some(next) = client.get(&path).await?.next()? else { break };
        path = next;
        if PAGES.contains(&number) {
            paths.push((number, path.clone()));
        }
    }
    let mut times = vec![Vec::with_capacity(REQUESTS); paths.len()];
    for _ in 0..REQUESTS {
        for (times, (_, path)) in times.iter_mut().zip(&paths) {
            let begun = Instant::now();
            client.get(path).await?;
            times.push(begun.elapsed().as_secs_f64() * 1e3);
        }
    }
    writeln!(out, "\ndepth, {REQUESTS} requests each, one connection")?;
    let mut first = None;
    for (times, (number, _)) in times.iter_mut().zip(&paths) {
        times.sort_by(f64::total_cmp);
        let p50 = quantile(times, 0.5);
        let ratio = p50 / *first.get_or_insert(p50);
        writeln!(
            out,
            "page {number:>6}: p50 {p50:.2}, p99 {:.2} ms; {ratio:.2} of page 1",
            quantile(times, 0.99)
        )?;
    }
    if paths.len() < PAGES.len() {
        writeln!(out, "the list has fewer pages than {}", PAGES[PAGES.len() - 1])?;
    }
    Ok(())
}
