//! The tables, and how their rows are cut into chunks.

use std::fmt;
use std::ops::ControlFlow;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{call, call_stats, campaign, customer, enrolment, label, staff, workspace};
use crate::encode::Writer;
use crate::error::Error;
use crate::population::{Member, Population};

/// Workspaces whose small tables make one chunk.
const WORKSPACES_PER_CHUNK: usize = 256;
/// Customers in a chunk, about: 6 MB of rows.
const CUSTOMERS_PER_CHUNK: u64 = 10_000;
/// Calls in a chunk, about: 10 MB of rows.
const CALLS_PER_CHUNK: u64 = 50_000;

/// A column: its name, and the type that its field is sent as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name in the database.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
}

/// The type of a column, as far as its bytes in a COPY go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `uuid`
    Uuid,
    /// `text`, `varchar`
    Text,
    /// `bytea`
    Bytea,
    /// `boolean`
    Boolean,
    /// `integer`
    Integer,
    /// `bigint`
    Bigint,
    /// `double precision`
    Double,
    /// `numeric`
    Numeric,
    /// `jsonb`
    Jsonb,
    /// `timestamptz`
    Timestamptz,
}

macro_rules! columns {
    ($($name:ident $kind:ident),+) => {
        &[$(Column { name: stringify!($name), kind: $kind }),+]
    };
}

/// A table that the generator fills.
///
/// Serialised as its name in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// `workspace`
    Workspace,
    /// `employee`
    Employee,
    /// `app_user`
    AppUser,
    /// `user_workspace`
    UserWorkspace,
    /// `auth_token`
    AuthToken,
    /// `label`
    Label,
    /// `call_campaign`
    Campaign,
    /// `customer`
    Customer,
    /// `customer_label`
    CustomerLabel,
    /// `call_campaign_customer`
    Enrolment,
    /// `call`
    Call,
    /// `customer_call_stats`, which exists at level `optimized` only
    CallStats,
}

impl Table {
    /// All tables in the order in which they are loaded: what is referred to comes first.
    pub const ALL: [Self; 12] = [
        Self::Workspace,
        Self::Employee,
        Self::AppUser,
        Self::UserWorkspace,
        Self::AuthToken,
        Self::Label,
        Self::Campaign,
        Self::Customer,
        Self::CustomerLabel,
        Self::Enrolment,
        Self::Call,
        Self::CallStats,
    ];

    /// Whether a schema at `level` has it.
    #[must_use]
    pub fn exists_at(self, level: migrations::Level) -> bool {
        self != Self::CallStats || level >= migrations::Level::Optimized
    }

