//! A cursor: a place in the order of the list, and the direction in which to go on from there.
//!
//! The list is ordered by `(created_at DESC, id DESC)`, which is a total order, so a place is those two values. A place
//! needs no row: when its customer was deleted, the walk goes on from where it stood. On the wire a cursor is URL-safe
//! base64 without padding of compact JSON. Only the one spelling that this server writes is read back, so whatever was
//! truncated or tampered with is refused unless it happens to be a cursor again; and then it is only a place, in a list
//! that the reader may see anyway.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Longer texts are not looked at.
const MAX_LENGTH: usize = 512;

/// The earliest time that PostgreSQL can store, 24 November 4714 BC, in microseconds of the Unix epoch. The other end
/// needs no check: chrono's years end before PostgreSQL's.
const EARLIEST_US: i64 = -210_866_803_200_000_000;

/// A place between two rows, or on one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// First key of the order.
    pub created_at: DateTime<Utc>,
    /// Second key of the order.
    pub id: Uuid,
}

impl Place {
    /// Below every row that a database can hold.
    pub(crate) const BOTTOM: Self = Self {
        created_at: match DateTime::from_timestamp_micros(EARLIEST_US) {
            Some(earliest) => earliest,
            None => DateTime::UNIX_EPOCH,
        },
        id: Uuid::nil(),
    };
}

/// Which way to go from a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// To older customers, down the list.
    Next,
    /// To newer customers, up the list.
    Previous,
}

impl Direction {
    pub(crate) fn opposite(self) -> Self {
        match self {
            Self::Next => Self::Previous,
            Self::Previous => Self::Next,
        }
    }
}

/// A place and where to go from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cursor {
    /// Where to begin.
    pub place: Place,
    /// Where to go from there.
    pub direction: Direction,
    /// Whether a row at the very place belongs to the walk. Only the way back from an empty page is inclusive: the row
    /// at the edge was not shown there, and must not be skipped.
    pub inclusive: bool,
}

/// The JSON of a cursor; the fields are written in this order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    created_at: i64,
    id: Uuid,
    direction: Direction,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    inclusive: bool,
}

impl Cursor {
    /// Goes on beyond the row at `place`.
    #[must_use]
    pub fn beyond(place: Place, direction: Direction) -> Self {
        Self { place, direction, inclusive: false }
    }

    /// Goes back from here without skipping anything: to exactly the rows that this cursor does not lead to.
    pub(crate) fn turned(self) -> Self {
        Self { place: self.place, direction: self.direction.opposite(), inclusive: !self.inclusive }
    }

    /// The text for a link.
    pub fn encode(self) -> Result<String, serde_json::Error> {
        let wire = Wire {
            created_at: self.place.created_at.timestamp_micros(),
            id: self.place.id,
            direction: self.direction,
            inclusive: self.inclusive,
        };
        Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&wire)?))
    }

    /// Reads the text of a link; `None` for everything that this server never wrote.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let wire: Wire = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        if wire.created_at < EARLIEST_US {
            return None;
        }
        let created_at = DateTime::from_timestamp_micros(wire.created_at)?;
        let cursor = Self {
            place: Place { created_at, id: wire.id },
            direction: wire.direction,
            inclusive: wire.inclusive,
        };
        (cursor.encode().ok()?.as_str() == text).then_some(cursor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(json: &str) -> String {
        URL_SAFE_NO_PAD.encode(json)
    }

    #[test]
    fn a_cursor_is_compact_json_that_begins_with_microseconds() {
        let place = Place { created_at: "2023-12-25T00:00:00.000001Z".parse().unwrap(), id: Uuid::nil() };
        let text = Cursor::beyond(place, Direction::Next).encode().unwrap();
        assert_eq!(
            String::from_utf8(URL_SAFE_NO_PAD.decode(&text).unwrap()).unwrap(),
            r#"{"created_at":1703462400000001,"id":"00000000-0000-0000-0000-000000000000","direction":"next"}"#
        );
        assert!(text.len() <= MAX_LENGTH);
    }

    #[test]
    fn only_the_spelling_that_is_written_is_read() {
        let id = r#""id":"00000000-0000-0000-0000-000000000000""#;
        let good = encoded(&format!(r#"{{"created_at":1,{id},"direction":"previous","inclusive":true}}"#));
        assert!(Cursor::decode(&good).is_some());
        for bad in [
            String::new(),
            "123".to_owned(),
            "!!!!".to_owned(),
            "é".to_owned(),
            "\0".to_owned(),
            format!("{good}="),
            good[..good.len() - 1].to_owned(),
            good.replace('e', "+"),
            "A".repeat(MAX_LENGTH + 1),
            encoded("{}"),
            encoded("p=2023-12-25"),
            encoded(&format!(r#"{{"created_at":1,{id},"direction":"sideways"}}"#)),
            encoded(&format!(r#"{{"created_at":1.0,{id},"direction":"next"}}"#)),
            encoded(&format!(r#"{{"created_at":"1",{id},"direction":"next"}}"#)),
            encoded(&format!(r#"{{"created_at":null,{id},"direction":"next"}}"#)),
            encoded(&format!(r#"{{"created_at":{},{id},"direction":"next"}}"#, i64::MAX)),
            encoded(&format!(r#"{{"created_at":{},{id},"direction":"next"}}"#, i64::MIN)),
            encoded(&format!(r#"{{"created_at":{},{id},"direction":"next"}}"#, EARLIEST_US - 1)),
            encoded(&format!(r#"{{"created_at":9223372036854775808,{id},"direction":"next"}}"#)),
            encoded(r#"{"created_at":1,"id":"nil","direction":"next"}"#),
            encoded(&format!(r#"{{"created_at":1,{id},"direction":"next","inclusive":false}}"#)),
            encoded(&format!(r#"{{"created_at":1,{id},"direction":"next","more":1}}"#)),
            encoded(&format!(r#"{{"created_at":1,{id},"direction":"next"}} "#)),
            encoded(&format!(r#"{{{id},"created_at":1,"direction":"next"}}"#)),
        ] {
            assert_eq!(Cursor::decode(&bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_cursor_survives_the_wire(
            created_at in EARLIEST_US..8_000_000_000_000_000_000_i64,
            id in any::<u128>(),
            forward: bool,
            inclusive: bool,
        ) {
            let created_at = DateTime::from_timestamp_micros(created_at).unwrap();
            let direction = if forward { Direction::Next } else { Direction::Previous };
            let cursor = Cursor { place: Place { created_at, id: Uuid::from_u128(id) }, direction, inclusive };
            let text = cursor.encode().unwrap();
            prop_assert!(text.len() <= MAX_LENGTH);
            prop_assert_eq!(Cursor::decode(&text), Some(cursor));
            prop_assert_eq!(cursor.turned().turned(), cursor);
        }

        #[test]
        fn any_text_is_a_cursor_or_is_not_but_never_a_panic(text in "\\PC{0,600}") {
            if let Some(cursor) = Cursor::decode(&text) {
                prop_assert_eq!(cursor.encode().unwrap(), text);
            }
        }
    }
}
