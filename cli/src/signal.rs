//! Signals that ask the process to stop.

/// Caught from this call on; resolves with SIGINT or SIGTERM, on other systems with Ctrl-C.
#[cfg(unix)]
pub(crate) fn stop() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
pub(crate) fn stop() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// The same with SIGHUP, the end of the terminal, unless `nohup` has said to live through it.
#[cfg(unix)]
pub(crate) fn stop_or_hangup() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = stop()?;
    let hangup = if lives_through_hangup() { None } else { Some(signal(SignalKind::hangup())?) };
    Ok(async move {
        let hung_up = async {
            match hangup {
                Some(mut hangup) => drop(hangup.recv().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop => {}
            () = hung_up => {}
        }
    })
}

#[cfg(not(unix))]
pub(crate) fn stop_or_hangup() -> std::io::Result<impl Future<Output = ()>> {
    stop()
}

/// Whether SIGHUP, the first of the mask, is ignored. Only Linux tells without unsafe code.
#[cfg(unix)]
fn lives_through_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
