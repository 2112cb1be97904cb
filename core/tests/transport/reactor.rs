//! Calls that a host drives itself, on a thread or an event loop of its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use bloomchats::{Client, ErrorKind, Reactor};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Runtime;

use crate::server::{self, ACCEPTED, plain, send};
use crate::tls::{self, Authority};

/// Makes connections for the reactors of all tests.
fn background() -> tokio::runtime::Handle {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let build = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    RUNTIME.get_or_init(build).handle().clone()
}

fn reactor() -> Reactor {
    Reactor::new(background()).unwrap()
}

/// Answers every request of every connection after `delay`, and counts connections. Says on the channel when one ends.
fn answering(delay: Duration) -> (SocketAddr, Arc<AtomicUsize>, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let made = Arc::<AtomicUsize>::default();
    let counted = made.clone();
    let (ended, ends) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
            let ended = ended.clone();
            thread::spawn(move || {
                converse(stream.unwrap(), delay);
                let _ = ended.send(());
            });
        }
    });
    (address, made, ends)
}

fn converse(mut stream: TcpStream, delay: Duration) {
    let mut heard = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut piece) {
        heard.extend_from_slice(&piece[..length]);
        if heard.ends_with(b"{\"text\":\"Hello\"}") {
            heard.clear();
            thread::sleep(delay);
            let answer = "HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: 19\r\n\r\n\
                          {\"message_id\":\"m1\"}";
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }
}

/// What an event loop does: turns whenever the descriptor is readable, and has a look at other things now and then.
fn turn_until(reactor: &Reactor, done: impl Fn() -> bool) {
    let host = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let turning = async {
        // SAFETY: the reactor, which is borrowed for longer, keeps its descriptor.
        #[allow(unsafe_code)]
        let watched = unsafe { AsyncFd::register_with_interest(reactor.fd(), Interest::READABLE) }.unwrap();
        while !done() {
            if let Ok(readable) = tokio::time::timeout(Duration::from_millis(10), watched.readable()).await {
                readable.unwrap().clear_ready();
                reactor.turn(|| true).unwrap();
            }
        }
    };
    let within = async { tokio::time::timeout(Duration::from_secs(20), turning).await };
    host.block_on(within).expect("nothing came of it");
}

#[test]
fn a_thread_of_its_own_makes_calls_on_one_connection() {
    let (address, made, _ends) = answering(Duration::ZERO);
    let (client, reactor) = (plain(address), reactor());
    for _ in 0..10 {
        assert_eq!(reactor.block_on(client.call(send())).unwrap().unwrap().status, 202);
    }
    assert_eq!(made.load(Ordering::SeqCst), 1);
}

#[test]
fn connections_follow_the_calls_wherever_they_are_made() {
    let (address, made, _ends) = answering(Duration::ZERO);
    let (client, one, other) = (plain(address), reactor(), reactor());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for _ in 0..3 {
        one.block_on(client.call(send())).unwrap().unwrap();
        runtime.block_on(client.call(send())).unwrap();
        other.block_on(client.call(send())).unwrap().unwrap();
        background().block_on(client.call(send())).unwrap();
    }
    // Not even the end of a runtime takes one away.
    drop(runtime);
    drop(one);
    other.block_on(client.call(send())).unwrap().unwrap();
    assert_eq!(made.load(Ordering::SeqCst), 1);
}

#[test]
fn a_loop_that_watches_the_descriptor_gets_every_answer() {
    let (address, made, _ends) = answering(Duration::from_millis(1));
    let (client, reactor) = (plain(address), reactor());
    let done = Arc::<AtomicUsize>::default();
    let mut tasks = Vec::new();
    for _ in 0..50 {
        let (run, done) = (client.call(send()), done.clone());
        tasks.push(reactor.spawn(async move {
            run.await.unwrap();
            done.fetch_add(1, Ordering::SeqCst);
        }));
    }
    turn_until(&reactor, || done.load(Ordering::SeqCst) == 50);
    assert!(made.load(Ordering::SeqCst) <= 50);
}

