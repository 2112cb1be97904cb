//! Whom the client trusts, and that nobody else hears a word.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bloomchats::{Client, Config, Error, ErrorKind};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use crate::child;
use crate::server::{ACCEPTED, config, converse, send};

/// A certificate authority and its own certificate in PEM form.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub pem: String,
}

impl Authority {
    pub fn new() -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate for `host`, with what is odd about it done by `spoil`.
    pub fn certify(&self, host: &str, spoil: impl FnOnce(&mut CertificateParams)) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        spoil(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.der().clone(), PrivateKeyDer::try_from(key.serialize_der()).unwrap())
    }
}

pub type Identity = (CertificateDer<'static>, PrivateKeyDer<'static>);

pub fn acceptor(identity: Identity, protocols: &[&str]) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let settings = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut settings = settings.with_no_client_auth().with_single_cert(vec![identity.0], identity.1).unwrap();
    settings.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(settings))
}

/// A TLS server; what it heard after a handshake arrives on the channel.
pub async fn serve(identity: Identity) -> (SocketAddr, UnboundedReceiver<String>) {
    let acceptor = acceptor(identity, &[]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (seen, requests) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, seen) = (acceptor.clone(), seen.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    let _ = seen.send(converse(stream, ACCEPTED.as_bytes()).await);
                }
            });
        }
    });
    (address, requests)
}

pub fn trusting(pem: &str, address: SocketAddr) -> Config {
    let mut config = config(format!("https://localhost:{}", address.port()));
    config.ca_certs = Some(pem.as_bytes().to_vec());
    config
}

/// Sends to a server that must not be trusted: nothing may have left, and the error knows it.
async fn refused(config: Config, mut heard: UnboundedReceiver<String>) -> Error {
    let mut call = send();
    call.options.max_retries = Some(1);
    let error = Client::open(config).unwrap().call(call).await.unwrap_err();
    assert_eq!((error.kind(), error.maybe_sent()), (ErrorKind::Connection, false), "{error}");
    let said = tokio::time::timeout(Duration::from_millis(50), heard.recv()).await;
    assert!(said.is_err() || said.as_ref().is_ok_and(|said| said.as_ref().is_none_or(String::is_empty)), "{said:?}");
    error
}

#[tokio::test]
async fn an_own_authority_is_trusted() {
    let authority = Authority::new();
    let (address, mut heard) = serve(authority.certify("localhost", |_| {})).await;
    let client = Client::open(trusting(&authority.pem, address)).unwrap();
    assert_eq!(client.call(send()).await.unwrap().status, 202);
    assert!(heard.recv().await.unwrap().starts_with("POST /v2/api/chats/%2B15551234567/messages HTTP/1.1\r\n"));
}

#[tokio::test]
async fn an_own_authority_replaces_every_other() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (address, heard) = serve(theirs.certify("localhost", |_| {})).await;
    refused(trusting(&ours.pem, address), heard).await;
}

#[tokio::test]
async fn self_signed_is_refused() {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let identity = (certificate.der().clone(), PrivateKeyDer::try_from(key.serialize_der()).unwrap());
    let (address, heard) = serve(identity).await;
    refused(trusting(&Authority::new().pem, address), heard).await;
}

#[tokio::test]
async fn another_host_is_refused() {
    let authority = Authority::new();
    let (address, heard) = serve(authority.certify("other.example", |_| {})).await;
    refused(trusting(&authority.pem, address), heard).await;
}

#[tokio::test]
async fn out_of_its_time_is_refused() {
    let authority = Authority::new();
    let expired = authority.certify("localhost", |params| params.not_after = date_time_ymd(2020, 1, 1));
    let (address, heard) = serve(expired).await;
    refused(trusting(&authority.pem, address), heard).await;
    let early = authority.certify("localhost", |params| params.not_before = date_time_ymd(4000, 1, 1));
    let (address, heard) = serve(early).await;
    refused(trusting(&authority.pem, address), heard).await;
}

#[tokio::test]
async fn a_body_cut_off_below_tls_is_no_body() {
    let authority = Authority::new();
    let acceptor = acceptor(authority.certify("localhost", |_| {}), &[]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = acceptor.accept(stream).await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        // Whoever sits between the two can end the connection here, but cannot say goodbye for the service.
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"message_id\":\"m1\"}").await;
        let _ = stream.flush().await;
    });
    let error = Client::open(trusting(&authority.pem, address)).unwrap().call(send()).await.unwrap_err();
    assert_eq!((error.kind(), error.status(), error.maybe_sent()), (ErrorKind::Connection, Some(200), true), "{error}");
}

