//! `call`.
//!
//! The shares below are those of the default profile.
//!
//! Who is called: half of the calls follow a heavy tail over the customers of the time (the cube of an even draw), so
//! that a few customers have tens of thousands of calls and some have none; the other half prefers customers who
//! came lately (a square). Only customers who exist at the time of the call can be picked, who are not deleted then,
//! and who have agreed to be called.
//!
//! How it ends follows from the call and the customer: who is engaged answers more often. A call that is not answered
//! has no duration, no recording and no sentiment.

use std::ops::Range;

use super::{customer, enrolment, transcript};
use crate::encode::Fields;
use crate::kernel::{Entity, below, chance, cubed, mix, squared};
use crate::population::{Population, Tenant};
use crate::profile::Calls;
use crate::spec::Transcripts;

/// Field of the draw that spreads calls over the positions.
pub(crate) const JITTER: u64 = 0;
const ID: u64 = 1;
const CUSTOMER: u64 = 3;
const WHICH_SHAPE: u64 = 4;
const KIND: u64 = 5;
const OUTCOME: u64 = 6;
const TALK_TIME: u64 = 7;
const RECORDED: u64 = 8;
const SENTIMENT: u64 = 9;
const RATE: u64 = 10;
/// The transcript's draws begin here.
const TRANSCRIPT: u64 = 64;

/// Customers that are asked for a call before it goes to the first of the workspace.
const LONGEST_SEARCH: u64 = 64;

/// Why a call was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// For a campaign.
    Campaign,
    /// By somebody, for once.
    Direct,
    /// Because an earlier call was missed.
    Callback,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Somebody answered.
    Completed,
    /// Nobody did.
    Missed,
    /// The line was taken.
    Busy,
}

/// A call.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    entity: Entity,
    /// Id of its workspace.
    pub workspace_id: [u8; 16],
    /// Number of its workspace.
    pub tenant: u32,
    /// Ordinal of its customer.
    pub customer: u64,
    /// Id of its customer.
    pub customer_id: [u8; 16],
    /// Id of the enrolment for which it was made.
    pub enrolment_id: Option<[u8; 16]>,
    /// Why it was made.
    pub kind: Kind,
    /// Whether the customer called.
    pub is_inbound: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// How the customer felt, in hundredths, -100 to 100.
    pub sentiment: Option<i8>,
    /// Price of a minute, in ten-thousandths.
    pub rate: Option<u32>,
    /// When it was made, in microseconds since 1970.
    pub created_us: i64,
}

/// Call number `ordinal` of `tenant`, which stands at `position`.
#[must_use]
pub fn row(population: &Population, tenant: &Tenant, ordinal: u64, position: u64) -> Call {
    let entity = tenant.call_scope.entity(ordinal);
    let created_us = population.calling.at(position);
    let customer = customer_of(population, tenant, entity, created_us);
    let shares = &population.profile().calls;
    let kind = kind(population, entity);
    let is_inbound = is_inbound(shares, entity, kind);
    let engagement = customer::engagement(tenant, customer);
    let outcome = outcome(shares, entity.draw(OUTCOME), is_inbound, engagement);
    let is_completed = outcome == Outcome::Completed;
    Call {
        entity,
        workspace_id: tenant.id,
        tenant: tenant.number,
        customer,
        customer_id: customer::id(tenant, customer),
        enrolment_id: (kind == Kind::Campaign)
            .then(|| enrolment_of(population, tenant, customer, created_us))
            .flatten(),
        kind,
        is_inbound,
        outcome,
        duration_ms: duration_ms(population, entity, outcome),
        sentiment: (is_completed && chance(entity.draw(SENTIMENT), shares.sentiment_per_mille)).then(|| {
            // Three draws in one make a hill around a mean of 10.
            let draw = entity.draw(SENTIMENT);
            let hill: u64 = [16, 32, 48].map(|by| below(draw.rotate_left(by), 61)).iter().sum();
            i8::try_from(hill.cast_signed() - 80).expect("-80 to 100")
        }),
        rate: rate(shares, tenant, entity, kind, position),
        created_us,
    }
}

/// What the totals count of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) customer: u64,
    pub(crate) kind: Kind,
    pub(crate) outcome: Outcome,
    pub(crate) duration_seconds: u32,
    pub(crate) rate: Option<u32>,
}

