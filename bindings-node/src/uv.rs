//! libuv, where the host has one: watching a descriptor on the environment's own event loop, and calling JavaScript from there.
//!
//! Its functions are looked up in the running program, not linked, so that the addon also loads into hosts without them.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_void};
use std::panic::{self, AssertUnwindSafe};
use std::ptr::{self, NonNull};
use std::rc::Rc;

use napi::bindgen_prelude::{FromNapiValue, Function, JsValue};
use napi::{Env, Error, Result, check_status, sys};

use crate::mailbox::Wake;

/// `uv_handle_type`, `uv_poll_event` and the alignment of every handle, as libuv 1 promises them.
const UV_POLL: c_int = 8;
const UV_READABLE: c_int = 1;
const ALIGNMENT: usize = 16;

/// How every handle of libuv begins: with a pointer that is its user's.
#[repr(C)]
struct Head {
    data: *const Handle,
}

type RawHandle = *mut Head;
type PollCallback = unsafe extern "C" fn(RawHandle, c_int, c_int);
type CloseCallback = unsafe extern "C" fn(RawHandle);

#[derive(Clone, Copy)]
struct Uv {
    handle_size: unsafe extern "C" fn(c_int) -> usize,
    poll_init: unsafe extern "C" fn(*mut sys::uv_loop_s, RawHandle, c_int) -> c_int,
    poll_start: unsafe extern "C" fn(RawHandle, c_int, PollCallback) -> c_int,
    poll_stop: unsafe extern "C" fn(RawHandle) -> c_int,
    hold: unsafe extern "C" fn(RawHandle),
    release: unsafe extern "C" fn(RawHandle),
    close: unsafe extern "C" fn(RawHandle, CloseCallback),
}

impl Uv {
    #[cfg(unix)]
    #[allow(unsafe_code)]
    fn find() -> Option<Uv> {
        let program = libloading::os::unix::Library::this();
        // SAFETY: each symbol is given the type that libuv 1 declares it with, and the program that holds it stays loaded.
        unsafe {
            Some(Uv {
                handle_size: *program.get(b"uv_handle_size\0").ok()?,
                poll_init: *program.get(b"uv_poll_init\0").ok()?,
                poll_start: *program.get(b"uv_poll_start\0").ok()?,
                poll_stop: *program.get(b"uv_poll_stop\0").ok()?,
                hold: *program.get(b"uv_ref\0").ok()?,
                release: *program.get(b"uv_unref\0").ok()?,
                close: *program.get(b"uv_close\0").ok()?,
            })
        }
    }

    /// Windows' own loops watch no descriptors.
    #[cfg(not(unix))]
    fn find() -> Option<Uv> {
        None
    }
}

/// Is called when the descriptor is readable (`true`) or can no longer be watched; says whether to go on watching.
type Ready = Rc<dyn Fn(bool) -> bool>;

/// Has the environment's loop watch a descriptor, until it is dropped or the environment ends. The descriptor must stay open so long.
pub struct Watch(Rc<Handle>);

/// Belongs to `Watch`, and to libuv until that says that it has closed the handle.
struct Handle {
    uv: Uv,
    raw: NonNull<Head>,
    layout: Layout,
    hook: Cell<sys::napi_async_cleanup_hook_handle>,
    watching: Cell<bool>,
    /// Gone once it is being closed.
    ready: RefCell<Option<Ready>>,
}

