//! scratch
use datagen::{
    Options, Phase, Progress, Spec, Table, encode, encode::Writer, plan, population::Population, seed,
};
use std::time::Instant;
struct Say;
impl Progress for Say {
    fn phase_finished(&self, p: &Phase) {
        println!(
            "{:32} {:8.2} s {:>10} rows {:>10.0} rows/s {:>7.1} MB/s",
            p.name,
            p.seconds,
            p.rows.unwrap_or(0),
            p.rows.unwrap_or(0) as f64 / p.seconds,
            p.bytes.unwrap_or(0) as f64 / 1e6 / p.seconds
        );
    }
}
#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    let spec = Spec::of(args[1].parse().unwrap(), 1, chrono::Utc::now());
    let t = Instant::now();
    let population = Population::new(&spec);
    println!("population {:?}", t.elapsed());
    for table in [Table::Customer, Table::CustomerLabel, Table::Enrolment, Table::Call] {
        let t = Instant::now();
        let mut w = encode::Written::default();
        let mut buf = Vec::new();
        for chunk in 0..table.chunks(&population).min(100) {
            let mut hand = |b| Some(b);
            let mut writer = Writer::new(std::mem::take(&mut buf), 512 * 1024, &mut hand);
            let _ = table.write_chunk(&population, chunk, &mut writer);
            let (x, b) = writer.end().unwrap();
            w += x;
            buf = b;
        }
        let s = t.elapsed().as_secs_f64();
        println!(
            "encode {table:24} {} rows {:.2} s {:.2} M rows/s {:.0} MB/s {} B/row",
            w.rows,
            s,
            w.rows as f64 / s / 1e6,
            w.bytes as f64 / s / 1e6,
            w.bytes / w.rows
        );
    }
    let t = Instant::now();
    let plan = plan(&spec, migrations::Level::Before).unwrap();
    println!("plan {:?}", t.elapsed());
    for p in &plan.tables {
        println!(
            "{:24} {:>10} rows {:>8.1} MB table {:>8.1} MB indexes",
            p.table,
            p.rows,
            p.table_bytes as f64 / 1e6,
            p.index_bytes as f64 / 1e6
        );
    }
    if let Some(url) = args.get(2) {
        let level = args[3].parse().unwrap();
        let t = Instant::now();
        let seeded =
            seed(url, &spec, level, &Options { drop: true, ..Options::default() }, &Say).await.unwrap();
        println!(
            "total {:?} rows {}",
            t.elapsed(),
            seeded.present().tables.iter().map(|t| t.rows).sum::<u64>()
        );
    }
}