/// Of call number `ordinal` what the totals count, if it is a call of one of these customers; a part of [`row`].
pub(crate) fn counted(
    population: &Population,
    tenant: &Tenant,
    ordinal: u64,
    customers: &Range<u64>,
) -> Option<Counted> {
    let entity = tenant.call_scope.entity(ordinal);
    let position = tenant.call_position(ordinal);
    let created_us = population.calling.at(position);
    let customer = customer_of(population, tenant, entity, created_us);
    if !customers.contains(&customer) {
        return None;
    }
    let shares = &population.profile().calls;
    let kind = kind(population, entity);
    let is_inbound = is_inbound(shares, entity, kind);
    let engagement = customer::engagement(tenant, customer);
    let outcome = outcome(shares, entity.draw(OUTCOME), is_inbound, engagement);
    Some(Counted {
        customer,
        kind,
        outcome,
        duration_seconds: whole_seconds(duration_ms(population, entity, outcome)),
        rate: rate(shares, tenant, entity, kind, position),
    })
}

fn kind(population: &Population, call: Entity) -> Kind {
    [Kind::Campaign, Kind::Direct, Kind::Callback][population.odds.kinds.pick(call.draw(KIND))]
}

fn is_inbound(shares: &Calls, call: Entity, kind: Kind) -> bool {
    kind == Kind::Direct && chance(call.draw(KIND).rotate_left(32), shares.inbound_per_mille)
}

fn duration_ms(population: &Population, call: Entity, outcome: Outcome) -> u64 {
    if outcome == Outcome::Completed { population.odds.talk_time.at(call.draw(TALK_TIME)) } else { 0 }
}

fn whole_seconds(duration_ms: u64) -> u32 {
    u32::try_from((duration_ms + 500) / 1_000).expect("less than a day")
}

fn rate(shares: &Calls, tenant: &Tenant, call: Entity, kind: Kind, position: u64) -> Option<u32> {
    let rate = tenant.tariff[kind as usize];
    // Prices rose by a twentieth half-way through.
    chance(call.draw(RATE), shares.rated_per_mille)
        .then(|| if position >> 63 == 0 { rate } else { rate + rate / 20 })
}

fn customer_of(population: &Population, tenant: &Tenant, call: Entity, created_us: i64) -> u64 {
    let customers = population.customers_at(tenant, created_us);
    let draw = call.draw(CUSTOMER);
    let wanted = if chance(call.draw(WHICH_SHAPE), population.profile().calls.heavy_tail_per_mille) {
        scattered(tenant, below(cubed(draw), customers), customers)
    } else {
        customers - 1 - below(squared(draw), customers)
    };
    // Customers who may not be called, or are deleted already, give their call to the next one who is neither. The
    // first of each workspace always is, and the search is bounded.
    (0..LONGEST_SEARCH)
        .map(|step| if wanted + step < customers { wanted + step } else { wanted + step - customers })
        .take_while(|&ordinal| ordinal < customers)
        .find(|&ordinal| customer::is_reachable(population, tenant, ordinal, created_us))
        .unwrap_or(0)
}

/// Scatters ranks over blocks of a sixteenth of all customers, so that those with the most calls are not simply the
/// oldest. When calls begin, the first block is there already (a fifth of the customers is), so a customer's rank
/// stays the same for ever.
fn scattered(tenant: &Tenant, rank: u64, customers: u64) -> u64 {
    let Some(block_bits) = (tenant.customers / 16).checked_ilog2().filter(|&bits| bits > 0) else {
        return rank;
    };
    let block = rank >> block_bits << block_bits;
    if block + (1 << block_bits) > customers {
        return rank;
    }
    // Both steps are bijections of the numbers below the size of the block.
    let mask = (1 << block_bits) - 1;
    let key = mix(block ^ u64::from(tenant.number) << 48);
    let mut within = (rank & mask).wrapping_mul(key | 1).wrapping_add(key >> 32) & mask;
    within ^= within >> block_bits.div_ceil(2);
    block + (within.wrapping_mul(0x9e37_79b9_7f4a_7c15) & mask)
}

