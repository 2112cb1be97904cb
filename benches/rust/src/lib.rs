//! What the programs here share: the fixture's facts, and the loop that measures a client.

pub mod drive;
pub mod fixture;
