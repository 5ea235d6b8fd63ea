//! The source of all randomness: numbers that are functions of their coordinates, not of the order in which they are
//! asked for.
//!
//! Every value of a row is `mix` of (seed, table and its version, workspace, ordinal, field). Threads, chunks and
//! connections are no coordinates, so they can't change a byte, and any row can be made alone at any time. The mixer
//! is the finaliser of `SplitMix64` (Steele, Lea, Flood: *Fast Splittable Pseudorandom Number Generators*, 2014, with
//! variant 13 of Stafford's constants); field `n` of an entity is the `n`-th output of a `SplitMix64` whose state is
//! the entity's key. Everything is integer arithmetic: the same bytes on every machine.
//!
//! `rand` is not used for rows, because its minor releases may change values.

/// The odd constant by which `SplitMix64` steps: 2^64 divided by the golden ratio.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// Mixes 64 bits so that each bit of the result depends on each bit of `z`; a bijection.
#[must_use]
pub const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A family of entities: one table (and its version) under one seed, or one workspace's part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope(u64);

impl Scope {
    /// The family called `domain`, for instance `"call@1"`. The number after the `@` grows when the meaning of the
    /// table's fields changes, so that other tables keep their values.
    #[must_use]
    pub const fn new(seed: u64, domain: &str) -> Self {
        let bytes = domain.as_bytes();
        let mut key = mix(seed.wrapping_add(GAMMA));
        let mut at = 0;
        while at < bytes.len() {
            key = mix(key.wrapping_add(GAMMA) ^ bytes[at] as u64);
            at += 1;
        }
        Self(key)
    }

    /// The part of this family that belongs to workspace number `workspace`.
    #[must_use]
    pub const fn workspace(self, workspace: u32) -> Self {
        Self(mix(self.0 ^ mix((workspace as u64 + 1).wrapping_mul(GAMMA))))
    }

    /// The entity number `ordinal` of this family.
    #[must_use]
    pub const fn entity(self, ordinal: u64) -> Entity {
        Entity(mix(self.0.wrapping_add(ordinal.wrapping_add(1).wrapping_mul(GAMMA))))
    }
}

/// One row-to-be: a key from which the draws for its fields are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entity(u64);

impl Entity {
    /// The 64 random bits of field number `field`.
    #[must_use]
    pub const fn draw(self, field: u64) -> u64 {
        mix(self.0.wrapping_add(field.wrapping_add(1).wrapping_mul(GAMMA)))
    }

    /// A version 4 UUID, made of the fields `field` and `field + 1`.
    #[must_use]
    pub const fn uuid(self, field: u64) -> [u8; 16] {
        let bits = ((self.draw(field) as u128) << 64) | self.draw(field + 1) as u128;
        let version = 0xf000_u128 << 64;
        let variant = 0xc000_u128 << 48;
        let bits = (bits & !version & !variant) | (0x4000_u128 << 64) | (0x8000_u128 << 48);
        bits.to_be_bytes()
    }
}

/// A number in `0..bound` by Lemire's multiplication (*Fast Random Integer Generation in an Interval*, 2019), without
/// his rejection step: one draw always makes one number. The price is a bias below `bound / 2^64`. 0 for a `bound` of 0.
#[must_use]
pub const fn below(draw: u64, bound: u64) -> u64 {
    ((draw as u128 * bound as u128) >> 64) as u64
}

/// One of `choices`, each as likely.
///
/// # Panics
/// If there are none.
#[must_use]
pub fn one_of<T: Copy>(draw: u64, choices: &[T]) -> T {
    choices[index_below(draw, choices.len())]
}

/// A number in `0..bound`, as an index.
#[must_use]
pub const fn index_below(draw: u64, bound: usize) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "it is below a usize")]
    let at = below(draw, bound as u64) as usize;
    at
}

/// True `per_mille` times out of a thousand.
#[must_use]
pub const fn chance(draw: u64, per_mille: u64) -> bool {
    below(draw, 1_000) < per_mille
}