fn outcome(shares: &Calls, draw: u64, is_inbound: bool, engagement: u64) -> Outcome {
    let completed = if is_inbound {
        shares.inbound_answered_per_mille
    } else {
        shares.answered_base_per_mille + engagement * shares.answered_slope_per_mille / 1_000
    };
    match below(draw, 1_000) {
        at if at < completed => Outcome::Completed,
        at if (at - completed) * 1_000 < (1_000 - completed) * shares.missed_per_mille => Outcome::Missed,
        _ => Outcome::Busy,
    }
}

/// The latest enrolment of the customer before the call.
fn enrolment_of(population: &Population, tenant: &Tenant, customer: u64, call_us: i64) -> Option<[u8; 16]> {
    let customer_us = population.arrival_us(tenant.customer_position(customer));
    enrolment::of_customer(population, tenant, customer, customer_us)
        .filter(|enrolment| enrolment.created_us <= call_us)
        .max_by_key(|enrolment| enrolment.created_us)
        .map(|enrolment| enrolment.id())
}

impl Call {
    /// Appends the columns.
    pub fn write(&self, population: &Population, fields: &mut Fields<'_>) {
        let id = self.entity.uuid(ID);
        fields.uuid(&id);
        fields.uuid(&self.workspace_id);
        fields.uuid(&self.customer_id);
        fields.uuid_or_null(self.enrolment_id.as_ref());
        fields.text(if self.is_inbound { "inbound" } else { "outbound" });
        fields.text(match self.outcome {
            Outcome::Completed => "completed",
            Outcome::Missed => "missed",
            Outcome::Busy => "busy",
        });
        fields.double(self.duration_ms as f64 / 1_000.0);
        fields.integer(whole_seconds(self.duration_ms).cast_signed());
        if self.outcome == Outcome::Completed
            && chance(self.entity.draw(RECORDED), population.profile().calls.recorded_per_mille)
        {
            fields.text_with(|out| write_recording(&id, out));
        } else {
            fields.null();
        }
        if self.outcome == Outcome::Completed && population.spec.transcripts != Transcripts::None {
            fields.text_with(|out| self.write_transcript(population, out));
        } else {
            fields.null();
        }
        match self.sentiment {
            Some(hundredths) => fields.double(f64::from(hundredths) / 100.0),
            None => fields.null(),
        }
        fields.text(match self.kind {
            Kind::Campaign => "campaign",
            Kind::Direct => "direct",
            Kind::Callback => "callback",
        });
        match self.rate {
            Some(ten_thousandths) => fields.numeric_4(ten_thousandths.into()),
            None => fields.null(),
        }
        fields.time(self.created_us);
    }

    /// Appends what was said.
    pub(super) fn write_transcript(&self, population: &Population, out: &mut Vec<u8>) {
        let tenant = &population.tenants[self.tenant as usize];
        transcript::write(population, tenant, self, self.entity, TRANSCRIPT, out);
    }
}

