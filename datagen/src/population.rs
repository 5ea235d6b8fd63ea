//! Who there is: the workspaces with their sizes, and the order in which their customers and calls come.
//!
//! A customer is (workspace `w`, ordinal `o`), a call is (workspace `w`, ordinal `c`), ordinals in time order. The
//! ordinal `o` of `n` has the position `(o + jitter) / n` in `[0, 1)`, and a timeline makes a time of it. So the
//! number of a workspace's customers that exist at any time is one division away, and a call picks its customer
//! among them without a look-up: causes come before effects by construction.
//!
//! Positions are also what orders rows on disk. They are cut into chunks, the same for any number of workers; a chunk
//! gathers its share of every workspace and sorts it, so that tenants lie interleaved in time order.

use chrono::Datelike as _;

use crate::dictionaries::Dictionaries;
use crate::distributions::{apportion, zipf};
use crate::entities::campaign::{self, Campaign};
use crate::kernel::{Scope, below, chance};
use crate::profile::{Odds, Profile};
use crate::spec::Spec;
use crate::timeline::{DAY_US, Timeline};

/// The parts of the customers' positions that may be bulk imports: 256 blocks.
const IMPORT_BLOCK_BITS: u32 = 8;
/// The first blocks: what the customers brought along when the platform opened.
const FOUNDING_BLOCKS: usize = 4;

/// One workspace: its size, and the keys of its rows.
#[derive(Debug)]
pub struct Tenant {
    /// Its number; 0 is the largest.
    pub number: u32,
    /// Its id.
    pub id: [u8; 16],
    /// Its customers, at least one.
    pub customers: u64,
    /// Its calls.
    pub calls: u64,
    /// Its employees, at least three.
    pub employees: u64,
    /// Its labels, at least two.
    pub labels: u64,
    /// Its campaigns in the order of their start; the last is a draft.
    pub campaigns: Vec<Campaign>,
    /// Billing rates of campaign, direct and callback calls, in ten-thousandths.
    pub tariff: [u32; 3],
    pub(crate) customer_scope: Scope,
    pub(crate) call_scope: Scope,
    pub(crate) enrolment_scope: Scope,
    pub(crate) label_scope: Scope,
    pub(crate) employee_scope: Scope,
    pub(crate) user_scope: Scope,
    pub(crate) campaign_scope: Scope,
    /// Positions per customer and per call: 2^64 / n, rounded down.
    customer_step: u64,
    call_step: u64,
}

/// Everything that the rows are functions of.
#[derive(Debug)]
pub struct Population {
    /// The specification.
    pub spec: Spec,
    /// The words.
    pub words: Dictionaries,
    /// The workspaces, the largest first.
    pub tenants: Vec<Tenant>,
    /// When customers come.
    pub arrivals: Timeline,
    /// When calls are made.
    pub calling: Timeline,
    /// The year of `as_of`.
    pub year: i64,
    /// The profile's tables.
    pub(crate) odds: Odds,
    /// For each block of positions: where it starts, if its customers came by one import.
    imports: [Option<u64>; 1 << IMPORT_BLOCK_BITS],
}

/// A member of a chunk: a row of a workspace, and where it stands among all rows of its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Its position.
    pub position: u64,
    /// Its ordinal in its workspace.
    pub ordinal: u64,
    /// Number of its workspace.
    pub tenant: u32,
}

