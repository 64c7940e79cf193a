//! Fault injection.
//!
//! All of these fail the test when the fault cannot be injected, for instance because the app
//! does not own its stores.

use std::process::ExitStatus;
use std::time::Duration;

use dev_services::ServerProcess;

use crate::App;

const EXIT_TIMEOUT: Duration = Duration::from_secs(60);

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
