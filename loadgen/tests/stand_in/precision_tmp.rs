use crate::server::*;
use loadgen::Plan;
use std::time::Duration;
#[tokio::test(flavor = "multi_thread")]
async fn precision() {
    for rate in [20.0, 100.0, 400.0] {
        let server = StandIn::serve(50, Links::Cursors).await;
        let plan = Plan {
            rounds: 2,
            window: Duration::from_secs(4),
            warm_up: Duration::from_millis(500),
            ..plan("first_page", open(rate, 64))
        };
        let m = measure(&plan, &[server.target("live")]).await;
        for w in &m.windows {
            let t = &w.timings;
            let q = |l: &reports::latency::Latency| {
                (l.quantile_us(0.5), l.quantile_us(0.9), l.quantile_us(0.99), l.max_us())
            };
            println!(
                "rate {:?} n {} lateness {:?} lag {:?} service {:?} response {:?} cpu {:?} invalid {:?}",
                w.offered_per_second,
                w.requests,
                q(&t.lateness),
                q(&t.lag),
                q(&t.service),
                q(&t.response),
                w.cpu.client_s,
                w.invalid
            );
        }
        println!("{:?}", m.warnings);
    }
}
