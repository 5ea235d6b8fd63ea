//! `customer_call_stats`: the lifetime totals of each customer with at least one call, as the triggers of level
//! `optimized` would have counted them.
//!
//! The totals are a pure function too: a chunk goes through all calls of its workspaces, of each only as far as the
//! totals need it, and adds them up. So they cost no pass of the database over the calls, and a chunk can be made
//! again at any time. A workspace with more customers than a chunk may hold is cut into slices of its customers, each of
//! which goes through all its calls.

use std::ops::{ControlFlow, Range};

use super::Table;
use super::call::{self, Counted, Outcome};
use crate::encode::{Writer, Written};
use crate::population::{Population, Tenant};
use crate::spec::Spec;

/// Customers in a chunk, at most: 48 MB of totals.
const CUSTOMERS_PER_CHUNK: u64 = 1_000_000;

/// A run of whole workspaces, or a slice of the customers of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chunk {
    tenants: Range<usize>,
    customers: Range<u64>,
}

/// The chunks, in the order of the workspaces and of the customers in them.
pub(crate) fn chunks(population: &Population) -> Vec<Chunk> {
    cut(population.tenants.iter().map(|tenant| tenant.customers), CUSTOMERS_PER_CHUNK)
}

/// Cuts workspaces of these sizes into chunks of at most `most` customers.
fn cut(sizes: impl Iterator<Item = u64>, most: u64) -> Vec<Chunk> {
    let mut chunks: Vec<Chunk> = Vec::new();
    // Customers of the last chunk, if it can take more.
    let mut open = None;
    for (tenant, size) in sizes.enumerate() {
        if size > most {
            let slices = size.div_ceil(most);
            chunks.extend((0..slices).map(|slice| Chunk {
                tenants: tenant..tenant + 1,
                customers: slice * size / slices..(slice + 1) * size / slices,
            }));
            open = None;
            continue;
        }
        match (open, chunks.last_mut()) {
            (Some(held), Some(last)) if held + size <= most => {
                last.tenants.end = tenant + 1;
                open = Some(held + size);
            }
            _ => {
                chunks.push(Chunk { tenants: tenant..tenant + 1, customers: 0..u64::MAX });
                open = Some(size);
            }
        }
    }
    chunks
}

/// What is counted of one customer. A workspace has less than 2^32 calls, see [`Spec::check`].
#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    calls: u32,
    successful: u32,
    missed: u32,
    campaign: u32,
    seconds: u64,
    /// Costs of campaign, direct and callback calls, in ten-thousandths.
    costs: [u64; 3],
}

impl Totals {
    fn add(&mut self, call: &Counted) {
        self.calls += 1;
        self.successful += u32::from(call.outcome == Outcome::Completed);
        self.missed += u32::from(call.outcome == Outcome::Missed);
        self.campaign += u32::from(call.kind == call::Kind::Campaign);
        self.seconds += u64::from(call.duration_seconds);
        self.costs[call.kind as usize] += cost(call.rate, call.duration_seconds);
    }
}

/// What a call costs, in ten-thousandths: the price of a minute times the minutes, rounded, halves upwards.
fn cost(rate: Option<u32>, duration_seconds: u32) -> u64 {
    (u64::from(rate.unwrap_or(0)) * u64::from(duration_seconds) + 30) / 60
}

/// Writes the rows of a chunk.
pub(crate) fn write(population: &Population, chunk: &Chunk, writer: &mut Writer<'_>) -> ControlFlow<()> {
    let mut totals = Vec::new();
    for tenant in &population.tenants[chunk.tenants.clone()] {
        let customers = chunk.customers.start..chunk.customers.end.min(tenant.customers);
        add_up(population, tenant, &customers, &mut totals);
        for (ordinal, totals) in customers.zip(&totals).filter(|(_, totals)| totals.calls > 0) {
            writer.row(Table::CallStats.width(), |fields| {
                fields.uuid(&super::customer::id(tenant, ordinal));
                fields.uuid(&tenant.id);
                fields.bigint(totals.calls.into());
                fields.bigint(totals.seconds.cast_signed());
                fields.bigint(totals.successful.into());
                fields.bigint(totals.missed.into());
                fields.bigint(totals.campaign.into());
                for cost in totals.costs {
                    fields.numeric_4(cost);
                }
            })?;
        }
    }
    ControlFlow::Continue(())
}

/// Fills `totals` with one entry for each of these customers.
fn add_up(population: &Population, tenant: &Tenant, customers: &Range<u64>, totals: &mut Vec<Totals>) {
    totals.clear();
    let count = usize::try_from(customers.end - customers.start).expect("as many as a chunk holds");
    totals.resize(count, Totals::default());
    for ordinal in 0..tenant.calls {
        if let Some(call) = call::counted(population, tenant, ordinal, customers) {
            let at = usize::try_from(call.customer - customers.start).expect("one of the chunk");
            totals[at].add(&call);
        }
    }
}

/// Customers of a model workspace.
const MODEL_CUSTOMERS: u64 = 1_000;
/// Models have a quarter of a call per customer, twice as many, and so on, up to 64.
const MODELS: u32 = 9;

