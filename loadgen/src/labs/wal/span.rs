//! The adding up of records; pure.

use std::collections::BTreeMap;

use reports::labs::wal::{Part, RecordType, Totals};

use super::relations::{Location, Relation};

/// Records begin at multiples of this (`MAXALIGN` on all machines of today).
const ALIGNMENT: u64 = 8;

/// The header of a page of the log, and that of the first page of a segment (`SizeOfXLogShortPHD`, `SizeOfXLogLongPHD`).
const SHORT_HEADER: u64 = 24;
const LONG_HEADER: u64 = 40;

/// Records as they are read.
#[derive(Debug, Default)]
pub(super) struct Split {
    /// By the relation of the first block, then by kind.
    places: BTreeMap<Option<Location>, Place>,
    padding_bytes: u64,
}

#[derive(Debug, Default)]
struct Place {
    types: BTreeMap<String, Totals>,
    shared_records: u64,
}

impl Split {
    /// Adds a record: its bytes with those of the images in it, and the relation of its first block.
    pub(super) fn add(
        &mut self,
        manager: &str,
        kind: &str,
        bytes: u32,
        image_bytes: u32,
        first: Option<Location>,
        is_shared: bool,
    ) {
        let place = self.places.entry(first).or_default();
        let totals = Totals {
            records: 1,
            bytes: bytes.saturating_sub(image_bytes).into(),
            image_bytes: image_bytes.into(),
        };
        place.types.entry(format!("{manager}/{kind}")).or_default().add(totals);
        place.shared_records += u64::from(is_shared);
        self.padding_bytes += u64::from(bytes).next_multiple_of(ALIGNMENT) - u64::from(bytes);
    }

    /// The relations that records belong to.
    pub(super) fn locations(&self) -> impl Iterator<Item = Location> {
        self.places.keys().filter_map(|location| *location)
    }

    /// What fills the records up to where the next one may begin.
    pub(super) fn padding_bytes(&self) -> u64 {
        self.padding_bytes
    }

    /// The parts, most bytes first. Locations that are called the same are one part.
    pub(super) fn parts(self, relations: &BTreeMap<Location, Relation>) -> Vec<Part> {
        let mut places: BTreeMap<Relation, Place> = BTreeMap::new();
        for (location, place) in self.places {
            let relation = match location {
                None => Relation::none(),
                Some(location) => relations.get(&location).cloned().unwrap_or_else(Relation::unknown),
            };
            let all = places.entry(relation).or_default();
            for (name, totals) in place.types {
                all.types.entry(name).or_default().add(totals);
            }
            all.shared_records += place.shared_records;
        }
        let mut parts: Vec<Part> =
            places.into_iter().map(|(relation, place)| part(relation, place)).collect();
        parts.sort_by_key(|part| std::cmp::Reverse(part.totals.all_bytes()));
        parts
    }
}

fn part(relation: Relation, place: Place) -> Part {
    let mut types: Vec<RecordType> =
        place.types.into_iter().map(|(name, totals)| RecordType { name, totals }).collect();
    types.sort_by_key(|kind| std::cmp::Reverse(kind.totals.all_bytes()));
    Part {
        kind: relation.kind,
        relation: relation.name,
        table: relation.table,
        totals: types.iter().map(|kind| kind.totals).sum(),
        shared_records: place.shared_records,
        types,
    }
}

/// Bytes of the headers of pages that begin between two positions. A position at which a record may begin lies behind the
/// header of its page.
pub(super) fn page_header_bytes(start: u64, end: u64, page_bytes: u64, segment_bytes: u64) -> u64 {
    let pages = |bytes: u64| end.saturating_sub(1) / bytes - start / bytes;
    if end <= start || page_bytes == 0 || segment_bytes == 0 {
        return 0;
    }
    let (all, first_of_segment) = (pages(page_bytes), pages(segment_bytes));
    (all - first_of_segment) * SHORT_HEADER + first_of_segment * LONG_HEADER
}

#[cfg(test)]
mod tests {
    use reports::labs::wal::Kind;

    use super::*;

    const PAGE: u64 = 8_192;
    const SEGMENT: u64 = 16 << 20;

    fn at(filenode: u32) -> Location {
        Location { tablespace: 1663, database: 5, filenode }
    }

    #[test]
    fn records_are_added_up_by_relation_and_kind_and_their_padding_apart() {
        let mut split = Split::default();
        split.add("Heap", "INSERT", 830, 776, Some(at(1)), false);
        split.add("Heap", "INSERT", 175, 0, Some(at(1)), false);
        split.add("Heap", "LOCK", 54, 0, Some(at(1)), true);
        split.add("Transaction", "COMMIT", 34, 0, None, false);
        split.add("Btree", "INSERT_LEAF", 64, 0, Some(at(2)), false);
        assert_eq!(split.padding_bytes(), 2 + 1 + 2 + 6);
        let customer = Relation { kind: Kind::Heap, name: "customer".to_owned(), table: None };
        let parts = split.parts(&BTreeMap::from([(at(1), customer)]));
        let found: Vec<(Kind, Totals, u64)> =
            parts.iter().map(|part| (part.kind, part.totals, part.shared_records)).collect();
        let totals = |records, bytes, image_bytes| Totals { records, bytes, image_bytes };
        assert_eq!(
            found,
            [
                (Kind::Heap, totals(3, 283, 776), 1),
                (Kind::Unknown, totals(1, 64, 0), 0),
                (Kind::NoRelation, totals(1, 34, 0), 0)
            ]
        );
        let types: Vec<&str> = parts[0].types.iter().map(|kind| kind.name.as_str()).collect();
        assert_eq!(types, ["Heap/INSERT", "Heap/LOCK"]);
    }

    #[test]
    fn each_page_that_begins_in_a_span_has_a_header_and_each_segment_a_longer_one() {
        let headers = |start, end| page_header_bytes(start, end, PAGE, SEGMENT);
        assert_eq!([headers(100, 100), headers(100, 8_000), headers(100, PAGE)], [0, 0, 0]);
        assert_eq!([headers(100, PAGE + 24), headers(PAGE + 24, 2 * PAGE)], [24, 0]);
        assert_eq!(headers(100, 3 * PAGE + 500), 72);
        assert_eq!(headers(SEGMENT - 8, SEGMENT + 48), 40);
        assert_eq!(headers(SEGMENT - 8, SEGMENT + PAGE + 48), 64);
    }
}
