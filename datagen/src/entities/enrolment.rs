//! `call_campaign_customer`: which customers a campaign is to call.
//!
//! Under half of the customers are in none, some in several. A customer is only enrolled in a campaign that still ran
//! when they came, and at a time when both existed; nobody is who may not be called.

use std::ops::ControlFlow;

use super::campaign::Status;
use super::{Table, customer};
use crate::distributions::choose;
use crate::encode::Writer;
use crate::kernel::{Entity, below, index_below};
use crate::population::{Population, Tenant};
use crate::timeline::DAY_US;

const COUNT: u64 = 0;
/// Each possible enrolment has four fields of its own, from here on.
const FIRST: u64 = 1;
const FIELDS: u64 = 5;

/// The most that a profile may give to a customer.
const MOST_ENROLMENTS: usize = 3;

/// One enrolment.
#[derive(Debug, Clone, Copy)]
pub struct Enrolment {
    entity: Entity,
    /// Its place among the possible enrolments of the customer.
    slot: u64,
    /// Ordinal of the campaign.
    pub campaign: usize,
    /// When the customer was enrolled, in microseconds since 1970.
    pub created_us: i64,
}

impl Enrolment {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> [u8; 16] {
        self.entity.uuid(FIRST + self.slot * FIELDS)
    }

    fn status(&self, tenant: &Tenant) -> &'static str {
        let draw = self.entity.draw(FIRST + self.slot * FIELDS + 4);
        match tenant.campaigns[self.campaign].status {
            Status::Completed => choose(draw, &[("completed", 800), ("failed", 200)]),
            Status::Active => {
                choose(draw, &[("pending", 400), ("in_progress", 300), ("completed", 200), ("failed", 100)])
            }
            Status::Paused => choose(draw, &[("pending", 600), ("in_progress", 100), ("completed", 300)]),
            Status::Draft => "pending",
        }
    }
}

/// The enrolments of customer number `ordinal`, who came at `created_us`; each in another campaign. Those of customers
/// who are never called, and those after the deletion, are no rows; nobody who may be called has such a one.
pub fn of_customer(
    population: &Population,
    tenant: &Tenant,
    ordinal: u64,
    created_us: i64,
) -> impl Iterator<Item = Enrolment> {
    let entity = tenant.enrolment_scope.entity(ordinal);
    let count = population.odds.enrolments.pick(entity.draw(COUNT)) as u64;
    let mut enrolments = [None; MOST_ENROLMENTS];
    if count > 0 {
        let begun = &tenant.campaigns[..tenant.campaigns.len() - 1];
        let first_open = begun.partition_point(|campaign| campaign.ended_us <= created_us);
        for (slot, enrolment) in (0..count).zip(0..) {
            let fields = FIRST + slot * FIELDS;
            let campaign = first_open + index_below(entity.draw(fields + 2), begun.len() - first_open);
            if enrolments.iter().flatten().any(|other: &Enrolment| other.campaign == campaign) {
                continue;
            }
            let from_us = begun[campaign].started_us.max(created_us);
            let within_us = (begun[campaign].ended_us - from_us).min(3 * DAY_US);
            let after_us = below(entity.draw(fields + 3), within_us.cast_unsigned()).cast_signed();
            enrolments[enrolment] =
                Some(Enrolment { entity, slot, campaign, created_us: from_us + after_us });
        }
    }
    enrolments.into_iter().flatten()
}

pub(super) fn write(
    population: &Population,
    tenant: &Tenant,
    ordinal: u64,
    created_us: i64,
    writer: &mut Writer<'_>,
) -> ControlFlow<()> {
    if customer::is_never_called(population, tenant, ordinal) {
        return ControlFlow::Continue(());
    }
    let until_us = customer::deleted_us(population, tenant, ordinal, created_us).unwrap_or(i64::MAX);
    let enrolments = of_customer(population, tenant, ordinal, created_us);
    for enrolment in enrolments.filter(|enrolment| enrolment.created_us <= until_us) {
        writer.row(Table::Enrolment.width(), |fields| {
            fields.uuid(&enrolment.id());
            fields.uuid(&tenant.id);
            fields.uuid(&tenant.campaigns[enrolment.campaign].id);
            fields.uuid(&customer::id(tenant, ordinal));
            fields.text(enrolment.status(tenant));
            fields.time(enrolment.created_us);
        })?;
    }
    ControlFlow::Continue(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::Writer;
    use crate::spec::{Scale, Spec};

    #[test]
    fn nobody_is_enrolled_who_may_not_be_called() {
        let population = Population::new(&Spec::of(Scale::Dev, 7, "2026-03-01T00:00:00Z".parse().unwrap()));
        let tenant = &population.tenants[0];
        let mut enrolled = [0, 0];
        for ordinal in 0..tenant.customers {
            let mut throw_away = |piece: Vec<u8>| Some(piece);
            let mut writer = Writer::new(Vec::new(), 1 << 16, &mut throw_away);
            let created_us = population.arrival_us(tenant.customer_position(ordinal));
            assert!(write(&population, tenant, ordinal, created_us, &mut writer).is_continue());
            let (written, _) = writer.end().unwrap();
            let is_never_called = customer::is_never_called(&population, tenant, ordinal);
            enrolled[usize::from(is_never_called)] += written.rows;
        }
        assert!(enrolled[0] > 20_000 && enrolled[1] == 0, "{enrolled:?}");
    }
}