/// What the table will hold, about. How many customers are never called follows from the calls per customer; it is taken
/// from small workspaces of the same shape, because going through all calls would take as long as loading them.
pub(crate) fn estimate(population: &Population) -> Written {
    let models: Vec<Written> = (0..MODELS).map(|doublings| model(&population.spec, doublings)).collect();
    let mut rows = 0.0;
    let mut bytes = 0.0;
    for tenant in &population.tenants {
        // The place among the models: 0 for a quarter of a call per customer, 1 for a half, and so on.
        let calls = (4 * tenant.calls) as f64 / tenant.customers as f64;
        let place = calls.max(1.0).log2().min(f64::from(MODELS - 1));
        let below = place.floor();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 8")]
        let at = below as usize;
        let between = |of: fn(&Written) -> u64| {
            let [from, to] = [at, (at + 1).min(models.len() - 1)].map(|at| of(&models[at]) as f64);
            (from + (to - from) * (place - below)) / MODEL_CUSTOMERS as f64
        };
        // Below the first model each call has a customer of its own.
        let scale = tenant.customers as f64 * calls.min(1.0);
        rows += scale * between(|written| written.rows);
        bytes += scale * between(|written| written.bytes);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "far below 2^53")]
    let [rows, bytes] = [rows, bytes].map(|sum| sum.round() as u64);
    Written { rows, bytes, ..Written::default() }
}

fn model(of: &Spec, doublings: u32) -> Written {
    let model = Spec {
        customers: MODEL_CUSTOMERS,
        calls: MODEL_CUSTOMERS << doublings >> 2,
        workspaces: 1,
        other_customers: 0,
        other_calls: 0,
        ..of.clone()
    };
    let mut throw_away = |piece: Vec<u8>| Some(piece);
    let mut writer = Writer::new(Vec::new(), 1 << 16, &mut throw_away);
    let population = Population::new(&model);
    let whole = chunks(&population).iter().try_for_each(|chunk| write(&population, chunk, &mut writer));
    match (whole, writer.end()) {
        (ControlFlow::Continue(()), Some((written, _))) => written,
        _ => Written::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Scale;

    fn population(scale: Scale) -> Population {
        Population::new(&Spec::of(scale, 7, "2026-03-01T00:00:00Z".parse().unwrap()))
    }

    fn written(population: &Population, chunks: &[Chunk]) -> Written {
        let mut throw_away = |piece: Vec<u8>| Some(piece);
        let mut writer = Writer::new(Vec::new(), 1 << 16, &mut throw_away);
        for chunk in chunks {
            assert!(write(population, chunk, &mut writer).is_continue());
        }
        writer.end().unwrap().0
    }

    #[test]
    fn slices_of_a_workspace_hold_the_same_rows_as_the_whole() {
        let population = population(Scale::Tiny);
        let sizes = || population.tenants.iter().map(|tenant| tenant.customers);
        let whole = written(&population, &chunks(&population));
        assert!(whole.rows > 2_000);
        for most in [300, 2_000] {
            let chunks = cut(sizes(), most);
            let sliced = chunks.iter().filter(|chunk| chunk.customers.end < u64::MAX).count();
            assert_eq!(sliced > 1, most < 2_000, "{chunks:?}");
            assert_eq!(written(&population, &chunks), whole, "at most {most} customers in a chunk");
        }
    }

    #[test]
    fn chunks_cover_every_customer_once_and_keep_to_their_size() {
        for sizes in [&[5, 1, 1, 1][..], &[25, 10, 3, 3, 3, 3, 1], &[1], &[11, 11, 10, 9, 1, 1]] {
            let mut found = Vec::new();
            for chunk in cut(sizes.iter().copied(), 10) {
                let mut customers = 0;
                for tenant in chunk.tenants.clone() {
                    let of_tenant = chunk.customers.start..chunk.customers.end.min(sizes[tenant]);
                    customers += of_tenant.end - of_tenant.start;
                    found.extend(of_tenant.map(|customer| (tenant, customer)));
                }
                assert!((1..=10).contains(&customers), "{chunk:?} of {sizes:?}");
            }
            let expected = (0..sizes.len()).flat_map(|tenant| (0..sizes[tenant]).map(move |at| (tenant, at)));
            assert!(found.into_iter().eq(expected), "{sizes:?}");
        }
    }

    #[test]
    fn a_chunk_of_totals_stays_below_64_megabytes() {
        let bytes = u64::try_from(size_of::<Totals>()).unwrap() * CUSTOMERS_PER_CHUNK;
        assert!(bytes < 64 << 20, "{bytes}");
    }

    #[test]
    fn costs_are_rounded_to_four_decimals_halves_away_from_zero() {
        assert_eq!(cost(None, 100), 0);
        assert_eq!(cost(Some(25_000), 60), 25_000);
        assert_eq!(cost(Some(1), 29), 0);
        assert_eq!(cost(Some(1), 30), 1);
        assert_eq!(cost(Some(43_275), 17), 12_261); // 12261.25
    }

    #[test]
    fn the_estimate_is_close_without_a_look_at_the_calls() {
        for scale in [Scale::Tiny, Scale::Dev] {
            let population = population(scale);
            let real = written(&population, &chunks(&population));
            let estimate = estimate(&population);
            for (estimate, real) in [(estimate.rows, real.rows), (estimate.bytes, real.bytes)] {
                assert!(estimate.abs_diff(real) * 100 <= real * 5, "{scale}: {estimate} for {real}");
            }
        }
    }
}