impl Population {
    /// The population of a specification that [`Spec::check`] accepts.
    #[must_use]
    pub fn new(spec: &Spec) -> Self {
        let seed = spec.seed;
        let as_of_us = spec.as_of.timestamp_micros();
        let profile = &spec.profile;
        let arrivals = Timeline::new(
            as_of_us - profile.customers.years.cast_signed() * 365 * DAY_US,
            as_of_us - 14 * DAY_US,
            profile.customers.growth_percent,
            &profile.time,
            Scope::new(seed, "arrival-days@1"),
        );
        let calling = Timeline::new(
            as_of_us - profile.calls.days.cast_signed() * DAY_US,
            as_of_us,
            profile.calls.growth_percent,
            &profile.time,
            Scope::new(seed, "calling-days@1"),
        );

        let others = u64::from(spec.workspaces) - 1;
        let weights = |eighths| (2..2 + others).map(|rank| zipf(rank, eighths)).collect::<Vec<u64>>();
        let customers =
            apportion(spec.other_customers - others, &weights(profile.workspaces.customers_exponent_eighths))
                .into_iter()
                .map(|more| more + 1);
        let calls = apportion(spec.other_calls, &weights(profile.workspaces.calls_exponent_eighths));
        let sizes = std::iter::once((spec.customers, spec.calls)).chain(customers.zip(calls));
        let tenants = (0..)
            .zip(sizes)
            .map(|(number, (customers, calls))| Tenant::new(spec, number, customers, calls, &calling));

        Self {
            spec: spec.clone(),
            words: Dictionaries::new(),
            tenants: tenants.collect(),
            arrivals,
            calling,
            year: i64::from(spec.as_of.year()),
            imports: imports(Scope::new(seed, "imports@2"), profile.customers.imports_per_mille),
            odds: Odds::new(profile),
        }
    }

    /// The shape of the rows.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.spec.profile
    }

    /// The instant after which nothing happens, in microseconds since 1970.
    #[must_use]
    pub fn as_of_us(&self) -> i64 {
        self.calling.end_us()
    }

    /// When the customer at `position` came, in microseconds since 1970.
    #[must_use]
    pub fn arrival_us(&self, position: u64) -> i64 {
        let block = (position >> (u64::BITS - IMPORT_BLOCK_BITS)) as usize;
        self.arrivals.at(self.imports[block].unwrap_or(position))
    }

    /// How many customers of `tenant` surely exist at `time_us`: the ordinals below this number. At least 1, for the
    /// first customer of each workspace is as old as the timeline.
    #[must_use]
    pub fn customers_at(&self, tenant: &Tenant, time_us: i64) -> u64 {
        // Ordinal o lies before the position (o + 1) * step, and what lies before a position is not later than it.
        (self.arrivals.position(time_us) / tenant.customer_step).clamp(1, tenant.customers)
    }

    /// The customers of chunk `chunk` of `chunks`, in the order of their positions.
    #[must_use]
    pub fn customers_of_chunk(&self, chunk: u64, chunks: u64) -> Vec<Member> {
        self.members(chunk, chunks, |tenant| tenant.customers, Tenant::customer_position)
    }

    /// The calls of chunk `chunk` of `chunks`, in the order of their positions.
    #[must_use]
    pub fn calls_of_chunk(&self, chunk: u64, chunks: u64) -> Vec<Member> {
        self.members(chunk, chunks, |tenant| tenant.calls, Tenant::call_position)
    }

    fn members(
        &self,
        chunk: u64,
        chunks: u64,
        count: impl Fn(&Tenant) -> u64,
        position: impl Fn(&Tenant, u64) -> u64,
    ) -> Vec<Member> {
        let mut members = Vec::new();
        for tenant in &self.tenants {
            let first = |chunk: u64| (chunk * count(tenant)).div_ceil(chunks);
            members.extend((first(chunk)..first(chunk + 1)).map(|ordinal| Member {
                position: position(tenant, ordinal),
                ordinal,
                tenant: tenant.number,
            }));
        }
        // Stable, and so it merges the sorted run of each workspace; equal positions stay in the order of workspaces.
        members.sort_by_key(|member| member.position);
        members
    }
}

impl Tenant {
    fn new(spec: &Spec, number: u32, customers: u64, calls: u64, calling: &Timeline) -> Self {
        let scope = |domain| Scope::new(spec.seed, domain).workspace(number);
        let sizes = &spec.profile.workspaces;
        let entity = scope("workspace@1").entity(0);
        let campaign_scope = scope("call_campaign@1");
        let rate = |field, from: u64, spread| {
            u32::try_from(from + below(entity.draw(field), spread)).expect("a rate is below 10,000")
        };
        Self {
            number,
            id: entity.uuid(0),
            customers,
            calls,
            employees: (sizes.employees_least + customers / sizes.customers_per_employee)
                .min(sizes.employees_most),
            labels: sizes.labels_least + below(entity.draw(2), sizes.labels_most - sizes.labels_least + 1),
            campaigns: campaign::schedule(campaign_scope, customers, calling),
            tariff: [rate(3, 25_000, 37_500), rate(4, 40_000, 50_000), rate(5, 10_000, 20_000)],
            customer_scope: scope("customer@2"),
            call_scope: scope("call@2"),
            enrolment_scope: scope("call_campaign_customer@2"),
            label_scope: scope("label@1"),
            employee_scope: scope("employee@1"),
            user_scope: scope("app_user@1"),
            campaign_scope,
            customer_step: u64::MAX / customers,
            call_step: u64::MAX / calls.max(1),
        }
    }

