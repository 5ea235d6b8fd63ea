//! `customer`.
//!
//! How engaged a customer is comes first, and the columns follow from it: `quality`, `call_status`, `status`, and how
//! their calls end. Two values depend on age: `blocked` stands almost only on the oldest customers and `pending` on
//! the newest, so that a filter on them finds its rows at one end of the time order.

use super::{attributes, staff};
use crate::dictionaries::PersonName;
use crate::encode::Fields;
use crate::kernel::{Entity, below, chance};
use crate::population::{Population, Tenant};
use crate::profile::{CALL_STATUSES, Odds, QUALITIES, STATUSES};

/// Field of the draw that spreads customers over the positions.
pub(crate) const JITTER: u64 = 0;
const ID: u64 = 1;
const ENGAGEMENT: u64 = 3;
const NAME: u64 = 4;
const MAILBOX: u64 = 8;
const PHONE: u64 = 9;
const CARRIER: u64 = 10;
const PORTED: u64 = 11;
const STATUS: u64 = 12;
const CALL_STATUS: u64 = 13;
const TALK_TIME: u64 = 14;
const TALKS: u64 = 15;
const FLAGS: u64 = 16;
/// Whether the customer is deleted at some time, and whether they may be called.
const FATE: u64 = 17;
const DELETED_AT: u64 = 18;
const EMPLOYEE: u64 = 19;
const UPDATED_AT: u64 = 20;
const PREFIX: u64 = 21;
/// The attributes' draws begin here.
const ATTRIBUTES: u64 = 64;

/// Share of customers who took their number to another carrier, in per mille: 2.3 million had asked to by 2024.
const PORTED_PER_MILLE: u64 = 40;

/// One in 32 customers is among the oldest, and one in 64 among the newest.
const OLDEST_BITS: u32 = 5;
const NEWEST_BITS: u32 = 6;

/// A customer, still made of indices and numbers.
#[derive(Debug, Clone, Copy)]
pub struct Customer {
    entity: Entity,
    name: PersonName,
    /// Which of [`QUALITIES`].
    quality: usize,
    is_oldest: bool,
    is_newest: bool,
    is_never_called: bool,
    deleted_us: Option<i64>,
    created_us: i64,
    updated_us: i64,
}

/// The id of customer number `ordinal`.
#[must_use]
pub fn id(tenant: &Tenant, ordinal: u64) -> [u8; 16] {
    tenant.customer_scope.entity(ordinal).uuid(ID)
}

/// How engaged customer number `ordinal` is, 0 to 999.
#[must_use]
pub fn engagement(tenant: &Tenant, ordinal: u64) -> u64 {
    below(tenant.customer_scope.entity(ordinal).draw(ENGAGEMENT), 1_000)
}

/// The name of customer number `ordinal`.
#[must_use]
pub fn name(population: &Population, tenant: &Tenant, ordinal: u64) -> PersonName {
    population.words.person(tenant.customer_scope.entity(ordinal), NAME)
}

/// Whether customer number `ordinal` has not agreed to be called. The first of each workspace has.
#[must_use]
pub fn is_never_called(population: &Population, tenant: &Tenant, ordinal: u64) -> bool {
    let draw = tenant.customer_scope.entity(ordinal).draw(FATE);
    ordinal > 0 && chance(draw.rotate_left(32), population.profile().customers.never_called_per_mille)
}

/// When customer number `ordinal`, who came at `created_us`, was deleted. The first of each workspace never is.
#[must_use]
pub fn deleted_us(population: &Population, tenant: &Tenant, ordinal: u64, created_us: i64) -> Option<i64> {
    let entity = tenant.customer_scope.entity(ordinal);
    (ordinal > 0 && chance(entity.draw(FATE), population.profile().customers.deleted_per_mille))
        .then(|| later_us(population, entity, DELETED_AT, created_us))
}

/// Whether customer number `ordinal`, who exists at `time_us`, may be called then. The date of the deletion is only
/// looked up for the few who are deleted at some time.
pub(crate) fn is_reachable(population: &Population, tenant: &Tenant, ordinal: u64, time_us: i64) -> bool {
    let shares = &population.profile().customers;
    let draw = tenant.customer_scope.entity(ordinal).draw(FATE);
    if ordinal == 0 {
        return true;
    }
    if chance(draw.rotate_left(32), shares.never_called_per_mille) {
        return false;
    }
    if !chance(draw, shares.deleted_per_mille) {
        return true;
    }
    let created_us = population.arrival_us(tenant.customer_position(ordinal));
    deleted_us(population, tenant, ordinal, created_us).is_none_or(|deleted_us| time_us < deleted_us)
}

/// Some time between the arrival and the date of the data.
fn later_us(population: &Population, entity: Entity, field: u64, created_us: i64) -> i64 {
    let left_us = (population.as_of_us() - created_us).cast_unsigned();
    created_us + below(entity.draw(field), left_us).cast_signed()
}

