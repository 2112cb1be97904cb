//! Proxies: what they are told, and what they are not.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use bloomchats::{Client, Config, ErrorKind};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::server::{ACCEPTED, call, config, send, serve};
use crate::tls::{self, Authority, trusting};
use crate::{child, http2};

/// A proxy that makes every tunnel it is asked for, or refuses it with `refusal`. The heads it reads arrive on the channel.
async fn tunnels(refusal: Option<&'static str>) -> (SocketAddr, UnboundedReceiver<String>) {
    tunnels_to(None, refusal).await
}

/// The same, with every tunnel leading to `target`.
async fn tunnels_to(
    target: Option<SocketAddr>,
    refusal: Option<&'static str>,
) -> (SocketAddr, UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (seen, heads) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let seen = seen.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(client.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                let asked_for = head.split_whitespace().nth(1).unwrap().to_owned();
                let to = target.map_or(asked_for, |target| target.to_string());
                seen.send(head).unwrap();
                if let Some(refusal) = refusal {
                    return client.write_all(refusal.as_bytes()).await.unwrap();
                }
                let mut service = TcpStream::connect(to).await.unwrap();
                client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                let _ = copy_bidirectional(&mut client, &mut service).await;
            });
        }
    });
    (address, heads)
}

fn through(mut config: Config, proxy: SocketAddr) -> Config {
    config.proxy = Some(format!("http://ada:s3cret@{proxy}"));
    config.max_retries = 0;
    config
}

#[tokio::test]
async fn a_tunnel_leads_to_the_service_and_hears_nothing() {
    let authority = Authority::new();
    let (service, mut requests) = tls::serve(authority.certify("localhost", |_| {})).await;
    let (proxy, mut heads) = tunnels(None).await;
    let client = Client::open(through(trusting(&authority.pem, service), proxy)).unwrap();
    assert_eq!(client.call(send()).await.unwrap().status, 202);
    let head = heads.recv().await.unwrap().to_ascii_lowercase();
    assert!(head.starts_with(&format!("connect localhost:{} http/1.1\r\n", service.port())), "{head}");
    assert!(head.contains("proxy-authorization: basic ywrhonmzy3jlda==\r\n"), "{head}");
    assert!(!head.contains("bl_test_key") && !head.contains("chats"), "{head}");
    let request = requests.recv().await.unwrap().to_ascii_lowercase();
    assert!(request.starts_with("post /v2/api/chats/"), "{request}");
    assert!(!request.contains("proxy-authorization"), "{request}");
}

/// v2 and v4 have origins of their own: what a certificate says of one is nothing that the other may be told a key for.
#[tokio::test]
async fn a_connection_to_one_origin_carries_nothing_to_another() {
    let (authority, service, mut requests, made) = http2::counted(&[], "backend.blooio.com").await;
    let (proxy, mut heads) = tunnels_to(Some(service), None).await;
    let mut config = through(Config::blooio().with_api_key("bl_test_key"), proxy);
    config.ca_certs = Some(authority.pem.into_bytes());
    let client = Client::open(config).unwrap();
    client.call(send()).await.unwrap();
    let error = client.call(call("blooio.v4.messages.send", json!({"to": "+15551234567", "text": "Hello"}))).await;
    let error = error.unwrap_err();
    assert_eq!((error.kind(), error.maybe_sent()), (ErrorKind::Connection, false), "{error}");
    client.call(send()).await.unwrap();
    for origin in ["backend.blooio.com", "api.blooio.com"] {
        assert!(heads.recv().await.unwrap().starts_with(&format!("CONNECT {origin}:443 ")));
    }
    assert_eq!(std::iter::from_fn(|| requests.try_recv().ok()).count(), 2);
    assert_eq!(made.load(Ordering::SeqCst), 2, "each origin keeps its connection");
}

#[tokio::test]
async fn a_tunnel_that_is_refused_is_no_connection() {
    for refusal in ["HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "HTTP/1.1 502 Bad Gateway\r\n\r\n", ""] {
        let (proxy, _heads) = tunnels(Some(refusal)).await;
        let client = Client::open(through(config("https://localhost:1"), proxy)).unwrap();
        let error = client.call(send()).await.unwrap_err();
        assert_eq!((error.kind(), error.maybe_sent()), (ErrorKind::Connection, false), "{refusal}: {error}");
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("no connection to the service: at the proxy: "), "{shown}");
        assert!(!shown.contains("s3cret") && !shown.contains("czNjcmV0"), "{shown}");
    }
}

