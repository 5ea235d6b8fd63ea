//! The words that rows are made of, gathered once at the start. A row picks words by index and copies their bytes;
//! nothing is allocated for it.
//!
//! Vietnamese names, places and labels are our own, with weights; companies and sentences come from `fake`, drawn from
//! a fixed stream of the kernel. A test pins them, so that an update of `fake` that changes words is noticed (and
//! becomes a new version of the data set).

pub(crate) mod phrases;
mod vietnamese;

use std::fmt::Write as _;

use fake::Fake as _;
use fake::faker::company::en::{CompanyName, Profession};
use fake::faker::lorem::en::Sentence;

use crate::distributions::Weighted;
use crate::kernel::{Entity, Scope, Stream, chance, index_below, one_of};

const COMPANIES: usize = 512;
const SENTENCES: usize = 1_024;
const PROFESSIONS: usize = 64;

/// All words.
#[derive(Debug)]
pub struct Dictionaries {
    surnames: Weighted,
    carriers: Weighted,
    cities: Weighted,
    /// The letters of each surname without diacritics.
    surname_letters: Vec<String>,
    /// The letters of each given name without diacritics, of men and of women.
    given_letters: [Vec<String>; 2],
    companies: Vec<String>,
    sentences: Vec<String>,
    professions: Vec<String>,
}

/// A person's name as indices into the dictionaries.
#[derive(Debug, Clone, Copy)]
pub struct PersonName {
    surname: usize,
    gender: usize,
    middle: usize,
    given: usize,
}

impl PersonName {
    /// Whether the name is a woman's.
    #[must_use]
    pub fn is_female(self) -> bool {
        self.gender == 1
    }

    /// Appends the whole name, surname first.
    pub fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(vietnamese::SURNAMES[self.surname].0.as_bytes());
        out.push(b' ');
        out.extend_from_slice(vietnamese::MIDDLE_NAMES[self.gender][self.middle].as_bytes());
        out.push(b' ');
        out.extend_from_slice(vietnamese::GIVEN_NAMES[self.gender][self.given].as_bytes());
    }

    /// Appends the given name alone, by which people are addressed.
    pub fn write_given(self, out: &mut Vec<u8>) {
        out.extend_from_slice(vietnamese::GIVEN_NAMES[self.gender][self.given].as_bytes());
    }
}

impl Default for Dictionaries {
    fn default() -> Self {
        Self::new()
    }
}

impl Dictionaries {
    /// The same words on every call.
    #[must_use]
    pub fn new() -> Self {
        let stream = |name| Stream::new(Scope::new(0, name).entity(0));
        let mut companies = stream("companies@1");
        let mut sentences = stream("sentences@1");
        let mut professions = stream("professions@1");
        let letters = |names: &[&str]| names.iter().map(|name| vietnamese::ascii_letters(name)).collect();
        let [men, women] = &vietnamese::GIVEN_NAMES;
        Self {
            surnames: Weighted::new(&vietnamese::SURNAMES.map(|(_, share)| share)),
            carriers: Weighted::new(&vietnamese::CARRIERS.map(|carrier| carrier.per_mille)),
            cities: Weighted::new(&vietnamese::CITIES.map(|(_, weight)| weight)),
            surname_letters: letters(&vietnamese::SURNAMES.map(|(name, _)| name)),
            given_letters: [letters(men), letters(women)],
            companies: (0..COMPANIES)
                .map(|_| plain(&CompanyName().fake_with_rng::<String, _>(&mut companies)))
                .collect(),
            sentences: (0..SENTENCES)
                .map(|_| plain(&Sentence(6..14).fake_with_rng::<String, _>(&mut sentences)))
                .collect(),
            professions: (0..PROFESSIONS)
                .map(|_| plain(&Profession().fake_with_rng::<String, _>(&mut professions)))
                .collect(),
        }
    }

    /// A name, from the draws of the fields `field` to `field + 3`.
    #[must_use]
    pub fn person(&self, entity: Entity, field: u64) -> PersonName {
        let gender = usize::from(chance(entity.draw(field), 520));
        PersonName {
            surname: self.surnames.pick(entity.draw(field + 1)),
            gender,
            middle: index_below(entity.draw(field + 2), vietnamese::MIDDLE_NAMES[gender].len()),
            given: index_below(entity.draw(field + 3), vietnamese::GIVEN_NAMES[gender].len()),
        }
    }

