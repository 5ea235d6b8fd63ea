//! Labs: each provokes one thing on purpose, counts it from both sides, and has a control that shows that it could be seen.

pub mod locks;
