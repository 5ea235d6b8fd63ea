//! Many measurements of the same thing: how far a rate can go, and how a time grows with the page or the dataset.

mod capacity;
mod customers;
mod depth;
mod points;

pub use capacity::{Found, Progress, Search, Seeking, Sought, Trial, capacity};
pub use customers::customers;
pub use depth::{depth_plan, depth_series};
pub use points::Points;
