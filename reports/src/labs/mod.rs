//! What the labs leave: each provokes one thing on purpose and tells how often it came.

pub mod locks;
