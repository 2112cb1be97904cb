//! The thread that drives connections.

use std::collections::VecDeque;
use std::future::{pending, poll_fn};
use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;

use tokio::runtime::Builder;

use crate::call::Running;
use crate::lock;

/// Calls on their way to the thread. It is woken by the first of them: one that comes while it is at work costs no system call.
#[derive(Default)]
struct Inbox {
    calls: VecDeque<Running>,
    waker: Option<Waker>,
}

/// Hands a call to the process's one thread for connections and timers, which the first call starts. It is never stopped: a
/// process ends without waiting for it.
pub fn drive(call: Running) -> io::Result<()> {
    let inbox = inbox()?;
    let waker = {
        let mut inbox = lock(&inbox);
        inbox.calls.push_back(call);
        inbox.waker.take()
    };
    if let Some(waker) = waker {
        waker.wake();
    }
    Ok(())
}

fn inbox() -> io::Result<Arc<Mutex<Inbox>>> {
    static INBOX: Mutex<Option<Arc<Mutex<Inbox>>>> = Mutex::new(None);
    let mut slot = lock(&INBOX);
    if let Some(inbox) = &*slot {
        return Ok(inbox.clone());
    }
    // The scheduler for many threads would make the library 40 KB larger. The blocking threads only resolve host names.
    let runtime =
        Builder::new_current_thread().max_blocking_threads(8).thread_name("bloomchats").enable_all().build()?;
    let inbox = Arc::<Mutex<Inbox>>::default();
    let own = inbox.clone();
    runtime.spawn(poll_fn(move |context| begin(&own, context)));
    let work = move || {
        block_broken_pipes();
        runtime.block_on(pending::<()>())
    };
    thread::Builder::new().name("bloomchats".into()).spawn(work)?;
    *slot = Some(inbox.clone());
    Ok(inbox)
}

/// Has this thread hear of a peer that hung up as of an error. By default a write to one is a signal too, which ends the process:
/// Python, Node and a Rust `main` ignore it, a Swift program does not.
#[expect(unsafe_code, reason = "the C library's calls for signals are not wrapped in anything safe")]
fn block_broken_pipes() {
    let mut signals = MaybeUninit::uninit();
    // SAFETY: the set is written before it is read, and no mask but this thread's is changed.
    unsafe {
        libc::sigemptyset(signals.as_mut_ptr());
        libc::sigaddset(signals.as_mut_ptr(), libc::SIGPIPE);
        libc::pthread_sigmask(libc::SIG_BLOCK, signals.as_ptr(), ptr::null_mut());
    }
}

/// Begins one call and queues up behind all that can go on: a burst of new calls does not make those under way late.
fn begin(inbox: &Mutex<Inbox>, context: &Context<'_>) -> Poll<()> {
    let call = {
        let mut inbox = lock(inbox);
        let call = inbox.calls.pop_front();
        if inbox.calls.is_empty() {
            inbox.waker = Some(context.waker().clone());
        } else {
            context.waker().wake_by_ref();
        }
        call
    };
    if let Some(call) = call {
        tokio::spawn(call);
    }
    Poll::Pending
}
