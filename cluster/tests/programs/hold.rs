//! Uses the private PostgreSQL of a home folder until its standard input ends: `hold-cluster HOME [stay]`.
//! Says `ready URL` when the server runs.

use std::io::Read;

use cluster::{Cluster, Options};

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut options = Options::new(arguments.next().expect("a home folder"));
    options.stay = arguments.next().is_some();
    let cluster = Cluster::start(&options).await.unwrap_or_else(|error| {
        eprintln!("{error}");
        std::process::exit(2);
    });
    println!("ready {}", cluster.url("postgres"));
    std::io::stdin().read_to_end(&mut Vec::new()).expect("standard input");
    cluster.release().await.unwrap_or_else(|error| panic!("{error}"));
}