    /// The position of customer number `ordinal`. The first customer stands at 0, so that there is one at any time.
    #[must_use]
    pub fn customer_position(&self, ordinal: u64) -> u64 {
        if ordinal == 0 {
            return 0;
        }
        let jitter = self.customer_scope.entity(ordinal).draw(crate::entities::customer::JITTER);
        ordinal * self.customer_step + below(jitter, self.customer_step)
    }

    /// The position of call number `ordinal`.
    #[must_use]
    pub fn call_position(&self, ordinal: u64) -> u64 {
        let jitter = self.call_scope.entity(ordinal).draw(crate::entities::call::JITTER);
        ordinal * self.call_step + below(jitter, self.call_step)
    }
}

/// So many blocks are one import each. Two are always there: the founding customers, and one close to the
/// newest customers (whose own last block is not), where someone who leafs through the list comes by.
fn imports(scope: Scope, per_mille: u64) -> [Option<u64>; 1 << IMPORT_BLOCK_BITS] {
    let start = |block: usize| (block as u64) << (u64::BITS - IMPORT_BLOCK_BITS);
    let mut imports = [None; 1 << IMPORT_BLOCK_BITS];
    if per_mille == 0 {
        return imports;
    }
    let last = imports.len() - 1;
    for (block, import) in imports.iter_mut().enumerate() {
        *import = if block < FOUNDING_BLOCKS {
            Some(0)
        } else if block == last - 1 || (block < last && chance(scope.entity(block as u64).draw(0), per_mille))
        {
            Some(start(block))
        } else {
            None
        };
    }
    imports
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::spec::Scale;

    fn population(scale: Scale) -> Population {
        Population::new(&Spec::of(scale, 7, "2026-03-01T00:00:00Z".parse().unwrap()))
    }

    #[test]
    fn sizes_sum_exactly_and_the_largest_has_what_was_asked_for() {
        for scale in Scale::ALL {
            let population = population(scale);
            let spec = &population.spec;
            let sum = |of: fn(&Tenant) -> u64| population.tenants.iter().map(of).sum::<u64>();
            assert_eq!(population.tenants.len(), spec.workspaces as usize);
            assert_eq!(sum(|tenant| tenant.customers), spec.customers + spec.other_customers);
            assert_eq!(sum(|tenant| tenant.calls), spec.calls + spec.other_calls);
            let largest = &population.tenants[0];
            assert_eq!((largest.customers, largest.calls), (spec.customers, spec.calls));
            assert!(population.tenants.iter().all(|tenant| (1..=spec.customers).contains(&tenant.customers)));
        }
    }

    #[test]
    fn sizes_follow_zipf_s_law_to_the_customer_and_the_call() {
        let population = population(Scale::Enterprise);
        let spec = &population.spec;
        let others = &population.tenants[1..];
        // Beside the one customer that each has, and the calls: their quota, rounded down or up.
        let ranks = || 2..2 + others.len() as u64;
        for (total, eighths, size) in [
            (
                spec.other_customers - others.len() as u64,
                4,
                (|tenant| tenant.customers - 1) as fn(&Tenant) -> u64,
            ),
            (spec.other_calls, 6, |tenant| tenant.calls),
        ] {
            let sum: f64 = ranks().map(|rank| (rank as f64).powf(-f64::from(eighths) / 8.0)).sum();
            for (tenant, rank) in others.iter().zip(ranks()) {
                let quota = total as f64 * (rank as f64).powf(-f64::from(eighths) / 8.0) / sum;
                let size = size(tenant) as f64;
                // The weights are cut to integers, which moves a quota by a millionth.
                assert!((size - quota).abs() <= 1.0 + quota * 1e-5, "rank {rank}: {size} for {quota}");
            }
        }
    }

    #[test]
    fn the_largest_populations_take_little_memory() {
        let as_of = "2026-03-01T00:00:00Z".parse().unwrap();
        for spec in [
            Spec::custom(70_000_000, 1_000_000_000, 10_000, 7, as_of),
            Spec {
                other_customers: 69_000_000,
                other_calls: 950_000_000,
                ..Spec::custom(1_000_000, 50_000_000, 100_000, 7, as_of)
            },
        ] {
            spec.check().unwrap();
            let population = Population::new(&spec);
            let campaigns: usize = population.tenants.iter().map(|tenant| tenant.campaigns.capacity()).sum();
            let bytes =
                population.tenants.capacity() * size_of::<Tenant>() + campaigns * size_of::<Campaign>();
            assert!(bytes < 96 << 20, "{bytes} bytes for {spec}");
            // A chunk is larger than others by at most a row per workspace.
            let chunks = crate::Table::Call.chunks(&population);
            let calls = population.calls_of_chunk(chunks / 2, chunks).len();
            assert!(calls < 200_000, "{calls}");
        }
    }

    #[test]
    fn larger_workspaces_call_each_customer_more_often() {
        let population = population(Scale::Enterprise);
        let per_customer = |tenant: &Tenant| tenant.calls as f64 / tenant.customers as f64;
        assert!(per_customer(&population.tenants[0]) > 2.0 * per_customer(&population.tenants[1]));
        assert!(
            per_customer(&population.tenants[1]) > 2.0 * per_customer(population.tenants.last().unwrap())
        );
    }

    #[test]
    fn chunks_hold_every_row_once_in_any_number_of_chunks() {
        let population = population(Scale::Tiny);
        for chunks in [1, 7, 64] {
            let mut calls: Vec<(u32, u64)> = (0..chunks)
                .flat_map(|chunk| population.calls_of_chunk(chunk, chunks))
                .map(|member| (member.tenant, member.ordinal))
                .collect();
            calls.sort_unstable();
            let expected: Vec<(u32, u64)> = population
                .tenants
                .iter()
                .flat_map(|tenant| (0..tenant.calls).map(|ordinal| (tenant.number, ordinal)))
                .collect();
            assert_eq!(calls, expected);
        }
    }

    #[test]
    fn a_chunk_lies_in_time_order_with_tenants_interleaved() {
        let population = population(Scale::Tiny);
        let calls = population.calls_of_chunk(1, 3);
        assert!(calls.is_sorted_by_key(|member| population.calling.at(member.position)));
        let changes = calls.windows(2).filter(|pair| pair[0].tenant != pair[1].tenant).count();
        assert!(changes > calls.len() / 3, "{changes} changes of the tenant in {} rows", calls.len());
        let tenants: std::collections::HashSet<u32> = calls.iter().map(|member| member.tenant).collect();
        assert!(tenants.len() > 15);
    }

    #[test]
    fn imports_give_thousands_of_customers_one_moment() {
        let population = population(Scale::Demo);
        let mut moments: HashMap<i64, u32> = HashMap::new();
        for member in (0..100).flat_map(|chunk| population.customers_of_chunk(chunk, 100)) {
            *moments.entry(population.arrival_us(member.position)).or_default() += 1;
        }
        let imports = moments.values().filter(|&&customers| customers >= 4_000).count();
        assert!((8..40).contains(&imports), "{imports}");
    }

    proptest! {
        #[test]
        fn customers_that_are_said_to_exist_do(tenant in 0_usize..21, moment: u64) {
            let population = population(Scale::Tiny);
            let tenant = &population.tenants[tenant];
            let time_us = population.calling.at(moment);
            let customers = population.customers_at(tenant, time_us);
            prop_assert!((1..=tenant.customers).contains(&customers));
            let newest = tenant.customer_position(customers - 1);
            prop_assert!(population.arrival_us(newest) <= time_us);
            // And few are passed over: the next but one came later, or there is none.
            if customers + 1 < tenant.customers {
                let passed_over = tenant.customer_position(customers + 1);
                prop_assert!(population.arrivals.at(passed_over) >= time_us - 2);
            }
        }
    }
}