/// Customer number `ordinal` of `tenant`, who stands at `position`.
#[must_use]
pub fn row(population: &Population, tenant: &Tenant, ordinal: u64, position: u64) -> Customer {
    let entity = tenant.customer_scope.entity(ordinal);
    let created_us = population.arrival_us(position);
    let deleted_us = deleted_us(population, tenant, ordinal, created_us);
    Customer {
        entity,
        name: name(population, tenant, ordinal),
        quality: population.odds.quality.at(engagement(tenant, ordinal)),
        is_oldest: position >> (u64::BITS - OLDEST_BITS) == 0,
        is_newest: position.leading_ones() >= NEWEST_BITS,
        is_never_called: is_never_called(population, tenant, ordinal),
        deleted_us,
        created_us,
        updated_us: deleted_us.unwrap_or_else(|| later_us(population, entity, UPDATED_AT, created_us)),
    }
}

impl Customer {
    fn status(&self, odds: &Odds) -> &'static str {
        let shares = if self.is_oldest {
            &odds.status_of_oldest
        } else if self.is_newest {
            &odds.status_of_newest
        } else if self.quality > 0 {
            &odds.status_of_engaged
        } else {
            &odds.status_of_unengaged
        };
        STATUSES[shares.pick(self.entity.draw(STATUS))]
    }

    fn call_status(&self, odds: &Odds) -> &'static str {
        if self.is_never_called {
            return "pending";
        }
        let shares =
            if self.is_newest { &odds.call_status_of_newest } else { &odds.call_status[self.quality] };
        CALL_STATUSES[shares.pick(self.entity.draw(CALL_STATUS))]
    }

    /// Milliseconds that were talked with this customer, all in all.
    fn talked_ms(&self, odds: &Odds) -> u64 {
        match self.call_status(odds) {
            "completed" => {
                odds.talk_time.at(self.entity.draw(TALK_TIME)) * (1 + below(self.entity.draw(TALKS), 12))
            }
            "failed" => below(self.entity.draw(TALK_TIME), 30_000),
            _ => 0,
        }
    }

    /// Appends the columns.
    pub fn write(&self, population: &Population, tenant: &Tenant, fields: &mut Fields<'_>) {
        let entity = self.entity;
        let words = &population.words;
        let odds = &population.odds;
        let shares = &population.profile().customers;
        let carrier = words.carrier(entity.draw(CARRIER));
        let flags = entity.draw(FLAGS);

        fields.uuid(&entity.uuid(ID));
        fields.uuid(&tenant.id);
        fields.text_with(|out| self.name.write(out));
        let mailbox = entity.draw(MAILBOX);
        if chance(mailbox, 1_000 - shares.without_email_per_mille) {
            fields.text_with(|out| {
                words.write_mailbox(self.name, out);
                push_digits(out, mailbox % 10_000, 4);
                out.extend_from_slice(b"@mail.callbench.test");
            });
        } else {
            fields.null();
        }
        fields.text_with(|out| {
            out.extend_from_slice(words.carrier_prefix(carrier, entity.draw(PREFIX)).as_bytes());
            push_digits(out, below(entity.draw(PHONE), 10_000_000), 7);
        });
        // Numbers move between carriers (since 2018) and keep their prefix; a few carriers are not known.
        match below(entity.draw(PORTED), 1_000) {
            at if at < shares.without_carrier_per_mille => fields.null(),
            at if at < shares.without_carrier_per_mille + PORTED_PER_MILLE => {
                fields.text(words.carrier_name(words.carrier(entity.draw(PORTED).rotate_left(32))));
            }
            _ => fields.text(words.carrier_name(carrier)),
        }
        fields.text(self.status(odds));
        fields.text(QUALITIES[self.quality]);
        fields.text(self.call_status(odds));
        fields.double(self.talked_ms(odds) as f64 / 1_000.0);
        fields.boolean(chance(flags, 10));
        fields.boolean(chance(flags.rotate_left(32), 400));
        fields.jsonb_with(|out| {
            attributes::write(population, tenant, entity, ATTRIBUTES, self.name, self.is_oldest, out);
        });
        fields.boolean(self.deleted_us.is_some());
        fields.time_or_null(self.deleted_us);
        let employee = entity.draw(EMPLOYEE);
        if chance(employee.rotate_left(32), 1_000 - shares.without_employee_per_mille) {
            fields.uuid(&staff::employee_id(tenant, staff::employee_of(tenant, employee)));
        } else {
            fields.null();
        }
        fields.time(self.created_us);
        fields.time(self.updated_us);
    }
}

/// Appends `number` with leading zeros.
fn push_digits(out: &mut Vec<u8>, mut number: u64, digits: usize) {
    let at = out.len();
    out.resize(at + digits, b'0');
    for place in out[at..].iter_mut().rev() {
        *place = b'0' + u8::try_from(number % 10).expect("a digit");
        number /= 10;
    }
}
