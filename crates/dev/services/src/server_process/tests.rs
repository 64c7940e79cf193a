use std::process::Command;

use anyhow::ensure;

use super::ServerProcess;
use crate::TemporaryDirectory;

fn shell(script: &'static str, home: &TemporaryDirectory) -> ServerProcess {
    let command = move || {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]);
        shell
    };
    let log = home.path().join("log");
    let is_ready = log.clone();
    let probe = move || {
        let log = std::fs::read_to_string(&is_ready).unwrap_or_default();
        async move {
            ensure!(log.contains("ready"), "{log:?} does not say ready");
            Ok(())
        }
    };
    ServerProcess::new("the script", command, probe).log_to(log)
}

#[tokio::test]
async fn a_start_waits_until_the_probe_succeeds() {
    let home = TemporaryDirectory::create().unwrap();
    let server = shell("sleep 0.1; echo ready; exec sleep 60", &home);
    server.start().await.unwrap();
    assert_eq!(server.log(), "ready\n");
    assert_eq!(server.exit_status().unwrap(), None);
    server.stop().await.unwrap();
    assert_eq!(server.pid(), None);
}

#[tokio::test]
async fn an_exit_during_the_start_is_an_error_with_the_log() {
    let home = TemporaryDirectory::create().unwrap();
    let server = shell("echo no configuration; exit 3", &home);
    let error = server.start().await.unwrap_err().to_string();
    assert!(error.contains("exit status: 3"), "{error}");
    assert!(error.ends_with("no configuration"), "{error}");
}

#[tokio::test]
async fn the_exit_status_is_kept_for_later_waiters() {
    let home = TemporaryDirectory::create().unwrap();
    let server = shell("echo ready; sleep 0.2; exit 7", &home);
    server.start().await.unwrap();
    assert_eq!(server.wait().await.unwrap().code(), Some(7));
    assert_eq!(server.wait().await.unwrap().code(), Some(7));
}
