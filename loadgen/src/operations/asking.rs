//! Operations whose requests are drawn for somebody: a tenant by its weight, then what they ask for.

use std::fmt;
use std::sync::Arc;

use reqwest::{Client, Request};

use super::exchange::{Fault, Reply};
use super::tenant::Tenant;
use super::{Draw, Operation, Prepared, Promise, Turns};
use crate::plan::Target;

/// What somebody asks for. Its value remembers what the check of the reply needs.
pub(super) trait Ask: Clone + fmt::Debug + Send + Sync + 'static {
    /// The next request.
    fn request(&mut self, tenant: &Tenant, draw: &mut Draw) -> Request;

    /// Holds the reply against what was asked.
    fn check(&mut self, tenant: &Tenant, reply: &Reply) -> Result<(), Fault>;
}

/// An operation of that kind.
#[derive(Debug, Clone)]
pub(super) struct Asking<A> {
    name: &'static str,
    writes: bool,
    ask: A,
}

impl<A: Ask> Asking<A> {
    /// An operation that only reads.
    pub(super) fn reading(name: &'static str, ask: A) -> Self {
        Self { name, writes: false, ask }
    }

    /// An operation that changes rows.
    pub(super) fn writing(name: &'static str, ask: A) -> Self {
        Self { name, writes: true, ask }
    }
}

impl<A: Ask> Operation for Asking<A> {
    fn name(&self) -> &str {
        self.name
    }

    fn writes(&self) -> bool {
        self.writes
    }

    fn prepare<'a>(&'a self, client: &'a Client, target: &'a Target) -> Promise<'a, Arc<dyn Prepared>> {
        Box::pin(async move {
            let crowd = Arc::new(Crowd::meet(client, target).await?);
            let prepared: Arc<dyn Prepared> = Arc::new(Asked { crowd, ask: self.ask.clone() });
            Ok(prepared)
        })
    }
}

/// Everybody who asks, and how often.
#[derive(Debug)]
pub(super) struct Crowd {
    tenants: Vec<Tenant>,
    weights: Vec<f64>,
}

impl Crowd {
    /// Gets to know everybody.
    pub(super) async fn meet(client: &Client, target: &Target) -> Result<Self, crate::Error> {
        let (mut tenants, mut weights) = (Vec::new(), Vec::new());
        for identity in target.identities() {
            tenants.push(Tenant::meet(client, target, &identity).await?);
            weights.push(identity.weight);
        }
        Ok(Self { tenants, weights })
    }

    /// The place of somebody.
    pub(super) fn draw(&self, draw: &mut Draw) -> usize {
        if self.tenants.len() > 1 { draw.weighted(&self.weights) } else { 0 }
    }

    /// Who is at this place.
    pub(super) fn tenant(&self, place: usize) -> &Tenant {
        &self.tenants[place]
    }

    /// All of them, with their share of the requests.
    pub(super) fn shares(&self) -> impl Iterator<Item = (&Tenant, f64)> {
        let whole: f64 = self.weights.iter().sum();
        self.tenants.iter().zip(&self.weights).map(move |(tenant, weight)| (tenant, weight / whole))
    }
}

#[derive(Debug)]
struct Asked<A> {
    crowd: Arc<Crowd>,
    ask: A,
}

impl<A: Ask> Prepared for Asked<A> {
    fn turns(&self) -> Box<dyn Turns> {
        Box::new(Asker { crowd: Arc::clone(&self.crowd), place: 0, ask: self.ask.clone() })
    }
}

struct Asker<A> {
    crowd: Arc<Crowd>,
    /// Of who asked last.
    place: usize,
    ask: A,
}

impl<A: Ask> Turns for Asker<A> {
    fn request(&mut self, draw: &mut Draw) -> Request {
        self.place = self.crowd.draw(draw);
        self.ask.request(self.crowd.tenant(self.place), draw)
    }

    fn check(&mut self, reply: &Reply) -> Result<(), Fault> {
        self.ask.check(self.crowd.tenant(self.place), reply)
    }
}
