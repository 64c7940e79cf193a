//! Migrations of a database that has data: nothing is lost, whatever the version before.

use std::path::PathBuf;

use dev_services::migrate::migrate;
use dev_services::{TemporaryDirectory, connect};
use testkit::{App, unique_id, workspace_root};
use tests::derived;
use tokio_postgres::Client;

/// Rows as the first version has them; later versions add columns with defaults.
///
/// Conversation 1 has two participants and six messages: one with a client message id, a reply,
/// a system message, one that was edited and one that was deleted. Conversation 2 is empty.
const ROWS: &str = "
    insert into conversations (id, title, message_count, event_seq, list_seq, relayed_seq)
        overriding system value values (1, 'Müller ./. Meier', 6, 10, 9, 7), (2, null, 0, 0, 0, 0);
    insert into participants (conversation_id, user_id, last_read_ordinal)
        values (1, 11, 2), (1, 12, 4), (2, 11, 0);
    insert into messages (id, conversation_id, ordinal, sender_id, kind, content,
            client_message_id, client_digest, reply_to_id, created_at, edited_at, deleted_at)
        overriding system value values
        (101, 1, 1, 11, 'user', 'first', 'a1', sha256('first'), null, '2026-01-02 03:04:05.678Z', null, null),
        (102, 1, 2, 12, 'user', 'a reply', null, null, 101, '2026-01-02 03:05:00Z', null, null),
        (103, 1, 3, null, 'system', 'The file was opened.', null, null, null, '2026-01-02 03:06:00Z', null, null),
        (104, 1, 4, 12, 'user', 'edited', null, null, null, '2026-01-02 03:07:00Z', '2026-01-02 03:08:00Z', null),
        (105, 1, 5, 11, 'user', null, null, null, null, '2026-01-02 03:09:00Z', null, '2026-01-02 03:10:00Z'),
        (106, 1, 6, 11, 'user', 'last', null, null, null, '2026-01-02 03:11:00Z', null, null);
    insert into reads (conversation_id, user_id, ordinal, read_at)
        values (1, 11, 2, '2026-01-02 04:00:00Z'), (1, 12, 4, '2026-01-02 04:00:01Z');
    insert into events (conversation_id, seq, type, message_id, user_id) values
        (1, 1, 'new-message', 101, null), (1, 2, 'new-message', 102, null),
        (1, 3, 'new-message', 103, null), (1, 4, 'new-message', 104, null),
        (1, 5, 'message-edited', 104, null), (1, 6, 'new-message', 105, null),
        (1, 7, 'message-deleted', 105, null), (1, 8, 'participant-joined', null, 12),
        (1, 9, 'new-message', 106, null), (1, 10, 'message-read', 104, 12);
    select setval(pg_get_serial_sequence('messages', 'id'), 106),
        setval(pg_get_serial_sequence('conversations', 'id'), 2)";

/// The number of rows of every table.
const COUNTS: &str = "
    select array[(select count(*) from conversations), (select count(*) from participants),
        (select count(*) from messages), (select count(*) from reads), (select count(*) from events)]";

/// The messages and events in the form in which clients see them, and of conversations what the first
/// version had.
const CONTENT: &str = "
    select (select string_agg(message_json(m), ' ' order by m.id) from messages m)
        || (select string_agg(e.seq || ' ' || e.type::text || ' ' || coalesce(e.message_id, 0), ' '
                order by e.seq) from events e)
        || (select string_agg(
                (conversation_json(c)::jsonb - 'retentionDays' - 'revisions' - 'assistant')::text,
                ' ' order by c.id) from conversations c)";

/// The files of all migrations, in their order.
fn files() -> Vec<PathBuf> {
    let version = |path: &PathBuf| -> Option<u32> {
        let name = path.file_name()?.to_str()?.strip_prefix('V')?;
        name.split_once("__")?.0.parse().ok()
    };
    let directory = std::fs::read_dir(workspace_root().join("migrations"));
    let paths = directory.expect("migrations").flatten();
    let mut files: Vec<PathBuf> = paths
        .map(|entry| entry.path())
        .filter(|path| version(path).is_some())
        .collect();
    files.sort_by_key(version);
    files
}

/// A new database on the server of the tests.
pub async fn create_database(app: &App) -> String {
    let name = format!("lexiflow_migration_{}", unique_id());
    let server = app.postgres().await;
    let create = format!("create database {name}");
    server.batch_execute(&create).await.expect("a database");
    let url = app.data().database_url();
    let (server, _) = url.rsplit_once('/').expect("a database in the URL");
    format!("{server}/{name}")
}

pub async fn drop_database(app: &App, url: &str) {
    let (_, name) = url.rsplit_once('/').expect("a database in the URL");
    let drop = format!("drop database {name} with (force)");
    let server = app.postgres().await;
    server.batch_execute(&drop).await.expect("it is dropped");
}

async fn counts(database: &Client) -> Vec<i64> {
    let row = database.query_one(COUNTS, &[]).await;
    row.expect("counts").get(0)
}