fn write_recording(id: &[u8; 16], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut name = [0_u8; 32];
    for (at, byte) in id.iter().enumerate() {
        name[2 * at] = HEX[usize::from(byte >> 4)];
        name[2 * at + 1] = HEX[usize::from(byte & 15)];
    }
    out.extend_from_slice(b"https://recordings.callbench.test/");
    out.extend_from_slice(&name);
    out.extend_from_slice(b".mp3");
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::spec::{Scale, Spec};

    fn population(scale: Scale) -> Population {
        Population::new(&Spec::of(scale, 7, "2026-03-01T00:00:00Z".parse().unwrap()))
    }

    fn calls(population: &Population) -> impl Iterator<Item = Call> {
        population.tenants.iter().flat_map(move |tenant| {
            (0..tenant.calls)
                .map(move |ordinal| row(population, tenant, ordinal, tenant.call_position(ordinal)))
        })
    }

    #[test]
    fn no_call_comes_before_its_customer_or_its_enrolment_or_after_the_deletion() {
        let population = population(Scale::Dev);
        let (mut with_enrolment, mut of_deleted) = (0, 0);
        for call in calls(&population) {
            let tenant = &population.tenants[call.tenant as usize];
            assert!(call.customer < tenant.customers);
            let customer_us = population.arrival_us(tenant.customer_position(call.customer));
            assert!(customer_us <= call.created_us && call.created_us < population.as_of_us());
            assert!(!customer::is_never_called(&population, tenant, call.customer));
            let deleted_us = customer::deleted_us(&population, tenant, call.customer, customer_us);
            assert!(deleted_us.is_none_or(|deleted_us| call.created_us < deleted_us));
            of_deleted += u32::from(deleted_us.is_some());
            if let Some(id) = call.enrolment_id {
                assert_eq!(call.kind, Kind::Campaign);
                let enrolment = enrolment::of_customer(&population, tenant, call.customer, customer_us)
                    .find(|enrolment| enrolment.id() == id)
                    .expect("the enrolment is one of the customer");
                assert!(enrolment.created_us >= customer_us && enrolment.created_us <= call.created_us);
                assert!(enrolment.created_us >= tenant.campaigns[enrolment.campaign].started_us);
                with_enrolment += 1;
            }
        }
        assert!(with_enrolment > 100_000, "{with_enrolment}");
        assert!(of_deleted > 10_000, "{of_deleted}");
    }

    #[test]
    fn a_few_customers_have_very_many_calls_and_some_have_none() {
        let population = population(Scale::Dev);
        let mut of_largest: HashMap<u64, u32> = HashMap::new();
        for call in calls(&population).filter(|call| call.tenant == 0) {
            *of_largest.entry(call.customer).or_default() += 1;
        }
        let mut counts: Vec<u32> = of_largest.values().copied().collect();
        counts.sort_unstable_by_key(|&count| std::cmp::Reverse(count));
        // (1/50,000)^(1/3) of half a million calls, a bit more, for the set of customers grows.
        assert!((12_000..25_000).contains(&counts[0]), "{:?}", &counts[..10]);
        // 30 per mille may not be called; of the others a few were deleted before anybody called, or had no luck.
        let uncalled = 50_000 - counts.len();
        assert!((1_450..2_000).contains(&uncalled), "{uncalled} of 50,000 customers were not called");
        let (heaviest, _) = of_largest.iter().max_by_key(|&(_, count)| count).unwrap();
        assert!(*heaviest < 50_000 / 16);
    }

    #[test]
    fn the_newest_customers_have_been_called() {
        let population = population(Scale::Dev);
        let tenant = &population.tenants[0];
        let newest = tenant.customers - 50;
        let called: std::collections::HashSet<u64> = calls(&population)
            .filter(|call| call.tenant == 0 && call.customer >= newest)
            .map(|call| call.customer)
            .collect();
        // But for those who are never called, and one or two whom chance has passed over.
        assert!(called.len() >= 45, "{called:?}");
    }

    #[test]
    fn scattering_keeps_every_customer_once() {
        let population = population(Scale::Tiny);
        for tenant in [0, 1, 20].map(|tenant| &population.tenants[tenant]) {
            for customers in [1, tenant.customers / 3 + 1, tenant.customers] {
                let mut all: Vec<u64> =
                    (0..customers).map(|rank| scattered(tenant, rank, customers)).collect();
                all.sort_unstable();
                assert!(all.into_iter().eq(0..customers));
            }
        }
    }

    #[test]
    fn what_was_not_answered_has_no_duration_and_no_sentiment() {
        let population = population(Scale::Tiny);
        let mut outcomes: HashMap<&str, u32> = HashMap::new();
        for call in calls(&population) {
            if call.outcome == Outcome::Completed {
                *outcomes.entry("completed").or_default() += 1;
                assert!(call.duration_ms > 3_000);
            } else {
                *outcomes
                    .entry(if call.outcome == Outcome::Busy { "busy" } else { "missed" })
                    .or_default() += 1;
                assert!(call.duration_ms == 0 && call.sentiment.is_none());
            }
            assert!(call.sentiment.is_none_or(|hundredths| (-100..=100).contains(&hundredths)));
        }
        assert!((18_000..24_000).contains(&outcomes["completed"]), "{outcomes:?}");
        assert!(outcomes["missed"] > 2 * outcomes["busy"] - 500 && outcomes["busy"] > 1_000, "{outcomes:?}");
    }

    #[test]
    fn engaged_customers_answer_more_often() {
        let mut answered = [0_u32; 2];
        for ordinal in 0..10_000 {
            let draw = crate::kernel::Scope::new(1, "x").entity(ordinal).draw(0);
            for (at, engagement) in [(0, 50), (1, 950)] {
                answered[at] +=
                    u32::from(outcome(&Calls::default(), draw, false, engagement) == Outcome::Completed);
            }
        }
        assert!(answered[1] > answered[0] + 3_000, "{answered:?}");
    }
}
