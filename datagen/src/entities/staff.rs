//! Who works there: `employee`, `app_user`, `user_workspace`, `auth_token`.
//!
//! Three users have tokens that everybody knows, so that examples run as written on a developer's data set:
//! `token123` (an admin, a member of every workspace), `manager123` and `employee123` (both of the largest
//! workspace). Only hashes are stored, of these as of all others.

use std::ops::ControlFlow;

use sha2::{Digest as _, Sha256};

use super::{Table, workspace};
use crate::encode::Writer;
use crate::kernel::{Entity, Scope, below, squared};
use crate::population::{Population, Tenant};
use crate::timeline::DAY_US;

/// The token of the admin.
pub const ADMIN_TOKEN: &str = "token123";
/// The token of a manager of the largest workspace.
pub const MANAGER_TOKEN: &str = "manager123";
/// The token of an employee of the largest workspace, who has customers.
pub const EMPLOYEE_TOKEN: &str = "employee123";

const ID: u64 = 0;
const NAME: u64 = 2;
const CREATED: u64 = 6;
const SECRET: u64 = 7;

/// Users with a token that everybody knows.
const KNOWN_USERS: u64 = 3;
/// Users of each workspace beside the known ones: a manager and four employees, one of whom may no longer log in.
const USERS_PER_WORKSPACE: u64 = 5;
const INACTIVE_USER: u64 = 3;

/// The employees who get customers: all but the last tenth (at least one), who have none.
#[must_use]
pub fn employees_with_customers(tenant: &Tenant) -> u64 {
    tenant.employees - (tenant.employees / 10).max(1)
}

/// The employee whom a draw makes responsible for a customer: the first have very many customers, the last few.
#[must_use]
pub fn employee_of(tenant: &Tenant, draw: u64) -> u64 {
    below(squared(draw), employees_with_customers(tenant))
}

/// The id of employee number `ordinal`.
#[must_use]
pub fn employee_id(tenant: &Tenant, ordinal: u64) -> [u8; 16] {
    tenant.employee_scope.entity(ordinal).uuid(ID)
}

pub(super) fn write_employees(
    population: &Population,
    tenant: &Tenant,
    writer: &mut Writer<'_>,
) -> ControlFlow<()> {
    for ordinal in 0..tenant.employees {
        let entity = tenant.employee_scope.entity(ordinal);
        let name = population.words.person(entity, NAME);
        writer.row(Table::Employee.width(), |fields| {
            fields.uuid(&entity.uuid(ID));
            fields.uuid(&tenant.id);
            fields.text_with(|out| name.write(out));
            fields.text_with(|out| {
                population.words.write_mailbox(name, out);
                out.extend_from_slice(format!("{ordinal}@w{}.callbench.test", tenant.number).as_bytes());
            });
            fields.time(joined_us(population, tenant, entity));
        })?;
    }
    ControlFlow::Continue(())
}

/// How many users there are in so many workspaces.
pub(crate) const fn users_of(workspaces: u64) -> u64 {
    KNOWN_USERS + workspaces * USERS_PER_WORKSPACE
}

/// A user with everything that the three tables say about them.
struct User {
    entity: Entity,
    email: String,
    role: &'static str,
    employee: Option<[u8; 16]>,
    is_active: bool,
    token_sha256: [u8; 32],
}

/// The users who belong to `tenant`; the largest workspace comes with the three known ones.
fn users(population: &Population, tenant: &Tenant) -> Vec<User> {
    let mut users = Vec::new();
    if tenant.number == 0 {
        let employee = employee_id(tenant, employees_with_customers(tenant) / 2);
        let known = [
            (ADMIN_TOKEN, "admin", None),
            (MANAGER_TOKEN, "manager", None),
            (EMPLOYEE_TOKEN, "employee", Some(employee)),
        ];
        users.extend((0..).zip(known).map(|(ordinal, (token, role, employee))| User {
            entity: Scope::new(population.spec.seed, "known-users@1").entity(ordinal),
            email: format!("{role}@callbench.test"),
            role,
            employee,
            is_active: true,
            token_sha256: Sha256::digest(token).into(),
        }));
    }
    users.extend((0..USERS_PER_WORKSPACE).map(|ordinal| {
        let entity = tenant.user_scope.entity(ordinal);
        let is_manager = ordinal == 0;
        User {
            entity,
            email: format!("user{ordinal}@w{}.callbench.test", tenant.number),
            role: if is_manager { "manager" } else { "employee" },
            employee: (!is_manager).then(|| employee_id(tenant, (ordinal - 1) % tenant.employees)),
            is_active: ordinal != INACTIVE_USER,
            token_sha256: Sha256::digest(entity.uuid(SECRET)).into(),
        }
    }));
    users
}

pub(super) fn write_users(
    population: &Population,
    tenant: &Tenant,
    writer: &mut Writer<'_>,
) -> ControlFlow<()> {
    for user in users(population, tenant) {
        let name = population.words.person(user.entity, NAME);
        writer.row(Table::AppUser.width(), |fields| {
            fields.uuid(&user.entity.uuid(ID));
            fields.text(&user.email);
            fields.text_with(|out| name.write(out));
            fields.text(user.role);
            fields.uuid_or_null(user.employee.as_ref());
            fields.boolean(user.is_active);
            fields.time(joined_us(population, tenant, user.entity));
        })?;
    }
    ControlFlow::Continue(())
}

pub(super) fn write_memberships(
    population: &Population,
    tenant: &Tenant,
    writer: &mut Writer<'_>,
) -> ControlFlow<()> {
    let mut member = |user: &Entity| {
        writer.row(Table::UserWorkspace.width(), |fields| {
            fields.uuid(&user.uuid(ID));
            fields.uuid(&tenant.id);
        })
    };
    if tenant.number != 0 {
        // The admin, who is among the users of the largest workspace already.
        member(&Scope::new(population.spec.seed, "known-users@1").entity(0))?;
    }
    for user in users(population, tenant) {
        member(&user.entity)?;
    }
    ControlFlow::Continue(())
}

pub(super) fn write_tokens(
    population: &Population,
    tenant: &Tenant,
    writer: &mut Writer<'_>,
) -> ControlFlow<()> {
    for user in users(population, tenant) {
        writer.row(Table::AuthToken.width(), |fields| {
            fields.bytes(&user.token_sha256);
            fields.uuid(&user.entity.uuid(ID));
            fields.time(joined_us(population, tenant, user.entity));
        })?;
    }
    ControlFlow::Continue(())
}

fn joined_us(population: &Population, tenant: &Tenant, entity: Entity) -> i64 {
    let after_us = below(entity.draw(CREATED), (300 * DAY_US).cast_unsigned()).cast_signed();
    workspace::created_us(population, tenant) + after_us
}
