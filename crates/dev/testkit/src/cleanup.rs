//! Cleanup at the end of the test binary.
//!
//! Statics are never dropped, and the app that tests share is one. So the exit of the process runs
//! these tasks. They do not run if the binary is killed: then the kernel ends the processes that it
//! started, and the next run removes the data.

use std::pin::Pin;
use std::sync::{Mutex, Once, PoisonError};

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

static TASKS: Mutex<Vec<Task>> = Mutex::new(Vec::new());

/// Registers a task for the exit of the process; the last one registered runs first.
#[allow(unsafe_code, reason = "the standard library has no atexit")]
pub(crate) fn at_exit(task: impl Future<Output = ()> + Send + 'static) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        // SAFETY: the function lives as long as the program and does not unwind.
        let status = unsafe { libc::atexit(run_tasks) };
        assert_eq!(status, 0, "atexit refused the cleanup");
    });
    lock().push(Box::pin(task));
}

/// The main thread's local storage is gone by now, so the tasks run on another thread.
extern "C" fn run_tasks() {
    let _ = dev_services::process::on_spawner_thread(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let Ok(runtime) = runtime else { return };
        while let Some(task) = next_task() {
            let run = std::panic::AssertUnwindSafe(|| runtime.block_on(task));
            let _ = std::panic::catch_unwind(run);
        }
    });
}

fn next_task() -> Option<Task> {
    lock().pop()
}

fn lock() -> std::sync::MutexGuard<'static, Vec<Task>> {
    TASKS.lock().unwrap_or_else(PoisonError::into_inner)
}
