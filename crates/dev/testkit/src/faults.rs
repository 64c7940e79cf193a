//! What can go wrong, at the flick of a switch.
//!
//! All of these fail the test when the fault cannot be brought about: on stores that this app
//! does not own, above all.

use crate::App;

impl App {
    /// Stops Redis in good order.
    pub async fn stop_redis(&self) {
        self.private_redis().stop().await.expect("Redis stops");
    }

    /// Starts Redis again: same port, same data.
    pub async fn start_redis(&self) {
        self.private_redis().start().await.expect("Redis starts");
    }

    /// Ends Redis as a crash would.
    pub async fn kill_redis(&self) {
        self.private_redis().kill().await.expect("Redis ends");
    }

    /// Freezes Redis: connections stay open, and nothing answers.
    pub async fn pause_redis(&self) {
        self.private_redis().pause().await;
    }

    pub async fn resume_redis(&self) {
        self.private_redis().resume().await;
    }

    /// Stops PostgreSQL in good order.
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

    /// Ends PostgreSQL as a crash would.
    pub async fn kill_postgres(&self) {
        self.private_postgres()
            .kill()
            .await
            .expect("PostgreSQL ends");
    }

    /// Freezes PostgreSQL: connections stay open, and nothing answers.
    pub async fn pause_postgres(&self) {
        self.private_postgres().pause().await;
    }

    pub async fn resume_postgres(&self) {
        self.private_postgres().resume().await;
    }

    /// Ends devhost as a crash would, and starts it again on the same port.
    pub async fn crash_and_restart(&self) {
        self.devhost().kill().await.expect("devhost ends");
        self.devhost().start().await.expect("devhost starts");
    }

    fn private_redis(&self) -> &dev_services::Redis {
        self.data()
            .redis()
            .unwrap_or_else(|error| panic!("{error:#}"))
    }

    fn private_postgres(&self) -> &dev_services::Postgres {
        self.data()
            .postgres()
            .unwrap_or_else(|error| panic!("{error:#}"))
    }
}