/// What a peer says that knows nothing newer than TLS 1.1: a ServerHello of that version.
const SERVER_HELLO_1_1: [u8; 47] = {
    let mut hello = [0; 47];
    let head = [0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
    let mut at = 0;
    while at < head.len() {
        hello[at] = head[at];
        at += 1;
    }
    hello[44] = 0xc0; // after 32 bytes of random and an empty session id: ECDHE_RSA_WITH_AES_256_CBC_SHA
    hello[45] = 0x14;
    hello
};

#[tokio::test]
async fn a_peer_of_tls_1_1_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (seen, mut records) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(&SERVER_HELLO_1_1).await;
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            seen.send(rest).unwrap();
        }
    });
    let (_, silence) = unbounded_channel();
    let error = refused(trusting(&Authority::new().pem, address), silence).await;
    assert!(error.message().contains("peer is incompatible"), "{error}");
    let alert = records.recv().await.unwrap();
    assert_eq!((alert.first(), alert.last()), (Some(&0x15), Some(&70)), "the one thing it hears is protocol_version");
}

#[tokio::test]
async fn ssl_cert_file_replaces_the_roots() {
    if let Some(url) = child::told() {
        let trusts = std::env::var("EXPECT_TRUST").unwrap() == "yes";
        let result = Client::open(config(url)).unwrap().call(send()).await;
        assert_eq!(result.is_ok(), trusts, "{result:?}");
        assert!(result.is_ok_and(|answer| answer.status == 202) == trusts);
        return;
    }
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (address, _heard) = serve(ours.certify("localhost", |_| {})).await;
    let url = format!("https://localhost:{}", address.port());
    let folder = std::env::temp_dir();
    for (authority, trust) in [(&ours, "yes"), (&theirs, "no")] {
        let file = folder.join(format!("bloomchats-roots-{}-{trust}.pem", std::process::id()));
        std::fs::write(&file, &authority.pem).unwrap();
        let (path, url) = (file.to_string_lossy().into_owned(), url.clone());
        let environment = move || {
            let environment = [("SSL_CERT_FILE", path.as_str()), ("EXPECT_TRUST", trust)];
            child::run("tls::ssl_cert_file_replaces_the_roots", &url, &environment);
        };
        // The child's server is this process, which must not wait for it on the only thread.
        tokio::task::spawn_blocking(environment).await.unwrap();
        std::fs::remove_file(file).unwrap();
    }
}

#[tokio::test]
async fn roots_that_are_named_and_cannot_be_read_are_replaced_by_no_others() {
    if let Some(url) = child::told() {
        let result = Client::open(config(&url)).unwrap().call(send()).await;
        // Plain HTTP trusts nobody, and reads no roots.
        match result {
            Ok(answer) => assert_eq!((url.starts_with("http://"), answer.status), (true, 202)),
            Err(error) => {
                assert_eq!((error.kind(), error.maybe_sent()), (ErrorKind::Config, false), "{error}");
                assert!(url.starts_with("https://") && error.to_string().contains("SSL_CERT_"), "{error}");
            }
        }
        return;
    }
    let (address, _heard) = crate::server::serve(ACCEPTED).await;
    for scheme in ["http", "https"] {
        for variable in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
            let url = format!("{scheme}://{address}");
            let run = move || {
                let name = "tls::roots_that_are_named_and_cannot_be_read_are_replaced_by_no_others";
                child::run(name, &url, &[(variable, "/nowhere/roots")]);
            };
            tokio::task::spawn_blocking(run).await.unwrap();
        }
    }
}

#[test]
fn certificates_that_are_none_are_refused_when_a_client_is_opened() {
    let authority = Authority::new();
    let cut_short = authority.pem.lines().take(3).chain(["-----END CERTIFICATE-----"]).collect::<Vec<_>>().join("\n");
    for pem in ["", "no certificate", cut_short.as_str()] {
        let error = Client::open(trusting(pem, ([127, 0, 0, 1], 1).into())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{pem}");
    }
}
