//! A time that grows with the page is told from one that does not, with the power with which it grows.

use std::sync::Arc;
use std::time::Duration;

use loadgen::curves::{depth_plan, depth_series};
use loadgen::operations::Depths;
use loadgen::{Plan, Target};
use reports::curves::Series;

use crate::server::{Links, StandIn, measure};

const PAGES: [u32; 4] = [1, 5, 25, 100];

async fn draw(targets: &[Target], pages: &[u32]) -> (Vec<Series>, Vec<String>) {
    let depths = Arc::new(Depths::default());
    let (pages, ends) = depths.reachable(targets, pages).await.unwrap();
    let plan = depth_plan(&pages, &depths, 2, Duration::from_millis(50));
    let plan = Plan { page_size: 5, workspace: "shop".into(), ..plan };
    let measured = measure(&plan, targets).await;
    let names: Vec<String> = targets.iter().map(|target| target.subject.name.clone()).collect();
    (depth_series(&measured, &pages, &names), ends)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_whose_delay_grows_with_its_number_grows_with_the_power_of_one_and_the_other_is_flat() {
    let (naive, live) =
        (StandIn::serve(600, Links::Numbers).await, StandIn::serve(600, Links::Cursors).await);
    // Far above what the timers of a busy machine add: from 40 ms to 4 s would take too long, so from 8 to 800 ms.
    naive.delay_per_page(Duration::from_millis(8));
    live.delay(Duration::from_millis(20));
    let (series, ends) = draw(&[naive.target("naive"), live.target("live")], &PAGES).await;
    assert_eq!(ends, Vec::<String>::new());
    let [grows, flat] = &series[..] else { panic!("{series:?}") };
    assert_eq!((grows.subject.as_str(), flat.subject.as_str()), ("naive", "live"));
    let power = |series: &Series| series.latency.unwrap().exponent;
    assert!((0.8..1.1).contains(&power(grows)) && power(flat).abs() < 0.15, "{grows:?} {flat:?}");
    for series in &series {
        assert_eq!(series.points.iter().map(|point| point.size).collect::<Vec<_>>(), PAGES.map(u64::from));
        assert!(series.points.iter().all(|point| point.requests >= 2 && point.failed == 0), "{series:?}");
        assert!(series.buffers.is_none(), "there is no database to ask");
    }
    // The delay is that of its page.
    assert!(grows.points[3].p50_us >= 800_000 && grows.points[0].p50_us < 400_000, "{grows:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_pages_of_a_list_with_cursors_cost_one_walk_to_the_deepest() {
    let server = StandIn::serve(600, Links::Cursors).await;
    let depths = Depths::default();
    let (pages, _) = depths.reachable(&[server.target("live")], &[100, 1, 25, 100]).await.unwrap();
    assert_eq!(pages, [1, 25, 100]);
    assert_eq!(server.queries().len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_a_server_does_not_have_are_left_out_and_said() {
    let (few, many) = (StandIn::serve(60, Links::Cursors).await, StandIn::serve(600, Links::Numbers).await);
    let (series, ends) = draw(&[many.target("many"), few.target("few")], &[1, 5, 100, 1000]).await;
    assert_eq!(ends, ["`many` serves no page 1000 of 5 rows", "`few` serves no page 100 of 5 rows"]);
    for series in series {
        assert_eq!(series.points.iter().map(|point| point.size).collect::<Vec<_>>(), [1, 5]);
    }
}
