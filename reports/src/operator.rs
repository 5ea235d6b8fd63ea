//! How a value is held against another: the comparisons of rules and of assertions.
//!
//! The two grammars mean the same by the same operators, so that a limit moves from a budget to an assertion without a
//! thought; only their signs for equality differ. Each grammar has its `Signs` beside it.

use std::fmt;

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `==` in assertions, `=` in rules.
    Equal,
    /// `!=`; rules have no use for it.
    Unequal,
}

impl Operator {
    /// Whether `value` compares so with `limit`. Equal is equal to nine digits, because profiles are written in decimals,
    /// and counts per request are quotients. A NaN is unequal to everything, and nothing else.
    #[must_use]
    pub fn holds(self, value: f64, limit: f64) -> bool {
        let equal = (value - limit).abs() <= 1e-9 * limit.abs().max(1.0);
        match self {
            Self::Below => value < limit,
            Self::AtMost => value <= limit,
            Self::Above => value > limit,
            Self::AtLeast => value >= limit,
            Self::Equal => equal,
            Self::Unequal => !equal,
        }
    }

    /// Whether it asks which of two is greater.
    #[must_use]
    pub fn is_ordering(self) -> bool {
        !matches!(self, Self::Equal | Self::Unequal)
    }

    /// What other languages, and hurried fingers, write for it.
    fn meant_by(sign: &str) -> Option<Self> {
        match sign {
            "=<" => Some(Self::AtMost),
            "=>" => Some(Self::AtLeast),
            "=" | "==" | "===" => Some(Self::Equal),
            "<>" | "!==" | "!" => Some(Self::Unequal),
            _ => None,
        }
    }
}

/// In words, as a sentence has it: `at most`.
impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Below => "below",
            Self::AtMost => "at most",
            Self::Above => "above",
            Self::AtLeast => "at least",
            Self::Equal => "equal",
            Self::Unequal => "unequal",
        })
    }
}

/// The operators that a grammar has, with their signs, in the order in which people are told of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signs(pub(crate) &'static [(&'static str, Operator)]);

impl Signs {
    /// The operator of a sign. For what is none: the operator that was likely meant, if the grammar has it.
    pub(crate) fn read(self, sign: &str) -> Result<Operator, Option<Operator>> {
        let known = self.0.iter().find(|(known, _)| *known == sign);
        known
            .map(|(_, operator)| *operator)
            .ok_or_else(|| Operator::meant_by(sign).filter(|meant| !self.of(*meant).is_empty()))
    }

    /// The sign of an operator; empty if the grammar does not have it.
    pub(crate) fn of(self, operator: Operator) -> &'static str {
        self.0.iter().find(|(_, known)| *known == operator).map_or("", |(sign, _)| sign)
    }

    /// All of them: `<, <=, >`.
    pub(crate) fn list(self) -> String {
        self.0.iter().map(|(sign, _)| *sign).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIGNS: Signs = Signs(&[("<", Operator::Below), ("<=", Operator::AtMost), ("=", Operator::Equal)]);

    #[test]
    fn a_sign_that_is_none_is_answered_with_one_that_the_grammar_has() {
        assert_eq!(SIGNS.read("<="), Ok(Operator::AtMost));
        assert_eq!(SIGNS.read("=<"), Err(Some(Operator::AtMost)));
        assert_eq!(SIGNS.read("=="), Err(Some(Operator::Equal)));
        for absent in ["=>", "<>", "!=", "~", ""] {
            assert_eq!(SIGNS.read(absent), Err(None), "{absent}");
        }
        assert_eq!(SIGNS.list(), "<, <=, =");
    }

    proptest! {
        #[test]
        fn numbers_compare_as_numbers_do(value in -1e6..1e6_f64, limit in -1e6..1e6_f64) {
            prop_assert_eq!(Operator::Below.holds(value, limit), !Operator::AtLeast.holds(value, limit));
            prop_assert_eq!(Operator::Above.holds(value, limit), !Operator::AtMost.holds(value, limit));
            prop_assert_eq!(Operator::Equal.holds(value, limit), !Operator::Unequal.holds(value, limit));
            prop_assert!(Operator::Equal.holds(value, value) && Operator::AtMost.holds(value, value));
            prop_assert_eq!(Operator::Below.holds(value, limit), value < limit);
        }
    }
}
