//! `workspace`.

use std::ops::ControlFlow;

use super::Table;
use crate::dictionaries::slug;
use crate::encode::Writer;
use crate::kernel::{Scope, below};
use crate::population::{Population, Tenant};
use crate::spec::LARGEST_SLUG;
use crate::timeline::DAY_US;

const COMPANY: u64 = 0;
const AGE: u64 = 1;

/// When the workspace was opened: up to a month before the first customers came.
#[must_use]
pub fn created_us(population: &Population, tenant: &Tenant) -> i64 {
    let draw =
        Scope::new(population.spec.seed, "workspace-facts@1").entity(u64::from(tenant.number)).draw(AGE);
    population.arrivals.start_us() - below(draw, (30 * DAY_US).cast_unsigned()).cast_signed()
}

/// The slug of the workspace: a company and the number of the workspace, at most 64 letters, unique.
#[must_use]
pub fn slug_of(population: &Population, tenant: &Tenant) -> String {
    if tenant.number == 0 {
        return LARGEST_SLUG.to_owned();
    }
    let company = slug(company(population, tenant));
    let company = company.get(..48).unwrap_or(&company).trim_end_matches('-');
    format!("{company}-{}", tenant.number)
}

/// The name of the workspace.
pub(super) fn name_of<'a>(population: &'a Population, tenant: &Tenant) -> &'a str {
    if tenant.number == 0 { "Enterprise Workspace 1" } else { company(population, tenant) }
}

fn company<'a>(population: &'a Population, tenant: &Tenant) -> &'a str {
    let entity = Scope::new(population.spec.seed, "workspace-facts@1").entity(u64::from(tenant.number));
    population.words.company(entity.draw(COMPANY))
}

pub(super) fn write(population: &Population, tenant: &Tenant, writer: &mut Writer<'_>) -> ControlFlow<()> {
    writer.row(Table::Workspace.width(), |fields| {
        fields.uuid(&tenant.id);
        fields.text(&slug_of(population, tenant));
        fields.text(name_of(population, tenant));
        fields.time(created_us(population, tenant));
    })
}
