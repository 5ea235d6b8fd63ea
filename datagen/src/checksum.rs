//! A checksum of rows that does not depend on their order.
//!
//! Each row is hashed over its bytes in COPY's binary format, and the hashes are added up. Rows that were loaded by
//! any number of connections, in any order, have the same sum; a row that is missing, doubled or changed changes it.
//! `PostgreSQL` gives back the same bytes that it was sent (`other_attributes` is written the way `jsonb` prints it),
//! so the sum can be taken again from a `COPY … TO` of the table.

use std::ops::AddAssign;

/// The sum over rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checksum(pub u64);

impl Checksum {
    /// Adds a row, given as the bytes between two row headers, header included.
    pub fn add_row(&mut self, row: &[u8]) {
        self.0 = self.0.wrapping_add(of_row(row));
    }
}

impl AddAssign for Checksum {
    fn add_assign(&mut self, other: Self) {
        self.0 = self.0.wrapping_add(other.0);
    }
}

/// Hashes bytes, sixteen at a time, by folded 128-bit multiplication (the step of wyhash).
#[must_use]
pub fn of_row(bytes: &[u8]) -> u64 {
    let mut hash = fold(bytes.len() as u64 ^ 0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db);
    let mut pieces = bytes.chunks_exact(16);
    for piece in &mut pieces {
        hash = absorb(hash, piece);
    }
    let rest = pieces.remainder();
    let mut last = [0_u8; 16];
    last[..rest.len()].copy_from_slice(rest);
    fold(absorb(hash, &last), 0x8ebc_6af0_9c88_c6e3)
}

fn absorb(hash: u64, piece: &[u8]) -> u64 {
    let word = |at: usize| u64::from_le_bytes(piece[at..at + 8].try_into().expect("eight bytes"));
    fold(word(0) ^ hash, word(8) ^ 0x5899_65cc_7537_4cc3)
}

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    #[expect(clippy::cast_possible_truncation, reason = "both halves are wanted, one after the other")]
    let (low, high) = (product as u64, (product >> 64) as u64);
    low ^ high
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(rows: &[&[u8]]) -> Checksum {
        let mut sum = Checksum::default();
        for row in rows {
            sum.add_row(row);
        }
        sum
    }

    #[test]
    fn order_does_not_matter_and_everything_else_does() {
        let all = sum(&[b"a", b"b", b"c"]);
        assert_eq!(all, sum(&[b"c", b"a", b"b"]));
        assert_ne!(all, sum(&[b"a", b"b"]));
        assert_ne!(all, sum(&[b"a", b"b", b"b"]));
        assert_ne!(all, sum(&[b"ab", b"c"]));
        assert_ne!(sum(&[b"a\0"]), sum(&[b"a"]));
    }

    #[test]
    fn every_bit_counts() {
        let row = [7_u8; 50];
        for bit in 0..400 {
            let mut changed = row;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(of_row(&row), of_row(&changed), "bit {bit}");
        }
    }
}
