//! The same loop and facts as the workspace's clients have, and the same provider of TLS.

#[path = "../../rust/src/drive.rs"]
pub mod drive;
#[path = "../../rust/src/fixture.rs"]
pub mod fixture;

/// For clients that are opened from here on.
pub fn provide_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
