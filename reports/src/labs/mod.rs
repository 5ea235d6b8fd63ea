//! What the labs leave: each asks one question of the database that no load answers.

pub mod indexes;