#[test]
fn a_call_alone_leaves_at_once_and_one_in_company_at_the_next_turn() {
    let (address, _made, ends) = answering(Duration::from_millis(50));
    let (client, reactor) = (plain(address), reactor());
    let done = Arc::<AtomicUsize>::default();
    let start = || {
        let (run, done) = (client.call(send()), done.clone());
        reactor.spawn(async move {
            run.await.unwrap();
            done.fetch_add(1, Ordering::SeqCst);
        })
    };
    let connecting = [start(), start(), start()];
    turn_until(&reactor, || done.load(Ordering::SeqCst) == 3);
    drop(connecting);

    let [first, second, third] = [start(), start(), start()];
    drop(second);
    turn_until(&reactor, || done.load(Ordering::SeqCst) == 5);
    let ended = ends.recv_timeout(Duration::from_millis(200));
    assert!(ended.is_err(), "what was let go before the turn had left, as its connection was closed");
    drop((first, third));

    drop(start());
    ends.recv_timeout(Duration::from_secs(20))
        .expect("it had left without a turn, so that letting go closes its connection");
}

#[test]
fn a_call_in_company_gets_its_answer_on_a_thread_of_a_runtime_that_it_blocks() {
    let (address, _made, _ends) = answering(Duration::ZERO);
    let (client, idle, blocking) = (plain(address), reactor(), reactor());
    let company = client.call(send());
    let company = idle.spawn(async move { drop(company.await) });
    let (told, status) = channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(async { blocking.block_on(client.call(send())) });
        told.send(answer.unwrap().unwrap().status).unwrap();
    });
    assert_eq!(status.recv_timeout(Duration::from_secs(20)).expect("it hangs"), 202);
    drop(company);
}

#[test]
fn a_loop_that_sleeps_is_woken_for_a_timeout() {
    let (address, _made, _ends) = answering(Duration::from_secs(60));
    let (client, reactor) = (plain(address), reactor());
    let (told, kinds) = channel();
    let mut call = send();
    call.options.timeout = Some(Duration::from_millis(150));
    let run = client.call(call);
    let begun = Instant::now();
    let task = reactor.spawn(async move { told.send(run.await.unwrap_err().kind()).unwrap() });
    let kind = std::cell::Cell::new(None);
    turn_until(&reactor, || {
        kind.set(kind.get().or(kinds.try_recv().ok()));
        kind.get().is_some()
    });
    assert_eq!(kind.get(), Some(ErrorKind::Timeout));
    assert!(begun.elapsed() >= Duration::from_millis(150));
    drop(task);
}

#[test]
fn a_thread_that_waits_is_woken_for_a_timeout() {
    let (address, _made, _ends) = answering(Duration::from_secs(60));
    let (client, reactor) = (plain(address), reactor());
    let mut call = send();
    call.options.timeout = Some(Duration::from_millis(100));
    let error = reactor.block_on(client.call(call)).unwrap().unwrap_err();
    assert!(error.kind() == ErrorKind::Timeout && error.maybe_sent());
}

#[test]
fn a_thread_looks_up_when_it_is_to_though_its_timers_are_far() {
    let (address, _made, _ends) = answering(Duration::ZERO);
    let (client, reactor) = (plain(address), reactor());
    // Its deadline is the next thing that the background would ring for.
    reactor.block_on(client.call(send())).unwrap().unwrap();
    let mut never = std::pin::pin!(std::future::pending::<()>());
    let begun = Instant::now();
    for _ in 0..3 {
        assert!(reactor.block_on_for(never.as_mut(), Duration::from_millis(30)).unwrap().is_none());
    }
    assert!((Duration::from_millis(90)..Duration::from_secs(5)).contains(&begun.elapsed()));
}

#[test]
fn a_cancelled_task_has_closed_its_socket() {
    let (address, made, ends) = answering(Duration::from_secs(1));
    let (client, reactor) = (plain(address), reactor());
    let (progress, run) = client.start(send());
    let task = reactor.spawn(async move { drop(run.await) });
    turn_until(&reactor, || made.load(Ordering::SeqCst) == 1);
    task.cancel();
    // The server hears of it from the socket alone.
    ends.recv_timeout(Duration::from_secs(20)).unwrap();
    assert!(progress.maybe_sent() && progress.attempts() == 1);
}