/// The square of a draw, both read as fractions of 2^64: small values become likelier (density `1 / (2 sqrt x)`).
#[must_use]
pub const fn squared(draw: u64) -> u64 {
    below(draw, draw)
}

/// The cube of a draw, both read as fractions of 2^64: a heavy tail (density `x^(-2/3) / 3`).
#[must_use]
pub const fn cubed(draw: u64) -> u64 {
    below(squared(draw), draw)
}

/// A stream of draws of one entity in the dress of a `rand` generator, for `fake`, which fills the dictionaries.
#[derive(Debug)]
pub struct Stream {
    entity: Entity,
    field: u64,
}

impl Stream {
    /// A stream that starts at field 0 of `entity`.
    #[must_use]
    pub const fn new(entity: Entity) -> Self {
        Self { entity, field: 0 }
    }
}

impl rand::TryRng for Stream {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        self.try_next_u64().map(|draw| (draw >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let draw = self.entity.draw(self.field);
        self.field += 1;
        Ok(draw)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for piece in bytes.chunks_mut(8) {
            let draw = self.try_next_u64()?.to_le_bytes();
            piece.copy_from_slice(&draw[..piece.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mixer_is_that_of_splitmix64() {
        // The first outputs of the reference implementation (prng.di.unimi.it/splitmix64.c) for the state 1234567.
        let outputs: Vec<u64> =
            (1..=5_u64).map(|step| mix(1_234_567_u64.wrapping_add(step.wrapping_mul(GAMMA)))).collect();
        assert_eq!(
            outputs,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821
            ]
        );
    }

    #[test]
    fn values_stay_what_they_are_for_ever() {
        let entity = Scope::new(42, "call@1").workspace(7).entity(1_000_000);
        assert_eq!([entity.draw(0), entity.draw(1), entity.draw(255)], GOLDEN_DRAWS);
        assert_eq!(uuid::Uuid::from_bytes(entity.uuid(0)).to_string(), GOLDEN_UUID);
    }

    const GOLDEN_DRAWS: [u64; 3] =
        [15_642_400_083_859_559_545, 15_469_180_823_188_716_577, 5_246_417_896_078_252_145];
    const GOLDEN_UUID: &str = "d914f7ff-d0fd-4479-96ad-91ffdc72bc21";

    #[test]
    fn each_coordinate_changes_the_value() {
        let value = |seed, domain, workspace, ordinal, field| {
            Scope::new(seed, domain).workspace(workspace).entity(ordinal).draw(field)
        };
        let all = [
            value(1, "call@1", 0, 0, 0),
            value(2, "call@1", 0, 0, 0),
            value(1, "call@2", 0, 0, 0),
            value(1, "customer@1", 0, 0, 0),
            value(1, "call@1", 1, 0, 0),
            value(1, "call@1", 0, 1, 0),
            value(1, "call@1", 0, 0, 1),
        ];
        let distinct: std::collections::HashSet<u64> = all.into_iter().collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn uuids_carry_version_4_and_the_variant_of_rfc_9562() {
        for ordinal in 0..1_000 {
            let uuid = uuid::Uuid::from_bytes(Scope::new(3, "x").entity(ordinal).uuid(0));
            assert_eq!(uuid.get_version_num(), 4);
            assert_eq!(uuid.get_variant(), uuid::Variant::RFC4122);
        }
    }

    #[test]
    fn ranges_are_even_and_never_reach_their_bound() {
        let mut seen = [0_u32; 10];
        for ordinal in 0..100_000 {
            seen[usize::try_from(below(Scope::new(5, "x").entity(ordinal).draw(0), 10)).unwrap()] += 1;
        }
        assert!(seen.iter().all(|&count| (9_600..10_400).contains(&count)), "{seen:?}");
        assert_eq!(below(u64::MAX, 10), 9);
        assert_eq!(below(u64::MAX, 0), 0);
    }
}
