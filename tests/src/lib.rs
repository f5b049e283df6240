//! What the tests of the whole share.

pub mod chaos;
pub mod conformance;
pub mod ear;
pub mod fuzz;
pub mod repository;
pub mod shared;
pub mod simulation;
pub mod stepped;
pub mod world;