async fn content(database: &Client) -> String {
    let row = database.query_one(CONTENT, &[]).await;
    row.expect("messages").get(0)
}

#[tokio::test]
async fn data_of_every_version_survives_the_later_migrations() {
    let app = App::builder().prepare().await.expect("stores");
    let files = files();
    assert!(files.len() > 1, "{files:?}");
    for applied in 1..files.len() {
        let url = create_database(&app).await;
        let earlier = TemporaryDirectory::create().expect("a directory");
        for file in &files[..applied] {
            let name = file.file_name().expect("a name");
            std::fs::copy(file, earlier.path().join(name)).expect("a copy");
        }
        let migrated = migrate(&url, earlier.path()).await.expect("migrations");
        assert_eq!(migrated.len(), applied);
        let database = connect(&url).await.expect("a session");
        database.batch_execute(ROWS).await.expect("rows");
        let before = (counts(&database).await, content(&database).await);
        assert_eq!(before.0, [2, 3, 6, 2, 10]);

        let all = workspace_root().join("migrations");
        let migrated = migrate(&url, &all).await.expect("migrations");
        assert_eq!(migrated.len(), files.len() - applied);
        // A new session: the old one has cached plans of dropped columns.
        let database = connect(&url).await.expect("a session");
        let after = (counts(&database).await, content(&database).await);
        assert_eq!(after, before, "after version {applied}");
        drop_database(&app, &url).await;
    }
}

#[tokio::test]
async fn the_counters_that_a_migration_adds_are_computed_from_the_data() {
    let app = App::builder().prepare().await.expect("stores");
    let url = create_database(&app).await;
    let first = TemporaryDirectory::create().expect("a directory");
    let file = &files()[0];
    let name = file.file_name().expect("a name");
    std::fs::copy(file, first.path().join(name)).expect("a copy");
    migrate(&url, first.path()).await.expect("V1");
    let database = connect(&url).await.expect("a session");
    database.batch_execute(ROWS).await.expect("rows");

    let all = workspace_root().join("migrations");
    migrate(&url, &all).await.expect("the later migrations");
    let database = connect(&url).await.expect("a session");
    let unread = "select user_id, count from unread where conversation_id = 1 order by user_id";
    let rows = database.query(unread, &[]).await.expect("counts");
    let unread: Vec<(i64, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    // User 11 has not read 3 and 4, user 12 has not read 6; 5 was deleted.
    assert_eq!(unread, [(11, 2), (12, 1)]);
    drop_database(&app, &url).await;
}

/// A conversation of 1,000 messages of three senders, in which every seventh was deleted, and one who
/// has left; `ROWS` with it are what a version before the sums has.
const HISTORY: &str = "
    insert into conversations (id, message_count, event_seq, list_seq, relayed_seq)
        overriding system value values (3, 1000, 1001, 1000, 1001);
    insert into participants (conversation_id, user_id, last_read_ordinal)
        values (3, 21, 0), (3, 22, 255), (3, 23, 256), (3, 24, 1000);
    insert into messages (conversation_id, ordinal, sender_id, content, created_at, deleted_at)
        select 3, n, 21 + n % 3, case when n % 7 > 0 then 'text' end, now(),
            case when n % 7 = 0 then now() end
        from generate_series(1, 1000) n;
    insert into reads (conversation_id, user_id, ordinal, read_at)
        values (3, 22, 255, now()), (3, 23, 256, now()), (3, 24, 1000, now()), (3, 25, 700, now());
    insert into events (conversation_id, seq, type, user_id) values (3, 1001, 'participant-left', 25)";

#[tokio::test]
async fn sums_and_listings_of_a_migrated_database_agree_with_its_messages() {
    let app = App::builder().prepare().await.expect("stores");
    let url = create_database(&app).await;
    let first = TemporaryDirectory::create().expect("a directory");
    let name = files()[0].file_name().expect("a name").to_owned();
    std::fs::copy(&files()[0], first.path().join(name)).expect("a copy");
    migrate(&url, first.path()).await.expect("V1");
    let database = connect(&url).await.expect("a session");
    database.batch_execute(ROWS).await.expect("rows");
    database.batch_execute(HISTORY).await.expect("a history");

    let all = workspace_root().join("migrations");
    migrate(&url, &all).await.expect("the later migrations");
    let database = connect(&url).await.expect("a session");
    derived::assert_exact(&database).await;

    // The functions of the version before keep them.
    let old = "
        select post_messages(array[3, 3], array[21, 24], array['a', 'b'], array[null, null], array[null, null]::bigint[])";
    database.batch_execute(old).await.expect("posts");
    database
        .batch_execute("delete from participants where conversation_id = 3 and user_id = 23")
        .await
        .expect("a participant left");
    derived::assert_exact(&database).await;
    let receipts = "
        select array_agg(f.user_id order by f.user_id) from former_participants f where f.conversation_id = 3";
    let former: Vec<i64> = database
        .query_one(receipts, &[])
        .await
        .expect("rows")
        .get(0);
    assert_eq!(former, [23, 25]);
    drop_database(&app, &url).await;
}
