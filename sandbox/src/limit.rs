//! Request limits per namespace and API.

const WINDOW_MS: i64 = 60_000;
/// The services publish no number (Blooio) or one per plan (BloomChats); this one stays out of the way until a test sets its own.
const DEFAULT_PER_MINUTE: u64 = 1_000_000;

/// A fixed window of one minute that begins with its first request.
#[derive(Debug)]
pub(crate) struct Window {
    per_minute: u64,
    begun_ms: Option<i64>,
    used: u64,
}

/// Where a key stands after a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub(crate) allowed: bool,
    pub(crate) limit: u64,
    pub(crate) remaining: u64,
    /// When the window ends, epoch ms.
    pub(crate) reset_ms: i64,
    /// Whole seconds until then, at least 1.
    pub(crate) retry_after_s: u64,
}

impl Window {
    pub(crate) fn new(per_minute: Option<u64>) -> Window {
        Window { per_minute: per_minute.unwrap_or(DEFAULT_PER_MINUTE), begun_ms: None, used: 0 }
    }

    pub(crate) fn take(&mut self, now_ms: i64) -> Standing {
        let begun = match self.begun_ms {
            Some(begun) if now_ms < begun + WINDOW_MS => begun,
            _ => {
                self.used = 0;
                now_ms
            }
        };
        self.begun_ms = Some(begun);
        let allowed = self.used < self.per_minute;
        if allowed {
            self.used += 1;
        }
        Standing::at(allowed, self.per_minute, self.per_minute - self.used, begun + WINDOW_MS, now_ms)
    }
}

impl Standing {
    /// What an answer to an unknown key reports: a window nobody has used.
    pub(crate) fn untouched(now_ms: i64) -> Standing {
        Standing::at(true, DEFAULT_PER_MINUTE, DEFAULT_PER_MINUTE, now_ms + WINDOW_MS, now_ms)
    }

    fn at(allowed: bool, limit: u64, remaining: u64, reset_ms: i64, now_ms: i64) -> Standing {
        let retry_after_s = ((reset_ms - now_ms).max(1) as u64).div_ceil(1000);
        Standing { allowed, limit, remaining, reset_ms, retry_after_s }
    }
}
