//! The same loop and facts as the workspace's clients have.

#[path = "../../rust/src/drive.rs"]
pub mod drive;
#[path = "../../rust/src/fixture.rs"]
pub mod fixture;
