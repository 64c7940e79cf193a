//! What is undone when the test binary ends.
//!
//! A static is never dropped, and the app that tests share is one. So the end of the process
//! runs these tasks. Where the binary is killed they do not run; then the kernel ends what was
//! started, and the next run sweeps up.

use std::sync::{Mutex, Once, PoisonError};

type Task = Box<dyn FnOnce() + Send>;

static TASKS: Mutex<Vec<Task>> = Mutex::new(Vec::new());

/// Registers a task for the end of the process; the last one registered runs first.
pub(crate) fn at_exit(task: impl FnOnce() + Send + 'static) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        // SAFETY: the function lives as long as the program and does not unwind.
        let refused = unsafe { libc::atexit(run) };
        assert_eq!(refused, 0, "the end of the process takes no more tasks");
    });
    lock().push(Box::new(task));
}

/// The main thread's own storage is gone by now, so the tasks run on a thread that has its.
extern "C" fn run() {
    let _ = dev_services::process::on_keeper(|| {
        while let Some(task) = take() {
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(task));
        }
    });
}

fn take() -> Option<Task> {
    lock().pop()
}

fn lock() -> std::sync::MutexGuard<'static, Vec<Task>> {
    TASKS.lock().unwrap_or_else(PoisonError::into_inner)
}
