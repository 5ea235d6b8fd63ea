//! The operations: what a user of the service writes, one by one and many at once.

use std::fmt;
use std::str::FromStr;

/// One kind of write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// One new customer.
    SingleInsert,
    /// 100 new customers in one request.
    BatchInsert,
    /// `status` of one customer: a column that every level above `before` has in an index.
    UpdateIndexed,
    /// `phone` of one customer: a column that no level has in an index.
    UpdateUnindexed,
    /// `status` of 100 customers in one request.
    BatchUpdate,
    /// 50 customers deleted softly in one request.
    BatchDelete,
    /// One call.
    SingleCall,
    /// 100 calls in one request.
    BatchCall,
}

/// A word that is no operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not an operation; there are {}", names().join(", "))]
pub struct UnknownOperation {
    word: String,
}

impl Operation {
    /// All of them, in the order in which they are done.
    pub const ALL: [Self; 8] = [
        Self::SingleInsert,
        Self::BatchInsert,
        Self::UpdateIndexed,
        Self::UpdateUnindexed,
        Self::BatchUpdate,
        Self::SingleCall,
        Self::BatchCall,
        // Last, so that everything else finds the customers that are there.
        Self::BatchDelete,
    ];

    /// The name on the command line and in the result.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SingleInsert => "single_insert",
            Self::BatchInsert => "batch_insert",
            Self::UpdateIndexed => "update_indexed",
            Self::UpdateUnindexed => "update_unindexed",
            Self::BatchUpdate => "batch_update",
            Self::BatchDelete => "batch_delete",
            Self::SingleCall => "single_call",
            Self::BatchCall => "batch_call",
        }
    }

    /// Rows that one of them writes.
    #[must_use]
    pub fn rows(self) -> usize {
        match self {
            Self::SingleInsert | Self::UpdateIndexed | Self::UpdateUnindexed | Self::SingleCall => 1,
            Self::BatchInsert | Self::BatchUpdate | Self::BatchCall => 100,
            Self::BatchDelete => 50,
        }
    }

    /// How often it is done unless somebody says otherwise: a p99 needs 299, and what is small gets more than that.
    #[must_use]
    pub fn usual_count(self) -> u64 {
        if self.rows() == 1 { 1_000 } else { 300 }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Operation {
    type Err = UnknownOperation;

    fn from_str(text: &str) -> Result<Self, UnknownOperation> {
        let named = Self::ALL.into_iter().find(|operation| operation.name() == text);
        named.ok_or_else(|| UnknownOperation { word: text.to_owned() })
    }
}

fn names() -> Vec<&'static str> {
    Operation::ALL.map(Operation::name).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_reads_back_from_its_name_and_others_are_told_the_names() {
        for operation in Operation::ALL {
            assert_eq!(operation.name().parse(), Ok(operation));
        }
        let error = "insert".parse::<Operation>().unwrap_err().to_string();
        assert!(error.contains("`insert`") && error.contains("single_insert, batch_insert"), "{error}");
    }
}
