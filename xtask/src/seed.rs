//! `seed`: the demo conversation.

use anyhow::{Context, Result};
use clap::Args;
use dev_services::progress;

use crate::{instance, migrate};

/// Add the demo conversation 1 with participants 1, 2 and 3 if it is missing.
#[derive(Args)]
pub struct Arguments {}

/// Inserts the conversation and its participants unless the id exists.
const CONVERSATION: &str = "
    with demo as (
        insert into conversations (id, title) overriding system value values (1, 'Demo matter')
        on conflict (id) do nothing
        returning id
    )
    insert into participants (conversation_id, user_id)
    select demo.id, users.id from demo, unnest(array[1, 2, 3]) as users (id)";

/// Advances the sequence beyond the explicit id.
const NEXT_ID: &str = "
    select setval(pg_get_serial_sequence('conversations', 'id'), greatest(last_value, 1))
    from conversations_id_seq";

pub async fn run() -> Result<()> {
    instance::with_database(|url| async move {
        migrate::apply(&url).await?;
        apply(&url).await
    })
    .await
}

pub async fn apply(database_url: &str) -> Result<()> {
    let mut session = dev_services::connect(database_url).await?;
    let seed = session.transaction().await?;
    let added = seed
        .execute(CONVERSATION, &[])
        .await
        .context("cannot add the demo conversation")?;
    if added > 0 {
        seed.query(NEXT_ID, &[])
            .await
            .context("cannot advance the conversation ids")?;
        progress("added the demo conversation 1 with participants 1, 2 and 3");
    }
    Ok(seed.commit().await?)
}
