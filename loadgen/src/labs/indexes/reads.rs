//! What is read with and without an index, through a server.
//!
//! Requests follow each other on one connection, drawn from a seed, so that every look asks exactly the same. The first
//! pass makes plans and warms caches; the second one is counted by `pg_stat_statements` and timed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use reports::labs::indexes::Operation;
use reqwest::Client;
use serde_json::Value;

use super::Error;
use crate::engine::REQUEST_TIMEOUT;
use crate::operations::{self, Depths, Draw, FirstPage, PageAt, Prepared};
use crate::plan::Target;
use crate::probes::{self, StatementProbe};
use crate::profiling::{Asked, Inquiry, profile};
use crate::scenarios::{self, Scenario};
use crate::stats::median;
use crate::{described, labs};

/// The deep page that is read, where the workspace has so many.
pub const PAGE: u32 = 100;

/// Requests of one look at one read.
const REQUESTS: u64 = 18;

/// Requests whose plans are looked at.
const EXPLAINED: u32 = 6;

/// Seed of what is drawn.
const SEED: u64 = 1;
