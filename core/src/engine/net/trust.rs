//! Whom a client trusts.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::{CryptoProvider, KeyProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::SigningKey;

use crate::config::Config;
use crate::error::{Error, Result};

/// Variables that name trust roots; `rustls_native_certs` reads them.
const NAMING_ROOTS: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// TLS 1.2 or newer.
pub(super) fn client_config(roots: RootCertStore) -> Result<rustls::ClientConfig> {
    let provider = CryptoProvider { key_provider: &NoKeys, ..ring::default_provider() };
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(|_| Error::config("TLS cannot be set up"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(tls)
}

/// No client shows a certificate. Where the linker sees through rustls' own provider, what reads private keys and signs stays out of a
/// program.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> std::result::Result<Arc<dyn SigningKey>, rustls::Error> {
        Err(rustls::Error::General("no client here shows a certificate".into()))
    }
}

/// The roots that `ca_certs` or the environment names, else the system's, else Mozilla's. Whoever names roots gets no others, even where
/// none of those can be read.
pub(super) fn roots(config: &Config) -> Result<RootCertStore> {
    if let Some(pem) = &config.ca_certs {
        return parse_roots(pem);
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if let Some(name) = NAMING_ROOTS.into_iter().find(is_set) {
            return Err(Error::config(format!("{name}: no certificate can be read from where it points")));
        }
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    Ok(roots)
}

/// Certificates in PEM form.
pub(super) fn parse_roots(pem: &[u8]) -> Result<RootCertStore> {
    let refuse = || Error::config("ca_certs: holds no certificate in PEM form");
    let certs: Vec<_> =
        CertificateDer::pem_slice_iter(pem).collect::<std::result::Result<_, _>>().map_err(|_| refuse())?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certs);
    if roots.is_empty() { Err(refuse()) } else { Ok(roots) }
}