#[test]
fn a_task_that_panics_takes_no_other_with_it() {
    let reactor = reactor();
    let (go, waits) = tokio::sync::watch::channel(());
    let done = Arc::<AtomicUsize>::default();
    let tasks: Vec<_> = (0..3)
        .map(|place| {
            let (mut waits, done) = (waits.clone(), done.clone());
            reactor.spawn(async move {
                waits.changed().await.unwrap();
                assert_ne!(place, 0, "on purpose");
                done.fetch_add(1, Ordering::SeqCst);
            })
        })
        .collect();
    go.send(()).unwrap();
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| reactor.turn(|| true))).is_err());
    turn_until(&reactor, || done.load(Ordering::SeqCst) == 2);
    drop(tasks);
}

#[test]
fn a_turn_ends_where_the_host_has_no_more_room_and_the_next_goes_on() {
    let reactor = reactor();
    let (go, waits) = tokio::sync::watch::channel(());
    let done = Arc::<AtomicUsize>::default();
    let begin = || {
        let (mut waits, done) = (waits.clone(), done.clone());
        reactor.spawn(async move {
            waits.changed().await.unwrap();
            done.fetch_add(1, Ordering::SeqCst);
        })
    };
    let tasks: Vec<_> = (0..3).map(|_| begin()).collect();
    go.send(()).unwrap();
    reactor.turn(|| done.load(Ordering::SeqCst) < 1).unwrap();
    assert_eq!(done.load(Ordering::SeqCst), 1);

    let (began, begun) = channel();
    let late = reactor.spawn(async move { began.send(()).unwrap() });
    assert!(begun.try_recv().is_ok(), "what begins does not wait for those whose turn is yet to come");
    assert_eq!(done.load(Ordering::SeqCst), 1, "nor gives them one");

    turn_until(&reactor, || done.load(Ordering::SeqCst) == 3);
    drop((tasks, late));
}

#[test]
fn a_connection_that_the_server_has_closed_is_not_used_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = plain(listener.local_addr().unwrap());
    let (closed, closes) = channel();
    let serving = thread::spawn(move || {
        for stream in listener.incoming().take(3) {
            let mut stream = stream.unwrap();
            let mut heard = Vec::new();
            let mut piece = [0; 4096];
            while !heard.ends_with(b"{\"text\":\"Hello\"}") {
                let length = stream.read(&mut piece).unwrap();
                heard.extend_from_slice(&piece[..length]);
            }
            // It promises to keep the connection, and does not.
            let head = "HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: 19\r\n\r\n";
            stream.write_all(format!("{head}{{\"message_id\":\"m1\"}}").as_bytes()).unwrap();
            drop(stream);
            closed.send(()).unwrap();
        }
    });
    let reactor = reactor();
    for _ in 0..3 {
        // No retry is left that could hide a send on a dead connection.
        reactor.block_on(client.call(send())).unwrap().unwrap();
        closes.recv().unwrap();
    }
    serving.join().unwrap();
}

/// A TLS 1.3 server that speaks HTTP/1.1. It hands out session tickets before it has heard a request.
fn encrypted() -> Client {
    let authority = Authority::new();
    let acceptor = tls::acceptor(authority.certify("localhost", |_| {}), &["http/1.1"]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    background().spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    server::converse(stream, ACCEPTED.as_bytes()).await;
                }
            });
        }
    });
    Client::open(tls::trusting(&authority.pem, address)).unwrap()
}

#[test]
fn what_tls_says_first_is_no_reason_to_leave_a_new_connection() {
    let (client, reactor) = (encrypted(), reactor());
    // Each of them on a connection of its own, and without a retry.
    for _ in 0..20 {
        reactor.block_on(client.call(send())).unwrap().unwrap();
    }
    let (told, results) = channel();
    let run = client.call(send());
    let _task = reactor.spawn(async move { told.send(run.await).unwrap() });
    let begun = Instant::now();
    let result = loop {
        // A host that is busy with something else most of the time.
        thread::sleep(Duration::from_millis(20));
        reactor.turn(|| true).unwrap();
        if let Ok(result) = results.try_recv() {
            break result;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "nothing came of it");
    };
    assert_eq!(result.unwrap().status, 202);
}
