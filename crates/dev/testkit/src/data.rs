//! The stores that an app under test uses.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, ensure};
use dev_services::{
    DirectoryLock, Durability, Options, ServerProcess, Stores, Template, TemporaryDirectory,
};
use tokio::sync::OnceCell;

use crate::database::{Database, randomize_identities};
use crate::{cleanup, workspace_root};

/// Redis and a migrated database, empty until a test writes.
pub struct Data {
    stores: Stores,
    /// Whether one test alone has these stores, and may stop them.
    own: bool,
    database: Option<Database>,
    // The last field: the stores have stopped when it is dropped.
    home: TemporaryDirectory,
}

impl Data {
    /// The stores that the apps of this test binary share: those of `REDIS_URL` and
    /// `DATABASE_URL`, with a database of their own, else private ones.
    pub(crate) async fn shared() -> Result<Arc<Self>> {
        static SHARED: OnceCell<Arc<Data>> = OnceCell::const_new();
        let start = async || {
            let options = shared_options().await?;
            let data = Arc::new(Self::start(options, false).await?);
            let remove = Arc::clone(&data);
            cleanup::at_exit(async move { remove.end().await });
            anyhow::Ok(data)
        };
        SHARED.get_or_try_init(start).await.cloned()
    }

    /// Private stores, for tests that stop them.
    pub(crate) async fn own() -> Result<Arc<Self>> {
        let options = Options::private(Durability::Ephemeral);
        Ok(Arc::new(Self::start(options, true).await?))
    }

    async fn start(options: Options, own: bool) -> Result<Self> {
        dev_services::remove_stale_instances().await;
        let home = TemporaryDirectory::create()?;
        let external = options.database_url.is_some();
        let options = with_template(options).await?;
        let stores = Stores::start(options, DirectoryLock::take(home.path())?).await?;
        let database = if external {
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
        dev_services::migrate::migrate(data.database_url(), &migrations()).await?;
        randomize_identities(&dev_services::connect(data.database_url()).await?).await?;
        Ok(data)
    }

    /// The URL of Redis, with the password.
    pub fn redis_url(&self) -> &str {
        self.stores.redis_url()
    }

    /// The URL of the database, with the password.
    pub fn database_url(&self) -> &str {
        self.database
            .as_ref()
            .map_or_else(|| self.stores.database_url(), |database| &database.url)
    }

    /// The directory of the data and the logs.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn redis(&self) -> Result<&ServerProcess> {
        ensure!(self.own, SHARED);
        self.stores.redis()
    }

    pub(crate) fn postgres(&self) -> Result<&ServerProcess> {
        ensure!(self.own, SHARED);
        self.stores.postgres()
    }

    /// Stops and removes what was created for the tests.
    async fn end(&self) {
        if let Some(database) = &self.database {
            let _ = database.remove().await;
        }
        let _ = self.stores.stop().await;
        self.home.remove();
    }
}

const SHARED: &str =
    "a test that stops a store needs stores of its own: App::builder().own_stores()";

/// External stores if the environment names them, else private ones, else containers.
async fn shared_options() -> Result<Options> {
    let options = Options::from_environment(Durability::Ephemeral);
    #[cfg(feature = "docker")]
    let options = crate::docker::fill(options).await?;
    Ok(options)
}

async fn with_template(mut options: Options) -> Result<Options> {
    if options.database_url.is_none() {
        options.template = Some(Template::of_repository(workspace_root()).await?);
    }
    Ok(options)
}

fn migrations() -> PathBuf {
    workspace_root().join("migrations")
}
