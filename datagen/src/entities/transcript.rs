//! What was said in a completed call: `call.transcript`.
//!
//! `short` is a summary of 150 to 300 bytes. `full` is a dialogue of bot and customer whose length follows the talk
//! time, so that long calls are above 2 KB, where TOAST begins. Phrases are matched to the kind of the call, and each
//! use of one has names, amounts and days of its own; else every transcript would shrink to nothing when it is
//! compressed.

use std::io::Write as _;

use super::call::{Call, Kind};
use super::customer;
use crate::dictionaries::{PersonName, phrases};
use crate::kernel::{Entity, below, chance, one_of};
use crate::population::{Population, Tenant};
use crate::spec::Transcripts;

/// Bytes of dialogue per second: Vietnamese is spoken at about four syllables a second, by two who take turns and
/// pause; a guess.
const BYTES_PER_SECOND: u64 = 12;
/// A dialogue ends here, however long the call was.
const MOST_BYTES: u64 = 64 << 10;

/// Appends the transcript of `call`, whose draws begin at the field `from`.
pub(super) fn write(
    population: &Population,
    tenant: &Tenant,
    call: &Call,
    entity: Entity,
    from: u64,
    out: &mut Vec<u8>,
) {
    let mut telling = Telling {
        company: super::workspace::name_of(population, tenant),
        customer: customer::name(population, tenant, call.customer),
        kind: match call.kind {
            Kind::Campaign => 0,
            Kind::Direct => 1,
            Kind::Callback => 2,
        },
        entity,
        field: from,
        out,
    };
    match population.spec.transcripts {
        Transcripts::None => {}
        Transcripts::Short => telling.summary(),
        Transcripts::Full => {
            let bytes = (call.duration_ms * BYTES_PER_SECOND / 1_000).min(MOST_BYTES);
            telling.dialogue(usize::try_from(bytes).expect("at most 64 KB"));
        }
    }
}

/// A transcript that is being written.
struct Telling<'a> {
    company: &'a str,
    customer: PersonName,
    /// Number of the kind of the call in the lists of phrases.
    kind: usize,
    entity: Entity,
    /// The next field to draw from.
    field: u64,
    out: &'a mut Vec<u8>,
}

