//! State that belongs to one process, and what drives its calls.
//!
//! A forked child inherits memory but no threads: locks may be held for ever, and sockets are the parent's. So nothing
//! of the parent is touched there, not even to free it: the child leaks it and builds its own.

use std::convert::Infallible;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{io, marker, mem, ptr};

use bloomchats::{Limits, Reactor};
use tokio::runtime::{Builder, Runtime};

/// Forks between the process that loaded us and this one. A look at it is free; asking the system for the process's number is not.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// Has every child know that it is one, whoever forks it.
#[cfg(unix)]
pub fn watch_forks() -> io::Result<()> {
    extern "C" fn in_child() {
        GENERATION.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: the handler only adds to an atomic number, and this library is never unloaded.
    #[allow(unsafe_code)]
    match unsafe { libc::pthread_atfork(None, None, Some(in_child)) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// A number of this process that no ancestor of it has.
fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// A value of the process that made it: any other cannot reach it, and leaks it instead of dropping it.
pub struct Local<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Local<T> {
    pub fn new(value: T) -> Local<T> {
        Local { generation: generation(), value: Some(value) }
    }

    pub fn get(&self) -> Option<&T> {
        self.value.as_ref().filter(|_| self.is_ours())
    }

    /// Takes the value out, where it is this process's.
    pub fn take(&mut self) -> Option<T> {
        if self.is_ours() { self.value.take() } else { None }
    }

    fn is_ours(&self) -> bool {
        self.generation == generation()
    }
}

impl<T> Drop for Local<T> {
    fn drop(&mut self) {
        if !self.is_ours() {
            mem::forget(self.value.take());
        }
    }
}

/// A cell whose value is built on first use in each process.
pub struct PerProcess<T> {
    slot: AtomicPtr<Local<T>>,
    owns: marker::PhantomData<T>,
}

#[allow(unsafe_code)] // a lock-free cell needs a raw pointer: a lock could be held by a thread that the fork left behind
impl<T: Send + Sync> PerProcess<T> {
    pub const fn empty() -> PerProcess<T> {
        PerProcess { slot: AtomicPtr::new(ptr::null_mut()), owns: marker::PhantomData }
    }

    pub fn with(value: T) -> PerProcess<T> {
        let slot = AtomicPtr::new(Box::into_raw(Box::new(Local::new(value))));
        PerProcess { slot, owns: marker::PhantomData }
    }

    /// This process's value, built if need be. Of two threads that build at once, one wins.
    pub fn get<E>(&self, build: impl Fn() -> Result<T, E>) -> Result<&T, E> {
        loop {
            let current = self.slot.load(Ordering::Acquire);
            // SAFETY: null, or a box made here that only `drop` frees, which cannot run while `self` is borrowed.
            if let Some(value) = unsafe { current.as_ref() }.and_then(Local::get) {
                return Ok(value);
            }
            let fresh = Box::into_raw(Box::new(Local::new(build()?)));
            if self.slot.compare_exchange(current, fresh, Ordering::AcqRel, Ordering::Acquire).is_err() {
                // SAFETY: `fresh` was just made and never entered the slot, so nothing else points to it.
                drop(unsafe { Box::from_raw(fresh) });
            }
        }
    }
}

#[allow(unsafe_code)]
impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        let last = *self.slot.get_mut();
        if !last.is_null() {
            // SAFETY: `&mut self` proves that no borrow of the value is left, and the slot is not read again.
            drop(unsafe { Box::from_raw(last) });
        }
    }
}

static LIMITS: PerProcess<Arc<Limits>> = PerProcess::empty();

/// The process's plan limits: a child must not count, or lock, its parent's.
pub fn limits() -> Arc<Limits> {
    match LIMITS.get(|| Ok::<_, Infallible>(Arc::default())) {
        Ok(limits) => limits.clone(),
        Err(never) => match never {},
    }
}

static REACTORS: PerProcess<Mutex<Vec<Reactor>>> = PerProcess::empty();

fn reactors() -> &'static Mutex<Vec<Reactor>> {
    match REACTORS.get(|| Ok::<_, Infallible>(Mutex::default())) {
        Ok(reactors) => reactors,
        Err(never) => match never {},
    }
}

/// A reactor that only this call turns. It goes back when the call is over, so that there are as many as calls were ever made at once.
pub struct Borrowed(Local<Reactor>);

impl Borrowed {
    pub fn new() -> io::Result<Borrowed> {
        let rested = lock(reactors()).pop();
        Ok(Borrowed(Local::new(rested.map_or_else(open_reactor, Ok)?)))
    }

    /// `None` in a child: the descriptors are its parent's.
    pub fn get(&self) -> Option<&Reactor> {
        self.0.get()
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        if let Some(reactor) = self.0.take() {
            lock(reactors()).push(reactor);
        }
    }
}

/// A reactor whose connections the runtime makes.
pub fn open_reactor() -> io::Result<Reactor> {
    Reactor::new(runtime()?.handle().clone())
}

static RUNTIME: PerProcess<Runtime> = PerProcess::empty();

/// The process's runtime: one thread that makes connections, started by the first call.
pub fn runtime() -> io::Result<&'static Runtime> {
    RUNTIME.get(|| {
        let mut builder = Builder::new_multi_thread();
        // The blocking threads only resolve host names.
        builder.worker_threads(1).max_blocking_threads(8).thread_name("bloomchats").enable_all().build()
    })
}

/// A panic elsewhere must not poison every later call: what these locks guard is valid at every point.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
