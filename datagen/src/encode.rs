//! Rows as the bytes of `PostgreSQL`'s binary COPY format (documentation of `COPY`, section "Binary Format").
//!
//! Written by hand, into a buffer that is used again and again: a field is its length and its bytes, nothing is
//! allocated for a row, and there is no intermediate value per field. Times are microseconds since 1970 here and
//! since 2000 on the wire.

use std::ops::{AddAssign, ControlFlow};

use crate::checksum::Checksum;

/// What every stream begins with: the signature, no flags, no header extension.
pub const HEADER: [u8; 19] = *b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What every stream ends with.
pub const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();

/// 2000-01-01 in microseconds since 1970.
pub(crate) const PG_EPOCH_US: i64 = 946_684_800_000_000;

/// The fields of a row, appended in the order of the columns.
#[derive(Debug)]
pub struct Fields<'a>(&'a mut Vec<u8>);

impl Fields<'_> {
    /// NULL.
    pub fn null(&mut self) {
        self.0.extend_from_slice(&(-1_i32).to_be_bytes());
    }

    /// `uuid`.
    pub fn uuid(&mut self, value: &[u8; 16]) {
        self.fixed::<16, 20>(*value);
    }

    /// `uuid` or NULL.
    pub fn uuid_or_null(&mut self, value: Option<&[u8; 16]>) {
        match value {
            Some(value) => self.uuid(value),
            None => self.null(),
        }
    }

    /// `boolean`.
    pub fn boolean(&mut self, value: bool) {
        self.fixed::<1, 5>([u8::from(value)]);
    }

    /// `integer`.
    pub fn integer(&mut self, value: i32) {
        self.fixed::<4, 8>(value.to_be_bytes());
    }

    /// `bigint`.
    pub fn bigint(&mut self, value: i64) {
        self.fixed::<8, 12>(value.to_be_bytes());
    }

    /// `double precision`.
    pub fn double(&mut self, value: f64) {
        self.fixed::<8, 12>(value.to_be_bytes());
    }

    /// `timestamptz`, from microseconds since 1970, UTC.
    pub fn time(&mut self, unix_us: i64) {
        self.fixed::<8, 12>((unix_us - PG_EPOCH_US).to_be_bytes());
    }

    /// `timestamptz` or NULL.
    pub fn time_or_null(&mut self, unix_us: Option<i64>) {
        match unix_us {
            Some(unix_us) => self.time(unix_us),
            None => self.null(),
        }
    }

    /// `text`, `varchar`, `bytea`: the bytes as they are.
    pub fn bytes(&mut self, value: &[u8]) {
        let length = i32::try_from(value.len()).expect("a field is shorter than 2 GiB");
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(value);
    }

    /// `text` or `varchar`.
    pub fn text(&mut self, value: &str) {
        self.bytes(value.as_bytes());
    }

    /// `text`, `varchar` or `bytea` that `write` appends.
    pub fn text_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let at = self.0.len();
        self.0.extend_from_slice(&[0; 4]);
        write(self.0);
        let length = i32::try_from(self.0.len() - at - 4).expect("a field is shorter than 2 GiB");
        self.0[at..at + 4].copy_from_slice(&length.to_be_bytes());
    }

    /// `jsonb` whose text `write` appends.
    pub fn jsonb_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.text_with(|out| {
            out.push(1); // the version of the format
            write(out);
        });
    }

    /// `numeric(…, 4)`, given in ten-thousandths: digits to the base of 10,000, without zeros at either end.
    pub fn numeric_4(&mut self, ten_thousandths: u64) {
        let integer = ten_thousandths / 10_000;
        let digits = [
            integer / 1_000_000_000_000,
            integer / 100_000_000 % 10_000,
            integer / 10_000 % 10_000,
            integer % 10_000,
            ten_thousandths % 10_000,
        ];
        let first = digits.iter().position(|&digit| digit != 0);
        let last = digits.iter().rposition(|&digit| digit != 0);
        let (digits, weight): (&[u64], i16) = match (first, last) {
            // The weight is the power of 10,000 of the first digit.
            (Some(first), Some(last)) => (&digits[first..=last], [3, 2, 1, 0, -1][first]),
            _ => (&[], 0),
        };
        let count: u16 = [0, 1, 2, 3, 4, 5][digits.len()];
        self.0.extend_from_slice(&(8 + 2 * u32::from(count)).to_be_bytes());
        self.0.extend_from_slice(&count.to_be_bytes());
        self.0.extend_from_slice(&weight.to_be_bytes());
        self.0.extend_from_slice(&[0, 0, 0, 4]); // positive, four decimals
        for digit in digits {
            self.0.extend_from_slice(&digit.to_be_bytes()[6..]); // below 10,000
        }
    }

    /// A field of fixed length, written in one piece. `FRAMED` is `LENGTH + 4`.
    fn fixed<const LENGTH: usize, const FRAMED: usize>(&mut self, value: [u8; LENGTH]) {
        let mut framed = [0_u8; FRAMED];
        framed[3] = const {
            assert!(LENGTH < 256 && FRAMED == LENGTH + 4);
            LENGTH.to_be_bytes()[7]
        };
        framed[4..].copy_from_slice(&value);
        self.0.extend_from_slice(&framed);
    }
}