    /// Appends `given.surname`, in ASCII, as people take it for an address.
    pub fn write_mailbox(&self, name: PersonName, out: &mut Vec<u8>) {
        out.extend_from_slice(self.given_letters[name.gender][name.given].as_bytes());
        out.push(b'.');
        out.extend_from_slice(self.surname_letters[name.surname].as_bytes());
    }

    /// A carrier, by its share of subscribers.
    #[must_use]
    pub fn carrier(&self, draw: u64) -> usize {
        self.carriers.pick(draw)
    }

    /// The name of a carrier.
    #[must_use]
    pub fn carrier_name(&self, carrier: usize) -> &'static str {
        vietnamese::CARRIERS[carrier].name
    }

    /// One of the three-digit prefixes of a carrier.
    #[must_use]
    pub fn carrier_prefix(&self, carrier: usize, draw: u64) -> &'static str {
        let prefixes = vietnamese::CARRIERS[carrier].prefixes;
        one_of(draw, prefixes)
    }

    /// A city, by weight.
    #[must_use]
    pub fn city(&self, draw: u64) -> &'static str {
        vietnamese::CITIES[self.cities.pick(draw)].0
    }

    /// A street.
    #[must_use]
    pub fn street(&self, draw: u64) -> &'static str {
        one_of(draw, &vietnamese::STREETS)
    }

    /// The `at`-th label of a workspace whose labels are chosen by `draw`. All labels of a workspace differ, up to 37.
    #[must_use]
    pub fn label(&self, draw: u64, at: usize) -> &'static str {
        let count = vietnamese::LABELS.len();
        let start = index_below(draw, count);
        let stride = 1 + index_below(draw.rotate_left(32), count - 1);
        vietnamese::LABELS[(start + at * stride) % count]
    }

    /// What a campaign is about.
    #[must_use]
    pub fn campaign_theme(&self, draw: u64) -> &'static str {
        one_of(draw, &vietnamese::CAMPAIGN_THEMES)
    }

    /// A company.
    #[must_use]
    pub fn company(&self, draw: u64) -> &str {
        &self.companies[index_below(draw, self.companies.len())]
    }

    /// A sentence of filler text, 30 to 130 bytes or so.
    #[must_use]
    pub fn sentence(&self, draw: u64) -> &str {
        &self.sentences[index_below(draw, self.sentences.len())]
    }

    /// A profession.
    #[must_use]
    pub fn profession(&self, draw: u64) -> &str {
        &self.professions[index_below(draw, self.professions.len())]
    }
}

/// The words of a URL or an address: lower case letters and digits, joined by hyphens.
#[must_use]
pub fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() {
            let _ = write!(slug, "{}", letter.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// Text that stands in JSON as it is.
fn plain(text: &str) -> String {
    text.replace(['"', '\\'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_what_they_are_for_ever() {
        let words = Dictionaries::new();
        let all = [&words.companies, &words.sentences, &words.professions];
        let text: Vec<String> = all.iter().map(|list| list.join("\n")).collect();
        let checksum = crate::checksum::of_row(text.join("\n").as_bytes());
        assert_eq!(checksum, GOLDEN, "first words: {:?}", all.map(|list| &list[0]));
    }

    const GOLDEN: u64 = 3_590_951_346_723_553_773;

    #[test]
    fn words_need_no_escapes_in_json() {
        let words = Dictionaries::new();
        for word in words.companies.iter().chain(&words.sentences).chain(&words.professions) {
            assert_eq!(serde_json::to_string(word).unwrap(), format!("\"{word}\""));
        }
    }

    #[test]
    fn labels_of_a_workspace_differ() {
        let words = Dictionaries::new();
        for ordinal in 0..200 {
            let draw = Scope::new(1, "x").entity(ordinal).draw(0);
            let labels: std::collections::HashSet<_> = (0..30).map(|at| words.label(draw, at)).collect();
            assert_eq!(labels.len(), 30);
        }
    }

    #[test]
    fn two_in_five_people_are_called_nguyen() {
        let words = Dictionaries::new();
        let mut nguyen = 0;
        for ordinal in 0..10_000 {
            let mut name = Vec::new();
            words.person(Scope::new(1, "x").entity(ordinal), 0).write(&mut name);
            nguyen += u32::from(String::from_utf8(name).unwrap().starts_with("Nguyễn "));
        }
        assert!((3_600..4_100).contains(&nguyen), "{nguyen}");
    }

    #[test]
    fn slugs_are_lower_case_words_with_hyphens() {
        assert_eq!(slug("O'Reilly, Kunde and  Sons!"), "o-reilly-kunde-and-sons");
    }
}
