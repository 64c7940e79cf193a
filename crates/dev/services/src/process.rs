//! Child processes that end with this one, however it ends.
//!
//! The kernel sends a child its parent-death signal when the *thread* that started it ends, so
//! every child is started from one thread that lives as long as the process.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::mpsc::{Sender, channel};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{Pid, kill_process, set_parent_process_death_signal, test_kill_process};

pub use rustix::process::Signal;

type Task = Box<dyn FnOnce() + Send>;

static KEEPER: LazyLock<Mutex<Sender<Task>>> = LazyLock::new(|| {
    let (sender, tasks) = channel::<Task>();
    std::thread::spawn(move || tasks.into_iter().for_each(|task| task()));
    Mutex::new(sender)
});

/// Runs a task on the thread that lives as long as the process, and waits for its result.
pub fn on_keeper<T: Send + 'static>(
    task: impl FnOnce() -> T + Send + 'static,
) -> anyhow::Result<T> {
    let (answer, result) = channel();
    let task: Task = Box::new(move || drop(answer.send(task())));
    KEEPER
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .send(task)
        .ok()
        .context("the keeper thread is gone")?;
    result
        .recv()
        .context("a task of the keeper thread panicked")
}

/// Starts a child that gets `at_our_end` when this process ends.
pub fn spawn(mut command: Command, at_our_end: Signal) -> anyhow::Result<Child> {
    end_with_parent(&mut command, at_our_end);
    let program = command.get_program().display().to_string();
    on_keeper(move || command.spawn())?.with_context(|| format!("cannot start {program}"))
}

/// Starts a child as [`spawn`] does, in a process group of its own: Ctrl-C in the terminal does
/// not reach it, so that its parent decides in which order things stop.
pub fn spawn_apart(mut command: Command, at_our_end: Signal) -> anyhow::Result<Child> {
    command.process_group(0);
    spawn(command, at_our_end)
}

fn end_with_parent(command: &mut Command, signal: Signal) {
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

/// Sends a signal; a process that is already gone is no error.
pub fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = to_pid(pid) {
        let _ = kill_process(pid, signal);
    }
}

/// Whether a process of this id exists.
pub fn is_alive(pid: u32) -> bool {
    to_pid(pid).is_some_and(|pid| !matches!(test_kill_process(pid), Err(rustix::io::Errno::SRCH)))
}

/// A process and everything below it, parents first.
pub fn tree(root: u32) -> Vec<u32> {
    let parents = all_parents();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(
            parents
                .iter()
                .filter(|(_, of)| *of == parent)
                .map(|(pid, _)| *pid),
        );
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

/// The directory that a process works in; none where it is gone or may not be looked at.
pub(crate) fn working_directory(pid: u32) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/cwd")).ok()
}

/// Waits until a child has ended, and says whether it did in time.
pub async fn ended_within(child: &mut Child, limit: Duration) -> io::Result<bool> {
    let deadline = Instant::now() + limit;
    while child.try_wait()?.is_none() {
        if Instant::now() > deadline {
            return Ok(false);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(true)
}

fn to_pid(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}

#[cfg(test)]
mod tests {
    use super::{Signal, is_alive, signal, spawn, tree};
    use std::process::Command;

    #[test]
    fn a_childs_children_belong_to_its_tree() {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "echo ready; sleep 60 & wait"])
            .stdout(std::process::Stdio::piped());
        let mut child = spawn(shell, Signal::KILL).unwrap();
        let found = loop {
            let found = tree(child.id());
            if found.len() == 2 {
                break found;
            }
            std::thread::yield_now();
        };
        for pid in found {
            signal(pid, Signal::KILL);
        }
        child.wait().unwrap();
        assert!(!is_alive(child.id()));
    }
}
