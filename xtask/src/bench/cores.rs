//! Which of the machine's cores a program gets.
//!
//! With one call at a time, client and server take turns at having nothing to do. Where the system keeps both on one core, none is woken
//! from idle, and bare hyper's call costs a third of what it costs otherwise; it does that with small programs and not with large ones,
//! and not always. A service is another machine, so the fixture server has a core that such a client does not get.

#[cfg(target_os = "linux")]
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Who is to be placed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The fixture server: the last core.
    Server,
    /// A client with one call at a time: the others.
    Alone,
    /// A client with several: all of them.
    Crowd,
}

/// Starts a program by `start`, which runs on this thread. Where cores cannot be given, or there is but one, it gets what there is.
#[cfg(target_os = "linux")]
pub fn on_cores_of<T>(who: Who, start: impl FnOnce() -> T) -> T {
    let Ok(all) = sched_getaffinity(None) else { return start() };
    let has = |core: &usize| all.is_set(*core);
    let Some(last) = (0..CpuSet::MAX_CPU).rev().find(has).filter(|_| all.count() > 1) else { return start() };
    let mut given = CpuSet::new();
    let wanted = |core: &usize| match who {
        Who::Server => *core == last,
        Who::Alone => *core != last,
        Who::Crowd => true,
    };
    (0..CpuSet::MAX_CPU).filter(has).filter(wanted).for_each(|core| given.set(core));
    // A program begins with the cores of the thread that starts it.
    let _ = sched_setaffinity(None, &given);
    let started = start();
    let _ = sched_setaffinity(None, &all);
    started
}

/// Other systems do not let themselves be told.
#[cfg(not(target_os = "linux"))]
pub fn on_cores_of<T>(_who: Who, start: impl FnOnce() -> T) -> T {
    start()
}
