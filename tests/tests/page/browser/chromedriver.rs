//! A chromedriver process.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use dev_services::apt;
use dev_services::process::{self, Signal};

/// A chromedriver; it and its browsers end when it is dropped.
pub struct Chromedriver {
    pub url: String,
    child: Child,
    // Kept open: chromedriver fails when it cannot print.
    _output: BufReader<ChildStdout>,
}

impl Chromedriver {
    /// # Panics
    ///
    /// When Chromium or chromedriver is not installed: a test without them would prove nothing.
    pub fn start() -> Self {
        let [_, program] = ["chromium", "chromedriver"].map(|name| {
            let program = apt::program(name);
            program.unwrap_or_else(|| {
                panic!("{name} is missing: `cargo xtask test` installs it, or ignores this test")
            })
        });
        let mut command = Command::new(program);
        command
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child =
            process::spawn_in_group(command, Signal::TERM).expect("chromedriver starts");
        let mut output = BufReader::new(child.stdout.take().expect("its output"));
        let port = port(&mut output).expect("chromedriver prints its port");
        Self {
            url: format!("http://127.0.0.1:{port}"),
            child,
            _output: output,
        }
    }
}

/// The last word of the line that reports the start.
fn port(output: &mut impl BufRead) -> Option<u16> {
    let line = output
        .lines()
        .map_while(Result::ok)
        .find(|line| line.contains("started successfully"));
    line?.trim_end_matches('.').rsplit(' ').next()?.parse().ok()
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        for pid in process::tree(self.child.id()) {
            process::signal(pid, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}
