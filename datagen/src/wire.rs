//! Rows read back: a stream of `PostgreSQL`'s binary COPY format, in pieces of any size, cut into rows and fields.

use crate::encode::{HEADER, TRAILER};

/// What a stream of rows can have wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stream of rows is not in COPY's binary format: {0}")]
pub struct Malformed(&'static str);

/// Cuts a stream into rows. A row is given as it was sent: the count of its fields, and of each field its length and its
/// bytes; so it has the checksum of the row that was encoded.
#[derive(Debug, Default)]
pub struct Rows {
    /// The beginning of a row whose end has not come yet.
    rest: Vec<u8>,
    has_begun: bool,
    has_ended: bool,
}

impl Rows {
    /// A stream of which nothing has come yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece, and gives each row that is whole to `take`.
    pub fn push(&mut self, piece: &[u8], mut take: impl FnMut(&[u8])) -> Result<(), Malformed> {
        if self.rest.is_empty() {
            let used = self.cut(piece, &mut take)?;
            self.rest.extend_from_slice(&piece[used..]);
        } else {
            let mut joined = std::mem::take(&mut self.rest);
            joined.extend_from_slice(piece);
            let used = self.cut(&joined, &mut take)?;
            joined.drain(..used);
            self.rest = joined;
        }
        Ok(())
    }

    /// The stream is over: were the rows whole, and was the trailer there?
    pub fn end(self) -> Result<(), Malformed> {
        if self.has_ended && self.rest.is_empty() { Ok(()) } else { Err(Malformed("it ends in the middle")) }
    }

    /// Gives whole rows, and returns how many bytes they took.
    fn cut(&mut self, bytes: &[u8], take: &mut impl FnMut(&[u8])) -> Result<usize, Malformed> {
        let mut at = 0;
        if !self.has_begun {
            if bytes.len() < HEADER.len() {
                return Ok(0);
            }
            if !bytes.starts_with(&HEADER) {
                return Err(Malformed("it does not begin with the signature"));
            }
            self.has_begun = true;
            at = HEADER.len();
        }
        while let Some(length) = row_length(&bytes[at..])? {
            if self.has_ended {
                return Err(Malformed("something follows the trailer"));
            }
            let row = &bytes[at..at + length];
            if row == TRAILER {
                self.has_ended = true;
            } else {
                take(row);
            }
            at += length;
        }
        Ok(at)
    }
}

/// The length of the row that `bytes` begin with; `None` if it is not whole.
fn row_length(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    let Some(count) = bytes.first_chunk::<2>() else { return Ok(None) };
    if *count == TRAILER {
        return Ok(Some(TRAILER.len()));
    }
    let mut end = 2;
    for _ in 0..u16::from_be_bytes(*count) {
        let Some(length) = bytes.get(end..).and_then(|rest| rest.first_chunk::<4>()) else { return Ok(None) };
        end += 4 + field_length(*length)?.unwrap_or(0);
    }
    Ok((end <= bytes.len()).then_some(end))
}

/// The length of a field; `None` for NULL.
fn field_length(length: [u8; 4]) -> Result<Option<usize>, Malformed> {
    match i32::from_be_bytes(length) {
        -1 => Ok(None),
        length => usize::try_from(length).map(Some).map_err(|_| Malformed("a field has a negative length")),
    }
}

/// The fields of a whole row, in the order of the columns; `None` is NULL.
pub fn fields(row: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    let mut rest = row.get(2..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(i32::from_be_bytes(*length)).ok();
        let (field, after) = after.split_at_checked(length.unwrap_or(0))?;
        rest = after;
        Some(length.map(|_| field))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::encode::Writer;

    fn stream(texts: &[Option<String>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut keep = |piece: Vec<u8>| {
            bytes.extend_from_slice(&piece);
            Some(piece)
        };
        let mut writer = Writer::new(Vec::new(), 100, &mut keep);
        for text in texts {
            let written = writer.row(2, |fields| {
                match text {
                    Some(text) => fields.text(text),
                    None => fields.null(),
                }
                fields.integer(7);
            });
            assert!(written.is_continue());
        }
        writer.end().unwrap();
        bytes
    }

    proptest! {
        #[test]
        fn rows_come_back_whatever_the_size_of_the_pieces(
            texts in prop::collection::vec(prop::option::of(".{0,40}"), 0..50),
            piece_bytes in 1_usize..200,
        ) {
            let mut found = Vec::new();
            let mut rows = Rows::new();
            for piece in stream(&texts).chunks(piece_bytes) {
                rows.push(piece, |row| {
                    let fields: Vec<Option<&[u8]>> = fields(row).collect();
                    assert_eq!(fields.len(), 2);
                    assert_eq!(fields[1], Some(&[0, 0, 0, 7][..]));
                    found.push(fields[0].map(|text| String::from_utf8(text.to_vec()).unwrap()));
                }).unwrap();
            }
            rows.end().unwrap();
            prop_assert_eq!(found, texts);
        }
    }

    #[test]
    fn a_stream_that_is_cut_or_is_something_else_is_noticed() {
        let whole = stream(&[Some("a".to_owned()), None]);
        for end in 0..whole.len() {
            let mut rows = Rows::new();
            rows.push(&whole[..end], |_| {}).unwrap();
            assert!(rows.end().is_err(), "{end} of {} bytes", whole.len());
        }
        assert!(Rows::new().push(b"id,workspace_id,name\n1,2,3", |_| {}).is_err());
        let doubled = [&whole[..], &whole[HEADER.len()..]].concat();
        assert!(Rows::new().push(&doubled, |_| {}).is_err());
    }
}
