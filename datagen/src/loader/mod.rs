//! Brings the rows into `PostgreSQL`.
//!
//! Everything that slows a COPY down is set aside first ([`set_aside`]), rows are encoded and sent by several
//! connections ([`mod@copy`]), and then the indexes are built again, several at once ([`rebuild`]).

pub(crate) mod copy;
pub(crate) mod rebuild;
pub(crate) mod session;
pub(crate) mod set_aside;
