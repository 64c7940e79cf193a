//! The index: messages of components of before, and plans.

use dev_services::{connect, reindex::reindex};
use messaging::sealing::Keys;
use serde_json::{Value, json};
use testkit::{App, app};
use tests::{Room, content_keys, path_of};

use super::found;
use crate::growth::migrated;
use crate::migrations::{create_database, drop_database};

#[tokio::test]
async fn messages_of_the_version_before_are_found_after_a_reindex() {
    let app = app().await;
    let room = Room::new(app, 1).await;
    let user = room.users[0];
    let said = room.say(app, user, "old indexed").await;
    let database = app.postgres().await;
    let post = format!(
        "select post_batch(array[{}], array[{user}], array['old posted'], array[null], array[null]::bigint[],
            array[null], false)", room.id);
    let edit = format!("select edit_message({}, {user}, 'old edited')", said["id"]);
    database.batch_execute(&post).await.expect("a post");
    database.batch_execute(&edit).await.expect("an edit");
    assert_eq!(
        found(app, user, "old").await,
        [""; 0],
        "not by the words of before"
    );
    let url = app.data().database_url();
    assert!(reindex(url, false, &content_keys()).await.expect("a run") >= 2);
    assert_eq!(found(app, user, "old").await, ["old posted", "old edited"]);
    assert_eq!(found(app, user, "indexed").await, [""; 0]);
    let path = format!("{}?userId={user}", path_of(&said));
    app.delete(&path).await.expect_status(204);
    reindex(url, true, &content_keys()).await.expect("a run");
    assert_eq!(found(app, user, "old").await, ["old posted"]);
}

#[tokio::test]
async fn a_reindex_writes_what_the_components_write() {
    let app = App::builder().prepare().await.expect("stores");
    let url = create_database(&app).await;
    let database = migrated(&url).await;
    let insert = "
        insert into conversations (id, message_count) overriding system value values (1, 1200);
        insert into messages (conversation_id, ordinal, sender_id, content, created_at)
        select 1, n, 1, 'It''s number ' || n || ' of ''1200'' \\', now() from generate_series(1, 1200) n";
    database.batch_execute(insert).await.expect("messages");
    assert_eq!(
        reindex(&url, false, &Keys::default()).await.expect("a run"),
        1200
    );
    assert_eq!(
        reindex(&url, false, &Keys::default()).await.expect("a run"),
        0
    );
    assert_eq!(
        reindex(&url, true, &Keys::default()).await.expect("a run"),
        1200
    );
    let words = "select words::text from messages where ordinal = 7";
    let words: String = database.query_one(words, &[]).await.expect("a row").get(0);
    assert_eq!(words, "'1200':5 '7':3 'it''s':1 'number':2 'of':4");
    drop_database(&app, &url).await;
}

/// 40,000 messages in 2,000 conversations; user 1 takes part in the first 40. One in five has a common word,
/// one in a hundred an uncommon one, and each has one of its own.
const MESSAGES: &str = "
    insert into conversations (id, message_count) overriding system value
        select n, 20 from generate_series(1, 2000) n;
    insert into participants (conversation_id, user_id)
        select n, 1 from generate_series(1, 40) n union all select n, 1000 + n from generate_series(1, 2000) n;
    insert into messages (conversation_id, ordinal, sender_id, content, created_at, words)
        select 1 + n % 2000, 1 + n / 2000, 1, 'text', now(), to_tsvector('simple', 'text own' || n
            || case when n % 5 = 0 then ' common' else '' end || case when n % 100 = 7 then ' uncommon' else '' end)
        from generate_series(0, 39999) n;";

/// The rows that a session has read from tables and not reported yet.
const READ: &str = "
    select coalesce(sum(seq_tup_read + idx_tup_fetch), 0)::bigint from pg_stat_xact_user_tables";

#[tokio::test]
async fn a_search_reads_about_what_it_finds() {
    let app = App::builder().prepare().await.expect("stores");
    let url = create_database(&app).await;
    let database = migrated(&url).await;
    database.batch_execute(MESSAGES).await.expect("messages");
    // Without statistics as well: a restored database has none, and then all that have the words are read.
    for (statistics, common) in [("select", 8100), ("analyze", 1000)] {
        database.batch_execute(statistics).await.expect(statistics);
        for (words, query, most) in [
            ("'absent'", "'absent'", 50),
            ("'own39999'", "'own39999'", 60),
            ("'own39':*", "'own39':*", 1500),
            ("'common'", "'common'", common),
            ("'text' & 'own7'", "'text' <-> 'own7'", 900),
        ] {
            let read = rows_read(&url, words, query).await;
            assert!(read <= most, "{query} after {statistics}: {read} rows");
        }
    }
    drop_database(&app, &url).await;
}

async fn rows_read(url: &str, words: &str, query: &str) -> i64 {
    let mut session = connect(url).await.expect("a session");
    let transaction = session.transaction().await.expect("a transaction");
    let find = format!(
        "select * from find_messages(array(select conversation_id from participants where user_id = 1),
            $q${words}$q$, $q${query}$q$, false, null, null, null, null, null, 21)"
    );
    transaction.batch_execute(&find).await.expect(&find);
    let read = transaction.query_one(READ, &[]).await;
    read.expect("a count").get(0)
}

#[tokio::test]
async fn an_edit_that_changes_nothing_keeps_the_words() {
    let app = app().await;
    let room = Room::new(app, 1).await;
    let said: Value = room.say(app, room.users[0], "the same").await;
    let path = format!("{}?userId={}", path_of(&said), room.users[0]);
    for content in ["the same", "the  same", "The same!"] {
        app.patch(&path, json!({ "content": content }))
            .await
            .expect_status(200);
        assert_eq!(found(app, room.users[0], "same").await, [content]);
    }
}
