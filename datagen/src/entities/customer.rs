//! `customer`.
//!
//! How engaged a customer is comes first, and the columns follow from it: `quality`, `call_status`, `status`, and how
//! their calls end. Two values depend on age: `blocked` stands almost only on the oldest customers and `pending` on
//! the newest, so that a filter on them finds its rows at one end of the time order.

use super::{attributes, staff};
use crate::dictionaries::PersonName;
use crate::distributions::{TALK_TIME_MS, choose};
use crate::encode::Fields;
use crate::kernel::{Entity, below, chance};
use crate::population::{Population, Tenant};

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
const DELETED: u64 = 17;
const DELETED_AT: u64 = 18;
const EMPLOYEE: u64 = 19;
const UPDATED_AT: u64 = 20;
const PREFIX: u64 = 21;
/// The attributes' draws begin here.
const ATTRIBUTES: u64 = 64;

/// One in 32 customers is among the oldest, and one in 64 among the newest.
const OLDEST_BITS: u32 = 5;
const NEWEST_BITS: u32 = 6;

/// Share of soft-deleted customers, in per mille.
pub const DELETED_PER_MILLE: u64 = 60;

/// A customer, still made of indices and numbers.
#[derive(Debug, Clone, Copy)]
pub struct Customer {
    entity: Entity,
    name: PersonName,
    engagement: u64,
    is_oldest: bool,
    is_newest: bool,
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

/// Customer number `ordinal` of `tenant`, who stands at `position`.
#[must_use]
pub fn row(population: &Population, tenant: &Tenant, ordinal: u64, position: u64) -> Customer {
    let entity = tenant.customer_scope.entity(ordinal);
    let created_us = population.arrival_us(position);
    let later_us = |field| {
        let left_us = (population.as_of_us() - created_us).cast_unsigned();
        created_us + below(entity.draw(field), left_us).cast_signed()
    };
    let deleted_us = chance(entity.draw(DELETED), DELETED_PER_MILLE).then(|| later_us(DELETED_AT));
    Customer {
        entity,
        name: population.words.person(entity, NAME),
        engagement: engagement(tenant, ordinal),
        is_oldest: position >> (u64::BITS - OLDEST_BITS) == 0,
        is_newest: position.leading_ones() >= NEWEST_BITS,
        deleted_us,
        created_us,
        updated_us: deleted_us.unwrap_or_else(|| later_us(UPDATED_AT)),
    }
}

impl Customer {
    fn quality(&self) -> &'static str {
        match self.engagement {
            920.. => "hot",
            650.. => "warm",
            200.. => "cold",
            _ => "dead",
        }
    }

    fn status(&self) -> &'static str {
        let draw = self.entity.draw(STATUS);
        if self.is_oldest {
            return choose(draw, &[("blocked", 700), ("inactive", 200), ("active", 100)]);
        }
        if self.is_newest {
            return choose(draw, &[("pending", 600), ("active", 400)]);
        }
        match self.engagement {
            200.. => choose(draw, &[("active", 870), ("inactive", 128), ("pending", 2)]),
            _ => choose(draw, &[("inactive", 700), ("active", 298), ("blocked", 2)]),
        }
    }

    fn call_status(&self) -> &'static str {
        let draw = self.entity.draw(CALL_STATUS);
        if self.is_newest {
            return choose(draw, &[("pending", 700), ("calling", 30), ("completed", 200), ("failed", 70)]);
        }
        match self.engagement {
            650.. => choose(draw, &[("completed", 850), ("pending", 100), ("failed", 47), ("calling", 3)]),
            200.. => choose(draw, &[("completed", 550), ("pending", 200), ("failed", 248), ("calling", 2)]),
            _ => choose(draw, &[("failed", 700), ("completed", 150), ("pending", 150)]),
        }
    }

    /// Milliseconds that were talked with this customer, all in all.
    fn talked_ms(&self) -> u64 {
        match self.call_status() {
            "completed" => {
                TALK_TIME_MS.at(self.entity.draw(TALK_TIME)) * (1 + below(self.entity.draw(TALKS), 12))
            }
            "failed" => below(self.entity.draw(TALK_TIME), 30_000),
            _ => 0,
        }
    }

    /// Appends the columns.
    pub fn write(&self, population: &Population, tenant: &Tenant, fields: &mut Fields<'_>) {
        let entity = self.entity;
        let words = &population.words;
        let carrier = words.carrier(entity.draw(CARRIER));
        let flags = entity.draw(FLAGS);

        fields.uuid(&entity.uuid(ID));
        fields.uuid(&tenant.id);
        fields.text_with(|out| self.name.write(out));
        let mailbox = entity.draw(MAILBOX);
        if chance(mailbox, 720) {
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
            0..50 => fields.null(),
            50..90 => fields.text(words.carrier_name(words.carrier(entity.draw(PORTED).rotate_left(32)))),
            _ => fields.text(words.carrier_name(carrier)),
        }
        fields.text(self.status());
        fields.text(self.quality());
        fields.text(self.call_status());
        fields.double(self.talked_ms() as f64 / 1_000.0);
        fields.boolean(chance(flags, 10));
        fields.boolean(chance(flags.rotate_left(32), 400));
        fields.jsonb_with(|out| {
            attributes::write(population, tenant, entity, ATTRIBUTES, self.name, self.is_oldest, out);
        });
        fields.boolean(self.deleted_us.is_some());
        fields.time_or_null(self.deleted_us);
        let employee = entity.draw(EMPLOYEE);
        if chance(employee.rotate_left(32), 850) {
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