#[allow(unsafe_code)]
impl Watch {
    /// `None`: this host has no loop that could.
    pub fn open(env: Env, fd: c_int, ready: Ready) -> Option<Watch> {
        let uv = Uv::find()?;
        let events = env.get_uv_event_loop().ok().filter(|events| !events.is_null())?;
        // SAFETY: it only looks into a table.
        let size = unsafe { (uv.handle_size)(UV_POLL) };
        let layout = Layout::from_size_align(size, ALIGNMENT).ok().filter(|layout| layout.size() > 0)?;
        // SAFETY: the layout has a size.
        let raw = NonNull::new(unsafe { alloc_zeroed(layout) })?.cast::<Head>();
        // SAFETY: this is the loop's own thread, and the memory is as large as the handle is.
        if unsafe { (uv.poll_init)(events, raw.as_ptr(), fd) } != 0 {
            // SAFETY: libuv keeps nothing of a handle that it could not initialize.
            unsafe { dealloc(raw.as_ptr().cast(), layout) };
            return None;
        }
        let handle = Rc::new(Handle {
            uv,
            raw,
            layout,
            hook: Cell::new(ptr::null_mut()),
            watching: Cell::new(false),
            ready: RefCell::new(Some(ready)),
        });
        let held = Rc::into_raw(handle.clone());
        let mut hook = ptr::null_mut();
        // SAFETY: the handle is initialized; `held` is a count that `closed` gives back, after it has taken out the hook.
        let hooked = unsafe {
            (*raw.as_ptr()).data = held;
            (uv.release)(raw.as_ptr());
            sys::napi_add_async_cleanup_hook(env.raw(), Some(ending), held.cast_mut().cast(), &mut hook)
        };
        // From here on dropping it closes the handle.
        let watch = Watch(handle);
        watch.0.hook.set(hook);
        (hooked == sys::Status::napi_ok && watch.0.start()).then_some(watch)
    }

