//! Servers that keep to the contract but for one thing: the reference server behind a proxy that changes requests on their
//! way there, or answers on their way back. Each is a [`Break`], in the file of the checks that it is made for.

mod calls;
mod compatibility;
mod cursors;
mod detail;
mod errors;
mod exchange;
mod filters;
mod links;
mod metadata;
mod methods;
mod pages;
mod proxy;
mod roles;
mod tenancy;
mod writes;

pub(crate) use self::exchange::{Answered, Asked, fields};
pub(crate) use self::proxy::Proxy;

/// The workspace that is examined.
pub(crate) const WORKSPACE: &str = "enterprise-workspace-1";

/// The token of a member of another workspace.
pub(crate) const STRANGER: &str = "stranger123";

/// The token of an employee of the workspace.
pub(crate) const EMPLOYEE: &str = "employee123";

/// What is different about a server.
#[derive(Clone, Copy)]
pub(crate) struct Break {
    pub(crate) name: &'static str,
    pub(crate) request: fn(&mut Asked),
    /// What becomes of the answer to a request, which is given as it came.
    pub(crate) answer: fn(&Asked, &mut Answered),
    /// The checks that find it, all those of their groups, in the order in which they are made.
    pub(crate) found_by: &'static [&'static str],
    /// The scenarios of the load generator that such a server can't be asked for.
    pub(crate) takes_away: &'static [&'static str],
}

impl Break {
    /// A server that is different in nothing.
    pub(crate) const NOTHING: Self =
        Self { name: "nothing", request: |_| (), answer: |_, _| (), found_by: &[], takes_away: &[] };
}

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = Break> {
    let files = [
        pages::BREAKS,
        cursors::BREAKS,
        links::BREAKS,
        compatibility::BREAKS,
        filters::BREAKS,
        errors::BREAKS,
        methods::BREAKS,
        detail::BREAKS,
        metadata::BREAKS,
        tenancy::BREAKS,
        roles::BREAKS,
        writes::BREAKS,
        calls::BREAKS,
    ];
    files.into_iter().flatten().copied()
}

/// The one of this name.
pub(crate) fn named(name: &str) -> Break {
    all().find(|broken| broken.name == name).expect("there is one")
}