/// What a writer has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// Rows.
    pub rows: u64,
    /// Bytes of the rows, without header and trailer.
    pub bytes: u64,
    /// Sum over the rows.
    pub checksum: Checksum,
}

impl AddAssign for Written {
    fn add_assign(&mut self, other: Self) {
        self.rows += other.rows;
        self.bytes += other.bytes;
        self.checksum += other.checksum;
    }
}

/// Takes full buffers and gives back empty ones; `None` when nobody wants more.
pub type HandOver<'a> = &'a mut dyn FnMut(Vec<u8>) -> Option<Vec<u8>>;

/// Writes one stream of rows in pieces.
pub struct Writer<'a> {
    buffer: Vec<u8>,
    piece_bytes: usize,
    hand_over: HandOver<'a>,
    written: Written,
}

impl<'a> Writer<'a> {
    /// A stream that begins in `buffer`, which is cleared. A buffer is handed over as soon as it holds `piece_bytes`.
    pub fn new(mut buffer: Vec<u8>, piece_bytes: usize, hand_over: HandOver<'a>) -> Self {
        buffer.clear();
        buffer.extend_from_slice(&HEADER);
        Self { buffer, piece_bytes, hand_over, written: Written::default() }
    }

    /// Appends a row of `columns` fields, all of which `encode` must write. Breaks when nobody wants more.
    pub fn row(&mut self, columns: u16, encode: impl FnOnce(&mut Fields<'_>)) -> ControlFlow<()> {
        let from = self.buffer.len();
        self.buffer.extend_from_slice(&columns.to_be_bytes());
        encode(&mut Fields(&mut self.buffer));
        let row = &self.buffer[from..];
        self.written.rows += 1;
        self.written.bytes += row.len() as u64;
        self.written.checksum.add_row(row);
        if self.buffer.len() < self.piece_bytes {
            return ControlFlow::Continue(());
        }
        match (self.hand_over)(std::mem::take(&mut self.buffer)) {
            Some(empty) => {
                self.buffer = empty;
                self.buffer.clear();
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(()),
        }
    }

    /// What was written so far.
    #[must_use]
    pub fn written(&self) -> Written {
        self.written
    }

    /// Ends the stream and hands over the last piece. `None` when nobody wanted it.
    #[must_use]
    pub fn end(mut self) -> Option<(Written, Vec<u8>)> {
        self.buffer.extend_from_slice(&TRAILER);
        let empty = (self.hand_over)(self.buffer)?;
        Some((self.written, empty))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(encode: impl FnOnce(&mut Fields<'_>)) -> Vec<u8> {
        let mut out = Vec::new();
        encode(&mut Fields(&mut out));
        out
    }

    #[test]
    fn numerics_have_the_digits_that_postgresql_sends() {
        let digits = |value| encoded(|fields| fields.numeric_4(value));
        assert_eq!(digits(0), [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 4]);
        assert_eq!(digits(43_275), [0, 0, 0, 12, 0, 2, 0, 0, 0, 0, 0, 4, 0, 4, 0x0c, 0xcb]);
        assert_eq!(digits(50_000), [0, 0, 0, 10, 0, 1, 0, 0, 0, 0, 0, 4, 0, 5]);
        assert_eq!(digits(7), [0, 0, 0, 10, 0, 1, 0xff, 0xff, 0, 0, 0, 4, 0, 7]);
        assert_eq!(digits(300_000_000), [0, 0, 0, 10, 0, 1, 0, 1, 0, 0, 0, 4, 0, 3]);
        // 1844674407370955.1615
        assert_eq!(
            digits(u64::MAX),
            [0, 0, 0, 18, 0, 5, 0, 3, 0, 0, 0, 4, 0x07, 0x34, 0x1a, 0x58, 0x02, 0xe1, 0x03, 0xbb, 0x06, 0x4f]
        );
    }

    #[test]
    fn times_count_from_the_year_2000() {
        assert_eq!(encoded(|fields| fields.time(PG_EPOCH_US + 1)), [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn pieces_join_to_one_stream_whatever_their_size() {
        let stream = |piece_bytes| {
            let mut all = Vec::new();
            let mut pieces = 0;
            let mut hand_over = |piece: Vec<u8>| {
                all.extend_from_slice(&piece);
                pieces += 1;
                Some(piece)
            };
            let mut writer = Writer::new(Vec::new(), piece_bytes, &mut hand_over);
            for value in 0..100 {
                assert!(writer.row(1, |fields| fields.integer(value)).is_continue());
            }
            let (written, _) = writer.end().unwrap();
            (all, pieces, written)
        };
        let (whole, _, written) = stream(1 << 20);
        let (in_pieces, pieces, written_in_pieces) = stream(64);
        assert_eq!(whole, in_pieces);
        assert_eq!(written, written_in_pieces);
        assert!(pieces > 10);
        assert_eq!(written.rows, 100);
        assert_eq!(whole.len() as u64, written.bytes + (HEADER.len() + TRAILER.len()) as u64);
    }

    #[test]
    fn a_writer_stops_when_nobody_listens() {
        let mut hand_over = |_| None;
        let mut writer = Writer::new(Vec::new(), 1, &mut hand_over);
        assert!(writer.row(1, |fields| fields.boolean(true)).is_break());
    }
}
