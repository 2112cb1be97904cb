//! Whom a client trusts.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::config::Config;
use crate::error::{Error, Result};

/// TLS 1.2 or newer with the system's roots, or with `ca_certs` in their place.
pub(super) fn client_config(config: &Config) -> Result<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    match &config.ca_certs {
        Some(pem) => roots.add_parsable_certificates(parse_roots(pem)?),
        None => roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs),
    };
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| Error::config("TLS cannot be set up"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(tls)
}

/// Certificates in PEM form.
pub(super) fn parse_roots(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let refuse = || Error::config("ca_certs: holds no certificate in PEM form");
    let certs: Vec<_> =
        CertificateDer::pem_slice_iter(pem).collect::<std::result::Result<_, _>>().map_err(|_| refuse())?;
    if certs.is_empty() { Err(refuse()) } else { Ok(certs) }
}