    /// Its name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Employee => "employee",
            Self::AppUser => "app_user",
            Self::UserWorkspace => "user_workspace",
            Self::AuthToken => "auth_token",
            Self::Label => "label",
            Self::Campaign => "call_campaign",
            Self::Customer => "customer",
            Self::CustomerLabel => "customer_label",
            Self::Enrolment => "call_campaign_customer",
            Self::Call => "call",
            Self::CallStats => "customer_call_stats",
        }
    }

    /// Its columns, in the order of the fields.
    #[must_use]
    pub const fn columns(self) -> &'static [Column] {
        use Kind::{Bigint, Boolean, Bytea, Double, Integer, Jsonb, Numeric, Text, Timestamptz, Uuid};
        match self {
            Self::Workspace => columns![id Uuid, slug Text, name Text, created_at Timestamptz],
            Self::Employee => {
                columns![id Uuid, workspace_id Uuid, name Text, email Text, created_at Timestamptz]
            }
            Self::AppUser => columns![
                id Uuid, email Text, name Text, role Text, employee_id Uuid, is_active Boolean,
                created_at Timestamptz
            ],
            Self::UserWorkspace => columns![user_id Uuid, workspace_id Uuid],
            Self::AuthToken => columns![token_sha256 Bytea, user_id Uuid, created_at Timestamptz],
            Self::Label => columns![id Uuid, workspace_id Uuid, name Text],
            Self::Campaign => columns![
                id Uuid, workspace_id Uuid, name Text, status Text, started_at Timestamptz,
                ended_at Timestamptz, created_at Timestamptz
            ],
            Self::Customer => columns![
                id Uuid, workspace_id Uuid, name Text, email Text, phone Text, carrier Text, status Text,
                quality Text, call_status Text, duration Double, is_test Boolean, checked Boolean,
                other_attributes Jsonb, is_deleted Boolean, deleted_at Timestamptz, employee_id Uuid,
                created_at Timestamptz, updated_at Timestamptz
            ],
            Self::CustomerLabel => columns![customer_id Uuid, label_id Uuid],
            Self::Enrolment => columns![
                id Uuid, workspace_id Uuid, campaign_id Uuid, customer_id Uuid, status Text,
                created_at Timestamptz
            ],
            Self::Call => columns![
                id Uuid, workspace_id Uuid, customer_id Uuid, campaign_customer_id Uuid, direction Text,
                status Text, duration Double, duration_seconds Integer, recording_url Text, transcript Text,
                sentiment_score Double, call_type Text, billing_rate Numeric, created_at Timestamptz
            ],
            Self::CallStats => columns![
                customer_id Uuid, workspace_id Uuid, total_calls Bigint, total_duration_seconds Bigint,
                successful_calls Bigint, missed_calls Bigint, campaign_calls Bigint, cost_campaign Numeric,
                cost_direct Numeric, cost_callback Numeric
            ],
        }
    }

    /// How many of its columns, counted from the first, are its primary key.
    #[must_use]
    pub const fn key_columns(self) -> usize {
        match self {
            Self::UserWorkspace | Self::CustomerLabel => 2,
            _ => 1,
        }
    }

    /// The names of its columns, as a statement lists them.
    #[must_use]
    pub fn column_list(self) -> String {
        let names: Vec<&str> = self.columns().iter().map(|column| column.name).collect();
        names.join(", ")
    }

    /// The number of its columns, as a row begins with it.
    #[must_use]
    pub(crate) const fn width(self) -> u16 {
        #[expect(clippy::cast_possible_truncation, reason = "no table has more than 18 columns")]
        let width = self.columns().len() as u16;
        width
    }

    /// The statement that takes its rows in binary form. `freeze` is for a table that was emptied in the same transaction:
    /// its rows are then visible to everybody from the start, and need no vacuum.
    #[must_use]
    pub fn copy_in(self, freeze: bool) -> String {
        let options = if freeze { "FORMAT binary, FREEZE" } else { "FORMAT binary" };
        format!("COPY public.{} ({}) FROM STDIN ({options})", self.name(), self.column_list())
    }

    /// The statement that gives its rows back in binary form.
    #[must_use]
    pub fn copy_out(self) -> String {
        format!("COPY public.{} ({}) TO STDOUT (FORMAT binary)", self.name(), self.column_list())
    }

    /// How many chunks its rows make: a function of the specification, never of the number of workers.
    #[must_use]
    pub fn chunks(self, population: &Population) -> u64 {
        let spec = &population.spec;
        match self {
            Self::Customer | Self::CustomerLabel | Self::Enrolment => {
                (spec.customers + spec.other_customers).div_ceil(CUSTOMERS_PER_CHUNK)
            }
            Self::Call => (spec.calls + spec.other_calls).div_ceil(CALLS_PER_CHUNK),
            Self::CallStats => call_stats::chunks(population).len() as u64,
            _ => population.tenants.len().div_ceil(WORKSPACES_PER_CHUNK) as u64,
        }
    }

    /// How many of its chunks may be written at the same time, so that a process stays below 512 MB on any number of cores:
    /// a chunk of the totals holds up to 48 MB, one of any other table next to nothing.
    #[must_use]
    pub(crate) const fn chunks_at_once(self) -> usize {
        match self {
            Self::CallStats => 6,
            _ => usize::MAX,
        }
    }

    /// Writes the rows of chunk `chunk`. Breaks when the writer does.
    pub fn write_chunk(
        self,
        population: &Population,
        chunk: u64,
        writer: &mut Writer<'_>,
    ) -> ControlFlow<()> {
        let chunks = self.chunks(population);
        match self {
            Self::Customer | Self::CustomerLabel | Self::Enrolment => {
                for member in population.customers_of_chunk(chunk, chunks) {
                    self.write_customer(population, member, writer)?;
                }
            }
            Self::Call => {
                for member in population.calls_of_chunk(chunk, chunks) {
                    let tenant = &population.tenants[member.tenant as usize];
                    let call = call::row(population, tenant, member.ordinal, member.position);
                    writer.row(self.width(), |fields| call.write(population, fields))?;
                }
            }
            Self::CallStats => {
                let chunk = usize::try_from(chunk).expect("fewer chunks than customers");
                if let Some(chunk) = call_stats::chunks(population).get(chunk) {
                    call_stats::write(population, chunk, writer)?;
                }
            }
            _ => {
                let chunk = usize::try_from(chunk).expect("fewer chunks than workspaces");
                for tenant in population.tenants.chunks(WORKSPACES_PER_CHUNK).nth(chunk).unwrap_or_default() {
                    match self {
                        Self::Workspace => workspace::write(population, tenant, writer)?,
                        Self::Employee => staff::write_employees(population, tenant, writer)?,
                        Self::AppUser => staff::write_users(population, tenant, writer)?,
                        Self::UserWorkspace => staff::write_memberships(population, tenant, writer)?,
                        Self::AuthToken => staff::write_tokens(population, tenant, writer)?,
                        Self::Label => label::write_labels(population, tenant, writer)?,
                        _ => campaign::write(population, tenant, writer)?,
                    }
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Writes what this table holds of one customer.
    fn write_customer(
        self,
        population: &Population,
        member: Member,
        writer: &mut Writer<'_>,
    ) -> ControlFlow<()> {
        let tenant = &population.tenants[member.tenant as usize];
        match self {
            Self::Customer => {
                let customer = customer::row(population, tenant, member.ordinal, member.position);
                writer.row(self.width(), |fields| customer.write(population, tenant, fields))
            }
            Self::CustomerLabel => label::write_of_customer(population, tenant, member.ordinal, writer),
            _ => {
                let created_us = population.arrival_us(member.position);
                enrolment::write(population, tenant, member.ordinal, created_us, writer)
            }
        }
    }
}

impl FromStr for Table {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|table| table.name() == name);
        found.ok_or_else(|| Error::UnknownTable(name.to_owned()))
    }
}

impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Table {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
