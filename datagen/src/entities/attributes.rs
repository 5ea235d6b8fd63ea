//! `customer.other_attributes`: what each workspace notes about its customers, as jsonb.
//!
//! 200 to 600 bytes, and above 2 KB for one customer in two hundred (so that TOAST has work). The text is written as
//! `PostgreSQL` prints it: keys by length and then by bytes, one space after `:` and `,`. So what is read back are the
//! same bytes. All words were checked to need no escapes.

use std::io::Write as _;

use crate::dictionaries::PersonName;
use crate::distributions::choose;
use crate::kernel::{Entity, below, chance, index_below, one_of};
use crate::population::{Population, Tenant};

const AGE: u64 = 0;
const CITY: u64 = 1;
const PLAN: u64 = 2;
const SCORE: u64 = 3;
const INCOME: u64 = 4;
const SOURCE: u64 = 5;
const ADDRESS: u64 = 6;
const COMPANY: u64 = 9;
const BIRTHDAY: u64 = 10;
const INTERESTS: u64 = 11;
const ACCOUNT: u64 = 15;
const OCCUPATION: u64 = 16;
const RARE: u64 = 17;
const CONTRACT: u64 = 18;
const OPT_IN: u64 = 19;
const NOTES: u64 = 20;
const FIRST_SENTENCE: u64 = 32;

const INTERESTS_OF_PEOPLE: [&str; 8] =
    ["travel", "football", "cooking", "music", "property", "education", "cars", "health"];

/// Appends the attributes of the customer `entity`, whose draws begin at the field `from`.
pub(super) fn write(
    population: &Population,
    tenant: &Tenant,
    entity: Entity,
    from: u64,
    name: PersonName,
    is_oldest: bool,
    out: &mut Vec<u8>,
) {
    let words = &population.words;
    let draw = |field| entity.draw(from + field);
    let mut object = Object::begin(out);

    // One customer in fifty has the age as text, as forms of another age sent it.
    let age = 18 + (below(draw(AGE), 58) + below(draw(AGE).rotate_left(32), 20)) * 3 / 4;
    if chance(draw(AGE).rotate_left(16), 20) {
        object.key("age").text(format_args!("{age}"));
    } else {
        object.key("age").plain(format_args!("{age}"));
    }
    object.key("vip").boolean(chance(draw(PLAN).rotate_left(32), 40));
    object.key("city").text(words.city(draw(CITY)));
    object.key("plan").text(choose(
        draw(PLAN),
        &[("free", 500), ("basic", 300), ("pro", 150), ("enterprise", 49), ("legacy-gold", 1)],
    ));
    let notes = &population.profile().attributes;
    if chance(draw(NOTES), notes.long_notes_per_mille) {
        let more = index_below(
            draw(NOTES).rotate_left(32),
            notes.long_notes_most_bytes - notes.long_notes_least_bytes,
        );
        object.key("notes").long_text(notes.long_notes_least_bytes + more, |sentence| {
            words.sentence(draw(FIRST_SENTENCE + sentence))
        });
    }
    let score = below(draw(SCORE), 1_001);
    object.key("score").plain(format_args!("{}.{:02}", score / 100, score % 100));
    object.key("gender").text(if name.is_female() { "female" } else { "male" });
    object.key("income").plain(format_args!("{}", (50 + below(draw(INCOME), 950)) * 100_000));
    object.key("source").text(choose(
        draw(SOURCE),
        &[
            ("facebook", 300),
            ("zalo", 250),
            ("website", 200),
            ("referral", 150),
            ("import", 95),
            ("event", 5),
        ],
    ));
    let mut address = object.key("address").object();
    address.key("ward").plain(format_args!("{}", 1 + below(draw(ADDRESS), 15)));
    let street = words.street(draw(ADDRESS + 1));
    address.key("street").text(format_args!("{} {street}", 1 + below(draw(ADDRESS).rotate_left(32), 400)));
    address.key("district").text(format_args!("Quận {}", 1 + below(draw(ADDRESS + 2), 12)));
    address.end();
    // Which of the following a workspace keeps is a habit of the workspace.
    let habits = tenant.tariff[0];
    if habits & 1 == 0 {
        match below(draw(COMPANY), 20) {
            0 => object.key("company").plain("null"),
            1..12 => object.key("company").text(words.company(draw(COMPANY).rotate_left(32))),
            _ => {}
        }
    }
    let day = below(draw(BIRTHDAY), 12 * 28);
    let born = population.year - age.cast_signed() - 1;
    object.key("birthday").text(format_args!("{born}-{:02}-{:02}", 1 + day / 28, 1 + day % 28));
    object.key("language").text(if chance(draw(OPT_IN).rotate_left(32), 960) { "vi" } else { "en" });
    if habits & 2 == 0 {
        let mut interests = object.key("interests").array();
        for interest in 0..below(draw(INTERESTS), 4) {
            interests.item().text(one_of(draw(INTERESTS + 1 + interest), &INTERESTS_OF_PEOPLE));
        }
        interests.end();
    }
    // Twenty digits: more than a float or a 64-bit integer can hold.
    object
        .key("account_no")
        .plain(format_args!("{}", 12_345_678_900_000_000_000_u128 + u128::from(draw(ACCOUNT))));
    object.key("occupation").text(words.profession(draw(OCCUPATION)));
    if is_oldest && chance(draw(RARE), 300) {
        object.key("legacy_code").text(format_args!("L{:06}", below(draw(RARE).rotate_left(32), 1_000_000)));
    }
    if chance(draw(RARE).rotate_left(16), 10) {
        object.key("referral_code").text(format_args!("R{:08x}", draw(RARE) & 0xffff_ffff));
    }
    if habits & 4 == 0 && chance(draw(CONTRACT), 500) {
        let value = below(draw(CONTRACT).rotate_left(32), 100_000_000);
        object.key("contract_value").plain(format_args!("{value}.{:02}", value % 4 * 25));
    }
    object.key("marketing_opt_in").boolean(chance(draw(OPT_IN), 350));
    object.end();
}

