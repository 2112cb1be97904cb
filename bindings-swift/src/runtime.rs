//! What drives calls: the thread that makes one takes it as far as it goes without waiting, and a thread of ours takes it on from there.
//!
//! So a request is written where it is made, and the only thread that has to be woken for a call is woken by the answer.

use std::io;
use std::sync::{Arc, Mutex};
use std::thread;

use bloomchats::{Reactor, Task};
use tokio::runtime::Builder;

use crate::call::Running;
use crate::lock;

/// Begins a call here, on the process's reactor, whose threads the first call starts. They are never stopped: a process ends without
/// waiting for them.
pub fn drive(call: Running) -> io::Result<Task> {
    Ok(reactor()?.spawn(call))
}

fn reactor() -> io::Result<Arc<Reactor>> {
    static REACTOR: Mutex<Option<Arc<Reactor>>> = Mutex::new(None);
    let mut slot = lock(&REACTOR);
    if let Some(reactor) = &*slot {
        return Ok(reactor.clone());
    }
    // It only makes connections. The scheduler for many threads would make the library 40 KB larger; the blocking threads resolve names.
    let runtime =
        Builder::new_current_thread().max_blocking_threads(8).thread_name("bloomchats").enable_all().build()?;
    let reactor = Arc::new(Reactor::new(runtime.handle().clone())?);
    start("bloomchats-connect", move || runtime.block_on(std::future::pending::<()>()))?;
    let served = reactor.clone();
    // It ends only where the system can say no more of any socket, and then no call can.
    start("bloomchats", move || drop(served.serve()))?;
    *slot = Some(reactor.clone());
    Ok(reactor)
}

fn start(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.into()).spawn(work).map(drop)
}
