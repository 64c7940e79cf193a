//! Child processes that end with this one, however it ends.
//!
//! The kernel sends a child its parent-death signal when the *thread* that started it ends, so
//! all children are started by one thread, the spawner, which lives as long as the process.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Sender, channel};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{Pid, kill_process, set_parent_process_death_signal, test_kill_process};

pub use rustix::process::Signal;

const POLL: Duration = Duration::from_millis(10);

type Task = Box<dyn FnOnce() + Send>;

static SPAWNER: LazyLock<Mutex<Sender<Task>>> = LazyLock::new(|| {
    let (sender, tasks) = channel::<Task>();
    std::thread::spawn(move || tasks.into_iter().for_each(|task| task()));
    Mutex::new(sender)
});

/// Runs a task on the spawner thread and waits for its result.
///
/// # Errors
///
/// When the task panics.
pub fn on_spawner_thread<T: Send + 'static>(
    task: impl FnOnce() -> T + Send + 'static,
) -> anyhow::Result<T> {
    let (sender, result) = channel();
    let task: Task = Box::new(move || drop(sender.send(task())));
    SPAWNER
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .send(task)
        .ok()
        .context("the spawner thread has ended")?;
    result.recv().context("a task of the spawner panicked")
}

/// Starts a child that receives `death_signal` when this process ends.
///
/// # Errors
///
/// When the program cannot be started.
pub fn spawn(mut command: Command, death_signal: Signal) -> anyhow::Result<Child> {
    set_death_signal(&mut command, death_signal);
    let program = command.get_program().display().to_string();
    on_spawner_thread(move || command.spawn())?.with_context(|| format!("cannot start {program}"))
}

/// Starts a child as [`spawn`] does, in a process group of its own: Ctrl-C in the terminal does
/// not reach it, so the parent decides in which order processes stop.
///
/// # Errors
///
/// When the program cannot be started.
pub fn spawn_in_group(mut command: Command, death_signal: Signal) -> anyhow::Result<Child> {
    command.process_group(0);
    spawn(command, death_signal)
}

#[allow(unsafe_code, reason = "the standard library has no safe pre_exec")]
fn set_death_signal(command: &mut Command, signal: Signal) {
    let parent = rustix::process::getpid();
    let hook = move || {
        set_parent_process_death_signal(Some(signal))?;
        // The parent may have died before the signal was set.
        if rustix::process::getppid() == Some(parent) {
            Ok(())
        } else {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    };
    // SAFETY: between fork and exec the hook makes two system calls and allocates nothing.
    unsafe { command.pre_exec(hook) };
}

/// Sends a signal; a process that has already ended is not an error.
pub fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = to_pid(pid) {
        let _ = kill_process(pid, signal);
    }
}

/// Sends a signal to a process and all its descendants.
pub fn signal_tree(root: u32, of_all: Signal) {
    for pid in tree(root) {
        signal(pid, of_all);
    }
}

/// Whether a process with this id exists.
pub fn is_alive(pid: u32) -> bool {
    to_pid(pid).is_some_and(|pid| !matches!(test_kill_process(pid), Err(rustix::io::Errno::SRCH)))
}

/// A process and all its descendants, parents first.
pub fn tree(root: u32) -> Vec<u32> {
    let parents = all_parents();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        let children = parents.iter().filter(|(_, of)| *of == parent);
        found.extend(children.map(|(pid, _)| *pid));
        next += 1;
    }
    found
}

/// Every process with its parent, from `/proc`.
fn all_parents() -> Vec<(u32, u32)> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, parent_of(pid)?)))
        .collect()
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in brackets, may itself hold brackets and blanks.
    let after_name = stat.rsplit_once(')')?.1;
    after_name.split_whitespace().nth(1)?.parse().ok()
}

/// The working directory of a process; none if it has ended or may not be inspected.
pub(crate) fn working_directory(pid: u32) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/cwd")).ok()
}

/// Waits until a child exits, and returns nothing after `timeout`.
pub(crate) async fn wait_timeout(
    child: &mut Child,
    timeout: Duration,
) -> io::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + timeout;
    loop {
        let status = child.try_wait()?;
        if status.is_some() || Instant::now() > deadline {
            return Ok(status);
        }
        tokio::time::sleep(POLL).await;
    }
}

fn to_pid(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}

#[cfg(test)]
mod tests {
    use super::{Signal, is_alive, signal_tree, spawn, tree};
    use std::process::Command;

    #[test]
    fn the_tree_of_a_process_holds_its_grandchildren() {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "echo ready; sleep 60 & wait"])
            .stdout(std::process::Stdio::piped());
        let mut child = spawn(shell, Signal::KILL).unwrap();
        while tree(child.id()).len() < 2 {
            std::thread::yield_now();
        }
        signal_tree(child.id(), Signal::KILL);
        child.wait().unwrap();
        assert!(!is_alive(child.id()));
    }
}