/// An object or an array that is being written.
struct Object<'a> {
    out: &'a mut Vec<u8>,
    is_first: bool,
    close: u8,
}

impl<'a> Object<'a> {
    fn begin(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, is_first: true, close: b'}' }
    }

    fn separate(&mut self) {
        if !std::mem::take(&mut self.is_first) {
            self.out.extend_from_slice(b", ");
        }
    }

    fn key(&mut self, key: &str) -> Value<'_> {
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\": ");
        Value(self.out)
    }

    fn item(&mut self) -> Value<'_> {
        self.separate();
        Value(self.out)
    }

    fn end(self) {
        self.out.push(self.close);
    }
}

/// A value that is still to be written.
struct Value<'a>(&'a mut Vec<u8>);

impl<'a> Value<'a> {
    fn plain(self, value: impl std::fmt::Display) {
        write!(self.0, "{value}").expect("a vector takes everything");
    }

    fn text(self, value: impl std::fmt::Display) {
        write!(self.0, "\"{value}\"").expect("a vector takes everything");
    }

    fn boolean(self, value: bool) {
        self.plain(value);
    }

    fn long_text(self, bytes: usize, sentence: impl Fn(u64) -> &'a str) {
        self.0.push(b'"');
        let until = self.0.len() + bytes;
        for number in 0.. {
            self.0.extend_from_slice(sentence(number).as_bytes());
            if self.0.len() >= until {
                break;
            }
            self.0.push(b' ');
        }
        self.0.push(b'"');
    }

    fn object(self) -> Object<'a> {
        Object::begin(self.0)
    }

    fn array(self) -> Object<'a> {
        self.0.push(b'[');
        Object { out: self.0, is_first: true, close: b']' }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::spec::{Scale, Spec};

    fn population() -> Population {
        Population::new(&Spec::of(Scale::Dev, 7, "2026-03-01T00:00:00Z".parse().unwrap()))
    }

    fn attributes(population: &Population) -> impl Iterator<Item = String> {
        population.tenants.iter().take(8).flat_map(move |tenant| {
            (0..tenant.customers.min(5_000)).map(move |ordinal| {
                let entity = tenant.customer_scope.entity(ordinal);
                let mut out = Vec::new();
                write(
                    population,
                    tenant,
                    entity,
                    64,
                    population.words.person(entity, 4),
                    ordinal < 100,
                    &mut out,
                );
                String::from_utf8(out).unwrap()
            })
        })
    }

    #[test]
    fn most_are_200_to_600_bytes_and_a_few_above_2_kilobytes() {
        let population = population();
        let (mut long, mut all) = (0, 0);
        for text in attributes(&population) {
            all += 1;
            match text.len() {
                200..=600 => {}
                2_049..=6_000 => long += 1,
                other => panic!("{other} bytes: {text}"),
            }
        }
        assert!((3..8).contains(&(long * 1_000 / all)), "{long} of {all}");
    }

    #[test]
    fn keys_stand_in_the_order_of_jsonb() {
        let population = population();
        for text in attributes(&population) {
            let object: BTreeMap<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
            let mut keys: Vec<&String> = object.keys().collect();
            keys.sort_by_key(|key| (key.len(), key.as_bytes()));
            let place = |key: &&String| text.find(&format!("\"{key}\": ")).unwrap();
            assert!(keys.is_sorted_by_key(place), "{text}");
        }
    }

    #[test]
    fn numbers_strings_booleans_nested_values_and_rare_keys_all_occur() {
        let population = population();
        let mut kinds: BTreeMap<&str, u32> = BTreeMap::new();
        for text in attributes(&population) {
            let object: serde_json::Value = serde_json::from_str(&text).unwrap();
            let mut count = |kind, occurs: bool| *kinds.entry(kind).or_default() += u32::from(occurs);
            count("all", true);
            count("age as number", object["age"].is_number());
            count("age as text", object["age"].is_string());
            count("boolean", object["vip"].is_boolean());
            count("nested", object["address"]["ward"].is_number());
            count("array", object["interests"].is_array());
            count("null", object.get("company").is_some_and(serde_json::Value::is_null));
            count("rare key", object.get("referral_code").is_some());
            count("Hanoi", object["city"] == "Hanoi");
            let (_, account_no) = text.split_once("\"account_no\": ").unwrap();
            count("twenty digits", account_no.bytes().take_while(u8::is_ascii_digit).count() == 20);
        }
        let all = kinds["all"];
        let share = |kind| f64::from(kinds[kind]) / f64::from(all);
        assert!((0.01..0.03).contains(&share("age as text")), "{kinds:?}");
        assert!((share("age as number") + share("age as text") - 1.0).abs() < 1e-9);
        assert!(share("boolean") + share("nested") > 1.999, "{kinds:?}");
        assert!((0.005..0.015).contains(&share("rare key")), "{kinds:?}");
        assert!((0.2..0.35).contains(&share("Hanoi")), "{kinds:?}");
        assert!(share("null") > 0.001 && share("array") > 0.1, "{kinds:?}");
        assert_eq!(kinds["twenty digits"], all);
    }
}
