//! HTTPS with a certificate authority of the sandbox's own, made anew at every start.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// The CA's certificate as a PEM file, for clients to trust; it goes when this does.
#[derive(Debug)]
pub(crate) struct Authority {
    path: PathBuf,
}

impl Authority {
    /// An acceptor for this machine's names and `address`, and the CA to trust, written into `directory`.
    pub(crate) fn create(directory: &Path, address: IpAddr, port: u16) -> io::Result<(TlsAcceptor, Authority)> {
        let mut params = CertificateParams::new(Vec::new()).map_err(io::Error::other)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "BloomChats sandbox CA");
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().map_err(io::Error::other)?);
        let ca = ca.map_err(io::Error::other)?;

        let names = ["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned(), address.to_string()];
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
        params.distinguished_name.push(DnType::CommonName, "BloomChats sandbox");
        let certificate = params.signed_by(&key, &ca).map_err(io::Error::other)?;

        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            )
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let path = directory.join(format!("bloomchats-sandbox-{}-{port}-ca.pem", std::process::id()));
        std::fs::write(&path, ca.pem())?;
        Ok((TlsAcceptor::from(Arc::new(config)), Authority { path }))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
