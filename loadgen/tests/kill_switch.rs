//! Goose's kill switch, which its handler of Ctrl-C pulls where a program has set no handler of its own. It is one
//! switch for the whole process, so this test has a process of its own.

#[expect(dead_code, reason = "one test needs little of the stand-in")]
#[path = "stand_in/server.rs"]
mod server;

use loadgen::Plan;
use server::{Links, StandIn, measure_and, open, plan};

#[tokio::test(flavor = "multi_thread")]
async fn the_kill_switch_of_goose_stops_a_measurement_and_not_the_next_one() {
    let server = StandIn::serve(50, Links::Cursors).await;
    let targets = [server.target("live")];
    let endless = Plan { rounds: u32::MAX, ..plan("first_page", open(50.0, 4)) };
    let stopped = measure_and(&endless, &targets, || goose::trigger_killswitch("Ctrl-C")).await;
    assert!(!stopped.complete);

    let next = measure_and(&plan("first_page", open(50.0, 4)), &targets, || {}).await;
    assert!(next.complete);
}
