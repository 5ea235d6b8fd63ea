//! `call_campaign`: a handful per workspace, more in larger ones, spread over the time in which calls are made.

use std::ops::ControlFlow;

use super::Table;
use crate::encode::Writer;
use crate::kernel::{Scope, below};
use crate::population::{Population, Tenant};
use crate::timeline::{DAY_US, Timeline};

const ID: u64 = 0;
const THEME: u64 = 2;
const START: u64 = 3;
const LENGTH: u64 = 4;
const PREPARATION: u64 = 5;

/// How far a campaign is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Planned; nobody is enrolled.
    Draft,
    /// Running.
    Active,
    /// Stopped for now.
    Paused,
    /// Over.
    Completed,
}

impl Status {
    const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Completed => "completed",
        }
    }
}

/// A campaign; its place in the list of its workspace is its ordinal.
#[derive(Debug, Clone, Copy)]
pub struct Campaign {
    /// Its id.
    pub id: [u8; 16],
    /// How far it is.
    pub status: Status,
    /// When it was thought of, in microseconds since 1970.
    pub created_us: i64,
    /// When it began; for a draft when it would.
    pub started_us: i64,
    /// When it ended; for what is not over the end of the timeline.
    pub ended_us: i64,
}

/// The campaigns of a workspace with so many customers, in the order of their start, which is also the order of their
/// end. The last is a draft; of the latest third the others are active and paused in turn; the rest is over.
#[must_use]
pub fn schedule(scope: Scope, customers: u64, calling: &Timeline) -> Vec<Campaign> {
    let count = 4 + (customers / 5_000).min(56);
    let open_from = count - 1 - (count / 3).max(2);
    let mut ended_us = 0;
    (0..count)
        .map(|ordinal| {
            let entity = scope.entity(ordinal);
            let days = |field, from: i64, spread: i64| {
                from * DAY_US + below(entity.draw(field), (spread * DAY_US).cast_unsigned()).cast_signed()
            };
            let share = u64::MAX / count;
            let started_us = calling.at(ordinal * share + below(entity.draw(START), share));
            let status = match ordinal {
                _ if ordinal == count - 1 => Status::Draft,
                _ if ordinal < open_from => Status::Completed,
                _ if (ordinal - open_from).is_multiple_of(2) => Status::Active,
                _ => Status::Paused,
            };
            ended_us = match status {
                Status::Completed => (started_us + days(LENGTH, 20, 60)).max(ended_us).min(calling.end_us()),
                _ => calling.end_us(),
            };
            Campaign {
                id: entity.uuid(ID),
                status,
                created_us: started_us - days(PREPARATION, 1, 13),
                started_us,
                ended_us,
            }
        })
        .collect()
}

pub(super) fn write(population: &Population, tenant: &Tenant, writer: &mut Writer<'_>) -> ControlFlow<()> {
    for (ordinal, campaign) in (0..).zip(&tenant.campaigns) {
        let theme = population.words.campaign_theme(tenant.campaign_scope.entity(ordinal).draw(THEME));
        writer.row(Table::Campaign.width(), |fields| {
            fields.uuid(&campaign.id);
            fields.uuid(&tenant.id);
            fields.text_with(|out| {
                out.extend_from_slice(theme.as_bytes());
                out.extend_from_slice(format!(" {}", ordinal + 1).as_bytes());
            });
            fields.text(campaign.status.name());
            fields.time_or_null((campaign.status != Status::Draft).then_some(campaign.started_us));
            fields.time_or_null((campaign.status == Status::Completed).then_some(campaign.ended_us));
            fields.time(campaign.created_us);
        })?;
    }
    ControlFlow::Continue(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workspace_has_campaigns_of_every_status_in_the_order_of_their_start_and_end() {
        let weights = crate::profile::Time::default();
        let (start_us, end_us) = (1_700_000_000_000_000, 1_763_000_000_000_000);
        let calling = Timeline::new(start_us, end_us, 250, &weights, Scope::new(1, "days"));
        for customers in [1, 4_000, 50_000, 1_000_000] {
            let campaigns = schedule(Scope::new(1, "x"), customers, &calling);
            for status in [Status::Draft, Status::Active, Status::Paused, Status::Completed] {
                assert!(
                    campaigns.iter().any(|campaign| campaign.status == status),
                    "{status:?} of {customers}"
                );
            }
            assert!(campaigns.is_sorted_by_key(|campaign| campaign.started_us));
            assert!(campaigns.is_sorted_by_key(|campaign| campaign.ended_us));
            for campaign in &campaigns {
                assert!(campaign.created_us < campaign.started_us && campaign.started_us < campaign.ended_us);
                assert!(campaign.ended_us <= calling.end_us());
            }
        }
    }
}
