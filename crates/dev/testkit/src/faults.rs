//! Fault injection.
//!
//! All of these fail the test when the fault cannot be injected, for instance because the app
//! does not own its stores.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use dev_services::ServerProcess;

use crate::App;

const EXIT_TIMEOUT: Duration = Duration::from_secs(60);
/// Where Redis keeps its append-only file, below its own directory.
const APPEND_ONLY: &str = "appendonlydir";

/// What Redis held at one moment; see [`App::snapshot_redis`].
pub struct RedisSnapshot {
    copy: PathBuf,
    data: PathBuf,
}

impl App {
    /// Stops Redis cleanly.
    pub async fn stop_redis(&self) {
        self.private_redis().stop().await.expect("Redis stops");
    }

    /// Starts Redis again: same port, same data.
    pub async fn start_redis(&self) {
        self.private_redis().start().await.expect("Redis starts");
    }

    /// Kills Redis, as a crash would.
    pub async fn kill_redis(&self) {
        self.private_redis().kill().await.expect("Redis ends");
    }

    /// Copies what Redis has on disk, which is all that it has acknowledged. A copy and not `SAVE`: a
    /// start loads the append-only file, and ignores `dump.rdb`.
    pub async fn snapshot_redis(&self) -> RedisSnapshot {
        let mut redis = self.redis().await;
        let directory: Vec<String> = redis::cmd("CONFIG")
            .arg(&["GET", "dir"])
            .query_async(&mut redis)
            .await
            .expect("the directory of Redis");
        let directory = PathBuf::from(&directory[1]);
        let snapshot = RedisSnapshot {
            copy: directory.join("snapshot"),
            data: directory.join(APPEND_ONLY),
        };
        replace(&snapshot.copy, &snapshot.data).expect("a copy of what Redis has");
        snapshot
    }

    /// Puts a snapshot in the place of what Redis had when it was killed. It counts at the next start.
    pub fn restore_redis(&self, snapshot: &RedisSnapshot) {
        replace(&snapshot.data, &snapshot.copy).expect("the snapshot in place");
    }

    /// Freezes Redis: connections stay open, and nothing answers.
    pub async fn pause_redis(&self) {
        self.private_redis().pause();
    }

    /// Ends a pause of Redis.
    pub async fn resume_redis(&self) {
        self.private_redis().resume();
    }

    /// Stops PostgreSQL cleanly.
    pub async fn stop_postgres(&self) {
        self.private_postgres()
            .stop()
            .await
            .expect("PostgreSQL stops");
    }

    /// Starts PostgreSQL again: same port, same data.
    pub async fn start_postgres(&self) {
        self.private_postgres()
            .start()
            .await
            .expect("PostgreSQL starts");
    }

    /// Kills PostgreSQL, as a crash would.
    pub async fn kill_postgres(&self) {
        self.private_postgres()
            .kill()
            .await
            .expect("PostgreSQL ends");
    }

    /// Freezes PostgreSQL: connections stay open, and nothing answers.
    pub async fn pause_postgres(&self) {
        self.private_postgres().pause();
    }

    /// Ends a pause of PostgreSQL.
    pub async fn resume_postgres(&self) {
        self.private_postgres().resume();
    }

    /// Kills devhost, as a crash would, and starts it again on the same port.
    pub async fn crash_and_restart(&self) {
        self.devhost().kill().await.expect("devhost ends");
        self.devhost().start().await.expect("devhost starts");
    }

    /// Waits until devhost exits by itself.
    pub async fn exit_status(&self) -> ExitStatus {
        let exit = tokio::time::timeout(EXIT_TIMEOUT, self.devhost().wait()).await;
        let exit = exit.unwrap_or_else(|_| panic!("devhost did not exit; its log: {}", self.log()));
        exit.expect("devhost was started")
    }

    fn private_redis(&self) -> &ServerProcess {
        self.data()
            .redis()
            .unwrap_or_else(|error| panic!("{error:#}"))
    }

    fn private_postgres(&self) -> &ServerProcess {
        self.data()
            .postgres()
            .unwrap_or_else(|error| panic!("{error:#}"))
    }
}

/// Makes a directory of files the same as another.
fn replace(target: &Path, source: &Path) -> std::io::Result<()> {
    if target.exists() {
        std::fs::remove_dir_all(target)?;
    }
    std::fs::create_dir(target)?;
    for entry in std::fs::read_dir(source)? {
        let entry = entry?;
        std::fs::copy(entry.path(), target.join(entry.file_name()))?;
    }
    Ok(())
}
