//! The size of an index when its table is as large as that of the service.
//!
//! A B-tree has as many leaf pages as its entries fill, and less than one page in a hundred above them, so its size goes
//! with the number of its entries. So does that of a GIN index as long as its keys repeat as they do now.

use serde::{Deserialize, Serialize};

/// Customers of the service.
pub const CUSTOMERS: f64 = 70e6;

/// Calls of the service.
pub const CALLS: f64 = 1e9;

/// Tables with fewer rows are not extrapolated from: there a page more or less makes the size.
pub const FEWEST_ROWS: f64 = 1000.0;

/// Tables that have rows for each customer.
const OF_CUSTOMERS: [&str; 3] = ["customer_label", "call_campaign_customer", "customer_call_stats"];

/// A size at scale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Extrapolation {
    /// Rows that the table will have.
    pub rows: f64,
    /// Bytes that the index will have.
    pub bytes: f64,
}

impl Extrapolation {
    /// How it is computed, in words.
    pub const RULE: &'static str = "Size at scale is a straight line: measured bytes per entry x share of the table's rows that is in \
        the index x 70,000,000 rows of customer or 1,000,000,000 of call; tables with rows for each customer keep as many per \
        customer; others, and tables of fewer than 1,000 rows, are not extrapolated. The line leaves out that keys which repeat \
        more often take less room each, and that pages do not stay as full as they are now: random inserts leave a B-tree about \
        70 % full, a fresh build 90 %.";

    /// From the size of an index with `table_rows` rows in its table, of which `share` are in the index. `customers` are the
    /// rows of the table of customers now.
    #[must_use]
    pub fn of(table: &str, bytes: u64, table_rows: f64, share: f64, customers: Option<f64>) -> Option<Self> {
        let entries = table_rows * share;
        if table_rows < FEWEST_ROWS || entries < 1.0 {
            return None;
        }
        let rows = match table {
            "customer" => CUSTOMERS,
            "call" => CALLS,
            of_customers if OF_CUSTOMERS.contains(&of_customers) => {
                let customers = customers.filter(|customers| *customers >= FEWEST_ROWS)?;
                table_rows / customers * CUSTOMERS
            }
            _ => return None,
        };
        let bytes_per_entry = bytes as f64 / entries;
        Some(Self { rows, bytes: bytes_per_entry * share * rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: Option<Extrapolation>, rows: f64, bytes: f64) {
        let found = found.expect("an extrapolation");
        assert!(
            (found.rows / rows - 1.0).abs() < 1e-12 && (found.bytes / bytes - 1.0).abs() < 1e-12,
            "{found:?}"
        );
    }

    #[test]
    fn the_seeds_sizes_follow_from_bytes_per_row() {
        // 39 bytes a row, so 39 GB at a billion.
        near(Extrapolation::of("call", 39_000_000, 1e6, 1.0, None), 1e9, 39e9);
        // A tenth of the customers at 80 bytes each: 8 bytes a customer.
        near(Extrapolation::of("customer", 8_000_000, 1e6, 0.1, None), 70e6, 560e6);
        // Two labels a customer stay two.
        near(Extrapolation::of("customer_label", 6_000_000, 2e5, 1.0, Some(1e5)), 140e6, 4.2e9);
    }

    #[test]
    fn what_can_not_be_told_is_absent() {
        assert_eq!(Extrapolation::of("customer", 8192, 999.0, 1.0, None), None, "few rows");
        assert_eq!(Extrapolation::of("customer", 8192, 1e6, 0.0, None), None, "an empty index");
        assert_eq!(
            Extrapolation::of("label", 8192, 1e6, 1.0, Some(1e6)),
            None,
            "nobody knows how labels grow"
        );
        assert_eq!(
            Extrapolation::of("customer_label", 8192, 1e6, 1.0, None),
            None,
            "customers are not known"
        );
    }
}