    /// Whether the process (or worker) stays alive for this although its loop has nothing else to do.
    pub fn keep_alive(&self, yes: bool) -> Result<()> {
        let Handle { uv, raw, watching, .. } = &*self.0;
        if self.0.ready.borrow().is_none() || (yes && !watching.get() && !self.0.start()) {
            return Err(Error::from_reason("the event loop cannot be held"));
        }
        // SAFETY: the handle is not closed as long as `ready` is there, and this is its loop's own thread.
        unsafe { if yes { (uv.hold)(raw.as_ptr()) } else { (uv.release)(raw.as_ptr()) } };
        Ok(())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[allow(unsafe_code)]
impl Handle {
    fn start(&self) -> bool {
        // SAFETY: the handle is initialized and not closed: both callers have seen to that.
        self.watching.set(unsafe { (self.uv.poll_start)(self.raw.as_ptr(), UV_READABLE, happened) } == 0);
        self.watching.get()
    }

    fn close(&self) {
        if self.ready.take().is_some() {
            // SAFETY: the handle is initialized, and `ready` is only there to be taken once.
            unsafe { (self.uv.close)(self.raw.as_ptr(), closed) };
        }
    }
}

/// The environment ends before its loop does, and waits until the hook is taken out.
#[allow(unsafe_code)]
unsafe extern "C" fn ending(_hook: sys::napi_async_cleanup_hook_handle, held: *mut c_void) {
    // SAFETY: `held` is the count that libuv has, which it gives back after taking out this hook.
    unsafe { &*held.cast::<Handle>() }.close();
}

#[allow(unsafe_code)]
unsafe extern "C" fn closed(raw: RawHandle) {
    // SAFETY: libuv is done with the handle, whose memory ends here, and gives back its count of it. Nothing else takes out the hook.
    unsafe {
        let handle = Rc::from_raw((*raw).data);
        dealloc(raw.cast(), handle.layout);
        if !handle.hook.get().is_null() {
            sys::napi_remove_async_cleanup_hook(handle.hook.get());
        }
    }
}

#[allow(unsafe_code)]
unsafe extern "C" fn happened(raw: RawHandle, status: c_int, _events: c_int) {
    // SAFETY: libuv has a count of the handle until `closed`; this one lets the handle be closed meanwhile.
    let handle = unsafe {
        Rc::increment_strong_count((*raw).data);
        Rc::from_raw((*raw).data)
    };
    let Some(ready) = handle.ready.borrow().clone() else { return };
    // Nothing below this frame could catch a panic.
    let go_on = panic::catch_unwind(AssertUnwindSafe(|| ready(status == 0))).unwrap_or(false);
    if !(go_on && status == 0) && handle.ready.borrow().is_some() {
        handle.watching.set(false);
        // SAFETY: the handle is not closed, as `ready` is still there.
        unsafe { (handle.uv.poll_stop)(raw) };
    }
}

/// A function of the environment's, called as its loop calls functions: with microtasks after it.
pub struct Callback {
    env: Env,
    /// Weak unless it is held: whatever the function reaches, this included, must not stay for its own sake.
    function: sys::napi_ref,
    context: sys::napi_async_context,
}

#[allow(unsafe_code)]
impl Callback {
    pub fn new(env: Env, given: Function<'_, (), ()>) -> Result<Callback> {
        let name = env.create_string("BloomChats")?;
        let (mut function, mut context) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: `Env` proves that this is the environment's thread while it runs JavaScript, and `given` is a value of it.
        unsafe {
            let status = sys::napi_async_init(env.raw(), ptr::null_mut(), name.raw(), &mut context);
            check_status!(status, "the event loop cannot be followed")?;
            let status = sys::napi_create_reference(env.raw(), given.raw(), 0, &mut function);
            check_status!(status, "the event loop cannot be followed")?;
        }
        Ok(Callback { env, function, context })
    }

    /// Whether the function stays although nothing of JavaScript leads to it. To be said in turns.
    pub fn hold(&self, yes: bool) -> Result<()> {
        let change = if yes { sys::napi_reference_ref } else { sys::napi_reference_unref };
        // SAFETY: whoever calls this is on the environment's thread, and the reference is there until `drop`.
        check_status!(
            unsafe { change(self.env.raw(), self.function, ptr::null_mut()) },
            "the event loop cannot be held"
        )
    }

    /// The way to have it called from another thread.
    pub fn from_anywhere(self: &Rc<Callback>) -> Result<Wake> {
        let callback = Rc::downgrade(self);
        // Deno calls what is queued when its environment has ended, and all that `callback` would use is freed.
        let call = move |_| {
            if let Some(callback) = callback.upgrade() {
                callback.call();
            }
            Ok(())
        };
        let nothing: Function<'_, (), ()> = self.env.create_function("wake", nothing)?;
        nothing.build_threadsafe_function::<()>().weak::<true>().build_callback(call)
    }

    /// The function itself, while it is there.
    fn function(&self) -> Result<Function<'_, (), ()>> {
        let mut value = ptr::null_mut();
        // SAFETY: as in `hold`; a reference to what is gone gives no value.
        unsafe {
            check_status!(sys::napi_get_reference_value(self.env.raw(), self.function, &mut value))?;
            if value.is_null() {
                return Err(Error::from_reason("nobody is left to be called"));
            }
            Function::from_napi_value(self.env.raw(), value)
        }
    }

    /// To be called on the environment's loop. An exception is the environment's uncaught one.
    pub fn call(&self) {
        let env = self.env.raw();
        let (mut handles, mut callback) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the environment is there as long as its loop calls us, and each scope is closed in the reverse order.
        unsafe {
            if sys::napi_open_handle_scope(env, &mut handles) != sys::Status::napi_ok {
                return;
            }
            if sys::napi_open_callback_scope(env, ptr::null_mut(), self.context, &mut callback) == sys::Status::napi_ok
            {
                self.call_function();
                sys::napi_close_callback_scope(env, callback);
            }
            sys::napi_close_handle_scope(env, handles);
        }
    }

    fn call_function(&self) {
        let env = self.env.raw();
        let (Ok(function), Ok(global)) = (self.function(), self.env.get_global()) else { return };
        let (mut returned, mut exception) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: `call` has opened the scopes that these values live in.
        unsafe {
            let status = sys::napi_call_function(env, global.raw(), function.raw(), 0, ptr::null(), &mut returned);
            if status == sys::Status::napi_pending_exception
                && sys::napi_get_and_clear_last_exception(env, &mut exception) == sys::Status::napi_ok
            {
                sys::napi_fatal_exception(env, exception);
            }
        }
    }
}

#[allow(unsafe_code)]
unsafe extern "C" fn nothing(_env: sys::napi_env, _info: sys::napi_callback_info) -> sys::napi_value {
    ptr::null_mut()
}

#[allow(unsafe_code)]
impl Drop for Callback {
    fn drop(&mut self) {
        // SAFETY: whoever holds it goes away with the environment at the latest, on its thread.
        unsafe {
            sys::napi_delete_reference(self.env.raw(), self.function);
            sys::napi_async_destroy(self.env.raw(), self.context);
        }
    }
}