#[tokio::test]
async fn plain_requests_are_forwarded() {
    let (proxy, mut requests) = serve(ACCEPTED).await;
    let client = Client::open(through(config("http://localhost:1"), proxy)).unwrap();
    assert_eq!(client.call(send()).await.unwrap().status, 202);
    let request = requests.recv().await.unwrap();
    assert!(
        request.starts_with("POST http://localhost:1/v2/api/chats/%2B15551234567/messages HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(request.to_ascii_lowercase().contains("proxy-authorization: basic "), "{request}");
}

#[tokio::test]
async fn requests_name_the_origin_they_go_to() {
    let (peer, mut requests) = serve(ACCEPTED).await;
    let direct = (config(format!("http://{peer}")), peer.to_string());
    let forwarded =
        ["localhost:1", "localhost"].map(|name| (through(config(format!("http://{name}")), peer), name.into()));
    for (config, name) in [direct].into_iter().chain(forwarded) {
        let client = Client::open(config).unwrap();
        for _ in 0..2 {
            client.call(send()).await.unwrap();
            let request = requests.recv().await.unwrap();
            let hosts: Vec<_> = request.lines().filter_map(|line| line.strip_prefix("host: ")).collect();
            assert_eq!(hosts, [&name], "{request}");
        }
    }
}

#[tokio::test]
async fn a_proxy_is_never_passed_by_for_how_its_url_is_written() {
    let (proxy, mut requests) = serve(ACCEPTED).await;
    let (service, mut passed_by) = serve(ACCEPTED).await;
    let forms =
        [format!("http://us er:p@ss|w[rd@{proxy}/"), format!(" HTTP:{proxy}\n"), format!("http://{proxy}/path?q#f")];
    for form in forms {
        let mut config = config(format!("http://{service}"));
        config.proxy = Some(form.clone());
        assert_eq!(Client::open(config).unwrap().call(send()).await.unwrap().status, 202, "{form:?}");
        let request = tokio::select! {
            request = requests.recv() => request.unwrap(),
            _ = passed_by.recv() => panic!("{form:?}: the proxy heard nothing"),
        };
        // us er:p@ss|w[rd
        let password = request.contains("proxy-authorization: Basic dXMgZXI6cEBzc3x3W3Jk\r\n");
        assert_eq!(password, form.contains('@'), "{request}");
    }
}

#[tokio::test]
async fn the_environments_proxy_is_asked_for_https() {
    if let Some(told) = child::told() {
        let (pem, url) = told.split_once('|').unwrap();
        let mut config = config(url);
        config.ca_certs = Some(pem.as_bytes().to_vec());
        assert_eq!(Client::open(config).unwrap().call(send()).await.unwrap().status, 202);
        return;
    }
    let authority = Authority::new();
    let (service, _requests) = tls::serve(authority.certify("localhost", |_| {})).await;
    let (proxy, mut heads) = tunnels(None).await;
    let told = format!("{}|https://localhost:{}", authority.pem, service.port());
    let run = move || {
        let name = "proxy::the_environments_proxy_is_asked_for_https";
        child::run(name, &told, &[("HTTPS_PROXY", &format!("http://{proxy}"))]);
    };
    tokio::task::spawn_blocking(run).await.unwrap();
    assert!(heads.recv().await.unwrap().starts_with("CONNECT localhost:"));
}

#[test]
fn a_proxy_that_cannot_be_one_is_refused() {
    for proxy in ["proxy.example.com", "socks5://127.0.0.1:1", "http://", "file:///proxy", "http://pro`xy:1"] {
        let mut config = config("https://localhost:1");
        config.proxy = Some(proxy.into());
        assert_eq!(Client::open(config).unwrap_err().kind(), ErrorKind::Config, "{proxy}");
    }
}

/// What the environment names may be written as other programs take it: without a scheme, or with a password that a URL has to encode.
#[tokio::test]
async fn the_environments_proxy_is_never_passed_by_for_how_it_is_written() {
    const NAME: &str = "proxy::the_environments_proxy_is_never_passed_by_for_how_it_is_written";
    if let Some(told) = child::told() {
        let (pem, url) = told.split_once('|').unwrap();
        let mut config = config(url);
        config.ca_certs = Some(pem.as_bytes().to_vec());
        assert_eq!(Client::open(config).unwrap().call(send()).await.unwrap().status, 202);
        return;
    }
    let authority = Authority::new();
    let (service, _requests) = tls::serve(authority.certify("localhost", |_| {})).await;
    let (proxy, mut heads) = tunnels(None).await;
    let told = format!("{}|https://localhost:{}", authority.pem, service.port());
    let good = format!("http://{proxy}");
    for environment in [
        vec![("https_proxy", proxy.to_string())],
        vec![("HTTPS_PROXY", format!(" http://us er:p@ss|w[rd@{proxy}/\n"))],
        // The variable for https goes before the one for everything, also where that is of no use; an empty one names none.
        vec![("HTTPS_PROXY", good.clone()), ("ALL_PROXY", "socks5://127.0.0.1:1".into())],
        vec![("HTTPS_PROXY", String::new()), ("all_proxy", good.clone())],
        // Those that are spared are others; a server that runs programs for its visitors has no say in this one.
        vec![("HTTPS_PROXY", good.clone()), ("NO_PROXY", "host,127.0.0.1".into())],
        vec![("HTTPS_PROXY", good.clone()), ("REQUEST_METHOD", "GET".into())],
    ] {
        let (told, shown) = (told.clone(), format!("{environment:?}"));
        let run = move || {
            let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
            child::run(NAME, &told, &environment);
        };
        tokio::task::spawn_blocking(run).await.unwrap();
        assert!(heads.try_recv().is_ok_and(|head| head.starts_with("CONNECT localhost:")), "{shown}");
    }
}

#[test]
fn an_environments_proxy_that_cannot_be_one_is_refused_where_it_would_be_used() {
    const NAME: &str = "proxy::an_environments_proxy_that_cannot_be_one_is_refused_where_it_would_be_used";
    const BAD: &str = "socks5://ada:s3cret@127.0.0.1:1";
    if let Some(told) = child::told() {
        let (base_url, named) = told.split_once('|').unwrap();
        let mut config = Config::blooio().with_api_key("bl_test_key");
        config.base_url = Some(base_url.to_owned()).filter(|url| !url.is_empty());
        match Client::open(config.clone()) {
            Ok(_) => assert_eq!(named, ""),
            Err(error) => {
                let said = error.to_string();
                assert!(error.kind() == ErrorKind::Config && !named.is_empty() && said.contains(named), "{said}");
                assert!(["SOCKS", "unset", "NO_PROXY", "`proxy`"].iter().all(|word| said.contains(word)), "{said}");
                assert!(!format!("{said} {error:?}").contains("s3cret"), "{said}");
            }
        }
        // Who names a proxy, or none, is not asked about the environment's.
        for proxy in ["", "http://127.0.0.1:1"] {
            config.proxy = Some(proxy.into());
            Client::open(config.clone()).unwrap();
        }
        return;
    }
    for (base_url, environment, named) in [
        ("", &[("HTTPS_PROXY", BAD)][..], "HTTPS_PROXY"),
        ("", &[("https_proxy", "http://")], "https_proxy"),
        ("", &[("HTTPS_PROXY", "ftp://s3cret"), ("ALL_PROXY", "http://127.0.0.1:1")], "HTTPS_PROXY"),
        ("", &[("ALL_PROXY", BAD)], "ALL_PROXY"),
        ("https://example.com", &[("all_proxy", "http://s3cret`:1"), ("NO_PROXY", "example.org")], "all_proxy"),
        // v2 and v4 have origins of their own: one that is not spared is enough.
        ("", &[("HTTPS_PROXY", BAD), ("NO_PROXY", "api.blooio.com")], "HTTPS_PROXY"),
        ("", &[("HTTPS_PROXY", BAD), ("no_proxy", "api.blooio.com, backend.blooio.com")], ""),
        ("", &[("ALL_PROXY", BAD), ("NO_PROXY", ".blooio.com")], ""),
        ("https://example.com", &[("ALL_PROXY", BAD), ("NO_PROXY", "*")], ""),
        ("https://10.1.2.3", &[("ALL_PROXY", BAD), ("NO_PROXY", "10.0.0.0/8")], ""),
        ("http://localhost:1", &[("HTTPS_PROXY", BAD), ("HTTP_PROXY", BAD), ("ALL_PROXY", BAD)], ""),
        ("", &[("HTTP_PROXY", BAD)], ""),
        ("", &[("HTTPS_PROXY", ""), ("ALL_PROXY", "")], ""),
    ] {
        child::run(NAME, &format!("{base_url}|{named}"), environment);
    }
}
