//! Brings the rows into `PostgreSQL`.
//!
//! Everything that slows a COPY down is set aside first ([`set_aside`]). Then any number of connections take one task
//! after the other ([`workers`]) from the order of work ([`schedule`]): rows are encoded and sent ([`mod@copy`]), indexes
//! are built again, keys put back, tables vacuumed ([`rebuild`]).

pub(crate) mod copy;
pub(crate) mod rebuild;
pub(crate) mod schedule;
pub(crate) mod session;
pub(crate) mod set_aside;
pub(crate) mod workers;
