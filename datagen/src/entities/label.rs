//! `label` and `customer_label`: 8 to 30 labels a workspace, nought to four on a customer, if the profile says
//! nothing else.
//!
//! The first label of a workspace is on a third of its customers' labels; the last is on exactly one customer.

use std::ops::ControlFlow;

use super::Table;
use crate::encode::Writer;
use crate::kernel::{below, cubed};
use crate::population::{Population, Tenant};

const ID: u64 = 0;
/// Fields of the entity that stands for all labels of a workspace, and of a customer's labels.
const NAMES: u64 = 0;
const COUNT: u64 = 0;
const PICKS: u64 = 1;

/// The most that a profile may give to a customer.
const MOST_LABELS: usize = 8;

pub(super) fn write_labels(
    population: &Population,
    tenant: &Tenant,
    writer: &mut Writer<'_>,
) -> ControlFlow<()> {
    let names = tenant.label_scope.entity(u64::MAX - 1).draw(NAMES);
    for (ordinal, place) in (0..tenant.labels).zip(0..) {
        writer.row(Table::Label.width(), |fields| {
            fields.uuid(&label_id(tenant, ordinal));
            fields.uuid(&tenant.id);
            fields.text(population.words.label(names, place));
        })?;
    }
    ControlFlow::Continue(())
}

fn label_id(tenant: &Tenant, ordinal: u64) -> [u8; 16] {
    tenant.label_scope.entity(ordinal).uuid(ID)
}

/// The labels of customer number `ordinal`, each once.
fn of_customer(population: &Population, tenant: &Tenant, ordinal: u64) -> impl Iterator<Item = u64> {
    // Beside the customers' own draws, so that labels can change their shape without changing customers.
    let entity = tenant.label_scope.workspace(u32::MAX).entity(ordinal);
    let count = population.odds.labels.pick(entity.draw(COUNT)) as u64;
    let mut labels = [u64::MAX; MOST_LABELS + 1];
    let mut found = 0;
    for pick in 0..count {
        // The last label is left out here; it belongs to the customer in the middle alone.
        let label = below(cubed(entity.draw(PICKS + pick)), tenant.labels - 1);
        if !labels[..found].contains(&label) {
            labels[found] = label;
            found += 1;
        }
    }
    if ordinal == tenant.customers / 2 {
        labels[found] = tenant.labels - 1;
        found += 1;
    }
    labels.into_iter().take(found)
}

pub(super) fn write_of_customer(
    population: &Population,
    tenant: &Tenant,
    ordinal: u64,
    writer: &mut Writer<'_>,
) -> ControlFlow<()> {
    let customer_id = super::customer::id(tenant, ordinal);
    for label in of_customer(population, tenant, ordinal) {
        writer.row(Table::CustomerLabel.width(), |fields| {
            fields.uuid(&customer_id);
            fields.uuid(&label_id(tenant, label));
        })?;
    }
    ControlFlow::Continue(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Scale, Spec};

    #[test]
    fn labels_reach_from_one_customer_to_very_many_and_some_customers_have_none() {
        let population = Population::new(&Spec::of(Scale::Dev, 7, "2026-03-01T00:00:00Z".parse().unwrap()));
        let tenant = &population.tenants[0];
        let mut carriers = vec![0_u32; usize::try_from(tenant.labels).unwrap()];
        let mut without = 0;
        for ordinal in 0..tenant.customers {
            let labels: Vec<u64> = of_customer(&population, tenant, ordinal).collect();
            without += u32::from(labels.is_empty());
            let distinct: std::collections::HashSet<_> = labels.iter().collect();
            assert_eq!(distinct.len(), labels.len());
            for label in labels {
                carriers[usize::try_from(label).unwrap()] += 1;
            }
        }
        assert!((16_500..18_500).contains(&without), "{without}");
        assert!(carriers[0] > 15_000, "{carriers:?}");
        assert_eq!(carriers.last(), Some(&1), "{carriers:?}");
        assert!(carriers.iter().all(|&customers| customers > 0), "{carriers:?}");
    }
}
