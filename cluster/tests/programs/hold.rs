//! Uses the private PostgreSQL of a home folder until its standard input ends: `hold-cluster HOME [stay] [loading]`.
//! Says `ready URL` when the server runs. A line `restart` on standard input asks for the serving mode, and is answered
//! with `ready URL` once more.

use std::io::BufRead;

use cluster::{Cluster, Mode, Options};

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut options = Options::new(arguments.next().expect("a home folder"));
    for word in arguments {
        match word.as_str() {
            "stay" => options.stay = true,
            "loading" => options.mode = Mode::Loading,
            _ => panic!("{word:?} is not a word of this program"),
        }
    }
    let mut cluster = Cluster::start(&options).await.unwrap_or_else(|error| {
        eprintln!("{error}");
        std::process::exit(2);
    });
    println!("ready {}", cluster.url("postgres"));
    for line in std::io::stdin().lock().lines() {
        assert_eq!(line.expect("standard input"), "restart");
        cluster = cluster.restart(Mode::Serving).await.unwrap_or_else(|error| panic!("{error}"));
        println!("ready {}", cluster.url("postgres"));
    }
    cluster.release().await.unwrap_or_else(|error| panic!("{error}"));
}
