//! How the rows of a page are found and computed. The values are the contract's; the way to them is the variant's.

pub(crate) mod clock;
pub(crate) mod condition;
pub(crate) mod estimate;
pub(crate) mod fill;
pub(crate) mod keyset;
pub(crate) mod naive;
mod seek;
mod statement;

#[cfg(test)]
mod boundaries;

use crate::customers::row::Customer;

/// The rows of a page, newest first, and what lies around them.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) customers: Vec<Customer>,
    /// Whether more rows follow in the direction of the walk.
    pub(crate) beyond: bool,
    /// Whether there are rows on the other side of where the page began.
    pub(crate) behind: bool,
    /// All rows of the list, where the variant counts them.
    pub(crate) count: Option<i64>,
}

/// The statement with which a variant reads the first page of the list for a manager: `$1` is the workspace's id, `$2`
/// the size of the page. For those who want to look at its plan, or to run it without the server around it. `naive` has
/// no such statement.
#[must_use]
pub fn first_page_statement(variant: crate::Variant) -> Option<String> {
    match variant {
        crate::Variant::Naive => None,
        crate::Variant::Live | crate::Variant::Rollup => keyset::first_page(variant).ok(),
    }
}
