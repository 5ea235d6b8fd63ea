//! The server over HTTP, on a real PostgreSQL. `service` starts one, `world` puts rows into it; each other module holds
//! one part of the contract.

mod access;
mod agreement;
mod cache;
mod call_writes;
mod connections;
mod cors;
mod cursors;
mod customer_writes;
mod detail;
mod fields;
mod filters;
mod hostile;
mod isolation;
mod links;
mod metrics;
mod old_clients;
mod openapi;
mod operation;
mod page;
mod plans;
mod profiles;
mod requests;
mod scans;
mod service;
mod tenants;
mod validation;
mod work;
mod workspaces;
mod world;
mod writers;
