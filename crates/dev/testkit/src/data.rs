//! The stores that an app under test uses.

use std::sync::Arc;

use anyhow::{Result, ensure};
use dev_services::{DirectoryLock, Durability, Options, Stores, TemporaryDirectory};
use tokio::sync::OnceCell;

use crate::database::{Database, scatter_ids};
use crate::{cleanup, workspace_root};

/// Redis and a migrated database, empty but for what tests write.
pub struct Data {
    stores: Stores,
    /// Whether only one test has these stores, and may stop them.
    own: bool,
    database: Option<Database>,
    // The last field: the stores have ended by the time that their data goes.
    home: TemporaryDirectory,
}

impl Data {
    /// The stores that the apps of this test binary share: those of `REDIS_URL` and
    /// `DATABASE_URL`, with a database of its own, else private ones.
    pub(crate) async fn shared() -> Result<Arc<Self>> {
        static SHARED: OnceCell<Arc<Data>> = OnceCell::const_new();
        let start = async || {
            let options = options().await?;
            let data = Arc::new(Self::start(options, false).await?);
            let ended = Arc::clone(&data);
            cleanup::at_exit(move || ended.end());
            anyhow::Ok(data)
        };
        SHARED.get_or_try_init(start).await.cloned()
    }

    /// Private stores, for tests that stop them.
    pub(crate) async fn own() -> Result<Arc<Self>> {
        Ok(Arc::new(
            Self::start(Options::private(Durability::Throwaway), true).await?,
        ))
    }

    async fn start(options: Options, own: bool) -> Result<Self> {
        dev_services::sweep().await;
        let home = TemporaryDirectory::create()?;
        let given = options.database_url.is_some();
        let stores = Stores::start(options, DirectoryLock::take(home.path())?).await?;
        let database = if given {
            Some(Database::create(stores.database_url()).await?)
        } else {
            None
        };
        let data = Self {
            stores,
            own,
            database,
            home,
        };
        dev_services::migrate::migrate(data.database_url(), &workspace_root().join("migrations"))
            .await?;
        scatter_ids(&dev_services::connect(data.database_url()).await?).await?;
        Ok(data)
    }

    pub fn redis_url(&self) -> &str {
        self.stores.redis_url()
    }

    pub fn database_url(&self) -> &str {
        self.database
            .as_ref()
            .map_or_else(|| self.stores.database_url(), |database| &database.url)
    }

    pub(crate) fn redis(&self) -> Result<&dev_services::Redis> {
        ensure!(self.own, OWN);
        self.stores.redis()
    }

    pub(crate) fn postgres(&self) -> Result<&dev_services::Postgres> {
        ensure!(self.own, OWN);
        self.stores.postgres()
    }

    /// Stops and removes what was made for the tests, without a runtime's help.
    fn end(&self) {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
        else {
            return;
        };
        let _ = runtime.block_on(async {
            if let Some(database) = &self.database {
                database.remove().await?;
            }
            self.stores.stop().await
        });
        self.home.remove();
    }
}

const OWN: &str = "a test that stops a store needs stores of its own: App::builder().own_stores()";

/// The environment's stores, else local ones, else containers.
async fn options() -> Result<Options> {
    let options = Options::from_environment(Durability::Throwaway);
    #[cfg(feature = "docker")]
    let options = crate::docker::fill(options).await?;
    Ok(options)
}
