//! Stores in containers, for machines with a container engine and without the programs.

use anyhow::Result;
use dev_services::Options;
use testcontainers::core::{IntoContainerPort, WaitFor};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, GenericImage, ImageExt};

use crate::cleanup;

const PASSWORD: &str = "only-for-this-container";

/// Starts containers for the stores that are neither external nor installed.
pub(crate) async fn fill(mut options: Options) -> Result<Options> {
    if options.redis_url.is_none() && !dev_services::redis::is_installed() {
        let redis = redis().await?;
        options.redis_url = Some(format!("redis://{}", address(&redis, 6379).await?));
        remove_at_exit(redis);
    }
    if options.database_url.is_none() && !dev_services::postgres::is_installed() {
        let postgres = postgres().await?;
        options.database_url = Some(format!(
            "postgres://postgres:{PASSWORD}@{}/postgres",
            address(&postgres, 5432).await?
        ));
        remove_at_exit(postgres);
    }
    Ok(options)
}

async fn redis() -> Result<ContainerAsync<GenericImage>> {
    let ready = WaitFor::message_on_stdout("Ready to accept connections");
    let image = GenericImage::new("redis", "7")
        .with_exposed_port(6379.tcp())
        .with_wait_for(ready);
    Ok(image
        .with_cmd(["redis-server", "--notify-keyspace-events", "Ex"])
        .start()
        .await?)
}

async fn postgres() -> Result<ContainerAsync<GenericImage>> {
    // The image starts the server once to initialise it, and is ready after the second start.
    let ready = WaitFor::message_on_stderr("database system is ready to accept connections");
    let image = GenericImage::new("postgres", "15")
        .with_exposed_port(5432.tcp())
        .with_wait_for(ready.clone())
        .with_wait_for(ready);
    Ok(image
        .with_env_var("POSTGRES_PASSWORD", PASSWORD)
        .start()
        .await?)
}

async fn address(container: &ContainerAsync<GenericImage>, port: u16) -> Result<String> {
    Ok(format!(
        "{}:{}",
        container.get_host().await?,
        container.get_host_port_ipv4(port).await?
    ))
}

fn remove_at_exit(container: ContainerAsync<GenericImage>) {
    cleanup::at_exit(async move { drop(container.rm().await) });
}