impl Telling<'_> {
    fn summary(&mut self) {
        self.say(&phrases::SUMMARY_OF[self.kind]);
        self.out.push(b' ');
        self.say(&phrases::SUMMARY_MIDDLE);
        self.out.push(b' ');
        self.say(&phrases::SUMMARY_END);
    }

    /// Bot and customer in turns, until there are about so many bytes.
    fn dialogue(&mut self, bytes: usize) {
        let until = self.out.len() + bytes;
        self.out.extend_from_slice("Bot: ".as_bytes());
        self.say(&phrases::GREETINGS[self.kind]);
        loop {
            self.out.extend_from_slice("\nKhách: ".as_bytes());
            if chance(self.draw(), 600) {
                self.say(&phrases::CUSTOMER);
            } else {
                self.say(&phrases::CUSTOMER_OF[self.kind]);
            }
            self.out.extend_from_slice("\nBot: ".as_bytes());
            if self.out.len() >= until {
                return self.say(&phrases::FAREWELLS);
            }
            self.say(&phrases::BOT[self.kind]);
        }
    }

    fn draw(&mut self) -> u64 {
        self.field += 1;
        self.entity.draw(self.field - 1)
    }

    /// Appends one of the phrases, with its marks filled in.
    fn say(&mut self, choices: &[&str]) {
        let phrase = one_of(self.draw(), choices);
        let begin = self.out.len();
        let mut pieces = phrase.split('%');
        self.out.extend_from_slice(pieces.next().unwrap_or_default().as_bytes());
        for piece in pieces {
            let (mark, rest) = piece.split_at(1);
            self.fill_in(mark);
            self.out.extend_from_slice(rest.as_bytes());
        }
        self.out[begin..].first_mut().into_iter().for_each(u8::make_ascii_uppercase);
    }

    fn fill_in(&mut self, mark: &str) {
        let address = if self.customer.is_female() { "chị" } else { "anh" };
        match mark {
            "n" => self.customer.write(self.out),
            "g" => {
                self.out.extend_from_slice(address.as_bytes());
                self.out.push(b' ');
                self.customer.write_given(self.out);
            }
            "w" => self.out.extend_from_slice(self.company.as_bytes()),
            "h" => self.out.extend_from_slice(address.as_bytes()),
            _ => self.number(mark),
        }
    }

    fn number(&mut self, mark: &str) {
        let draw = self.draw();
        let lower = draw.rotate_left(32);
        let out = &mut *self.out;
        match mark {
            "m" => write!(out, "{}.{:03}.000 đồng", 1 + below(draw, 99), below(lower, 1_000)),
            "d" => write!(out, "{:02}/{:02}", 1 + below(draw, 28), 1 + below(lower, 12)),
            "t" => write!(out, "{}:{:02}", 8 + below(draw, 13), below(lower, 60)),
            "c" => write!(out, "HD{:08}", below(draw, 100_000_000)),
            "b" => write!(out, "{}", 2 + below(draw, 59)),
            _ => write!(out, "{},{}%", 1 + below(draw, 24), 1 + below(lower, 9)),
        }
        .expect("a vector takes everything");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entities::call::{self, Outcome};
    use crate::spec::{Scale, Spec};

    fn transcripts(of: Transcripts) -> Vec<(u64, String)> {
        let as_of = "2026-03-01T00:00:00Z".parse().unwrap();
        let population = Population::new(&Spec { transcripts: of, ..Spec::of(Scale::Tiny, 7, as_of) });
        let tenant = &population.tenants[0];
        let calls = (0..tenant.calls)
            .map(|ordinal| call::row(&population, tenant, ordinal, tenant.call_position(ordinal)));
        calls
            .filter(|call| call.outcome == Outcome::Completed)
            .map(|call| {
                let mut out = Vec::new();
                call.write_transcript(&population, &mut out);
                (call.duration_ms, String::from_utf8(out).unwrap())
            })
            .collect()
    }

    #[test]
    fn a_short_transcript_is_a_summary_of_150_to_300_bytes() {
        let all = transcripts(Transcripts::Short);
        assert!(all.len() > 10_000);
        for (_, text) in &all {
            assert!((150..=300).contains(&text.len()), "{} bytes: {text}", text.len());
            assert!(!text.contains("  ") && text.ends_with('.'), "{text}");
        }
        let distinct: std::collections::HashSet<&String> = all.iter().map(|(_, text)| text).collect();
        assert!(distinct.len() * 100 > all.len() * 99, "{} of {}", distinct.len(), all.len());
    }

    #[test]
    fn a_full_transcript_is_as_long_as_the_call_and_long_ones_are_above_2_kilobytes() {
        let mut above_2_kb = 0;
        for (duration_ms, text) in transcripts(Transcripts::Full) {
            let expected = usize::try_from(duration_ms * BYTES_PER_SECOND / 1_000).unwrap();
            // A greeting, an answer and a farewell at least; the last turns may go beyond.
            assert!((expected..expected + 650).contains(&text.len()), "{duration_ms} ms: {text}");
            assert!(text.starts_with("Bot: ") && text.lines().count() % 2 == 1, "{text}");
            for (at, line) in text.lines().enumerate() {
                assert!(line.starts_with(["Bot: ", "Khách: "][at % 2]), "{text}");
            }
            // A percent sign is one of a number, not a mark that was left.
            let mut before_signs = text.split('%').rev().skip(1);
            assert!(before_signs.all(|piece| piece.ends_with(|c: char| c.is_ascii_digit())), "{text}");
            assert!(!text.contains('\0'), "{text}");
            above_2_kb += u32::from(text.len() > 2_048);
        }
        assert!(above_2_kb > 500, "{above_2_kb}");
    }
}
