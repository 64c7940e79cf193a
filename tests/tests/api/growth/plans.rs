//! No statement reads many rows to find a few, whatever the statistics say.

use dev_services::connect;
use messaging::statements;
use serde_json::Value;
use testkit::App;
use tokio_postgres::{Client, SimpleQueryMessage, Transaction};

use super::sums::migrated;
use crate::migrations::{create_database, drop_database};

/// 2,000 conversations of two users each, as most are.
const EVEN: &str = "
    insert into conversations (id, message_count, event_seq, list_seq, relayed_seq)
        overriding system value select 10000 + n, 1, 1, 1, 1 from generate_series(1, 2000) n;
    insert into messages (id, conversation_id, ordinal, sender_id, content, created_at)
        overriding system value select 100000 + n, 10000 + n, 1, 20000 + n, 'text', now() from generate_series(1, 2000) n;
    insert into participants (conversation_id, user_id, last_read_ordinal)
        select 10000 + n, 20000 + n + u, 1 from generate_series(1, 2000) n, generate_series(0, 1) u;
    insert into reads (conversation_id, user_id, ordinal, read_at)
        select 10000 + n, 20001 + n, 1, now() from generate_series(1, 2000) n;
    insert into events (conversation_id, seq, type, message_id)
        select 10000 + n, 1, 'new-message', 100000 + n from generate_series(1, 2000) n;
    analyze";

/// User 1 takes part in 5,000 conversations, and conversation 1 has 5,000 messages.
const SKEWED: &str = "
    insert into conversations (id, message_count, event_seq, list_seq, relayed_seq, last_activity_at)
        overriding system value
        select n, case n when 1 then 5000 else 1 end, 1, 1, 1, now() - n * interval '1 second'
        from generate_series(1, 5000) n;
    insert into messages (id, conversation_id, ordinal, sender_id, content, created_at)
        overriding system value
        select n, n, 1, 1000 + n, 'text', now() from generate_series(1, 5000) n
        union all select 10000 + n, 1, n, 1001 + n % 2, 'text', now() from generate_series(2, 5000) n;
    insert into participants (conversation_id, user_id, last_read_ordinal)
        select n, u, case n when 1 then 5000 else 1 end from generate_series(1, 5000) n
        cross join lateral (values (1), (1000 + n)) u (u)
        union all select 1, 10000 + n, 0 from generate_series(1, 60) n;
    insert into reads (conversation_id, user_id, ordinal, read_at)
        select 1, 1, n, now() from generate_series(2, 5000, 2) n
        union all select n, 1, 1, now() from generate_series(2, 5000) n;
    insert into events (conversation_id, seq, type, message_id)
        select n, 1, 'new-message', n from generate_series(1, 5000) n;";

/// The most rows that a statement may read from tables and indexes.
const ROWS: f64 = 400.0;

/// The parameters after the conversation, or message, or user, by the name of the statement.
fn parameters(name: &str) -> &'static str {
    match name {
        "the newest messages" => "1, 50",
        "the page before a message" | "the page after a message" => "1, 12500, 50",
        "a message" => "12500",
        "whether a conversation is visible" => "1",
        "the receipts of a message" => "12500",
        "a page of events" => "1, 0, 50",
        "a user's conversations" => "1, 21",
        "a later page of a user's conversations" => {
            "1, 21, (extract(epoch from now()) * 1000)::bigint - 1000000, 1"
        }
        "what is unread in all" => "1",
        "the events of a feed" => "array[7, 8, 9], array[1, 1, 1], 1",
        "memberships" => "1, array[7, 8, 9]",
        other => panic!("there are no parameters for {other}"),
    }
}

#[tokio::test]
async fn statements_read_few_rows_where_statistics_are_skewed() {
    let app = App::builder().prepare().await.expect("stores");
    let url = create_database(&app).await;
    let database = migrated(&url).await;
    // By the statistics of even data, and by those of what there is.
    database.batch_execute(EVEN).await.expect("even data");
    database.batch_execute(SKEWED).await.expect("the data");
    assert_plans(&database).await;
    database.batch_execute("analyze").await.expect("statistics");
    assert_plans(&database).await;
    drop_database(&app, &url).await;
}

async fn assert_plans(database: &Client) {
    let mut long = Vec::new();
    for (name, statement) in statements::VIEWED {
        let common = parameters(name);
        long.extend(reads_many(database, name, statement.service, common).await);
        let viewer = format!("{common}, 1");
        long.extend(reads_many(database, name, statement.user, &viewer).await);
    }
    for (name, statement) in statements::OF_USER {
        long.extend(reads_many(database, name, statement, parameters(name)).await);
    }
    assert!(long.is_empty(), "{}", long.join("\n\n"));
}

/// The plans of a statement that read many rows.
async fn reads_many(
    database: &Client,
    name: &str,
    statement: &str,
    parameters: &str,
) -> Vec<String> {
    let mut found = Vec::new();
    for mode in ["force_custom_plan", "force_generic_plan"] {
        let prepare = format!(
            "set plan_cache_mode = {mode}; deallocate all; prepare measured as {statement}"
        );
        database.batch_execute(&prepare).await.expect(name);
        let explain = format!("explain (analyze, format json) execute measured({parameters})");
        let answer = database.simple_query(&explain).await.expect(name);
        let text = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        let plan: Value = serde_json::from_str(&text.expect("a plan")).expect("JSON");
        let rows = rows_read(&plan[0]["Plan"]);
        if rows > ROWS {
            let scans = scans(&plan[0]["Plan"]);
            found.push(format!(
                "{name} ({mode}) reads {rows} rows:
{scans}"
            ));
        }
    }
    found
}

/// The rows that the scans below a node gave or threw away.
fn rows_read(node: &Value) -> f64 {
    let number = |field: &str| node[field].as_f64().unwrap_or_default();
    let here = if node["Relation Name"].is_string() {
        let removed = number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
        (number("Actual Rows") + removed) * number("Actual Loops")
    } else {
        0.0
    };
    let below = node["Plans"].as_array().into_iter().flatten();
    here + below.map(rows_read).sum::<f64>()
}

/// The scans below a node, with their rows.
fn scans(node: &Value) -> String {
    let field = |name: &str| node[name].to_string();
    let below = node["Plans"].as_array().into_iter().flatten();
    let mut text: String = below.map(scans).collect();
    if node["Relation Name"].is_string() {
        let names = [
            "Node Type",
            "Relation Name",
            "Index Name",
            "Actual Rows",
            "Actual Loops",
            "Filter",
        ];
        text += &names.map(field).join(" ");
        text.push('\n');
    }
    text
}

/// Calls of functions, whose plans are not shown.
const CALLS: [&str; 4] = [
    "select read_message(12500, 10001)",
    "select leave_conversation(1, 10002, null, null)",
    "select join_conversation(1, 10002, null, 500, 1000)",
    "select delete_message(14000, null)",
];

/// Rows read that this session has not reported yet.
const READ: &str = "
    select coalesce(sum(seq_tup_read + idx_tup_fetch), 0)::bigint from pg_stat_xact_user_tables";

#[tokio::test]
async fn changes_read_few_rows_where_statistics_are_skewed() {
    let app = App::builder().prepare().await.expect("stores");
    let url = create_database(&app).await;
    let database = migrated(&url).await;
    database.batch_execute(EVEN).await.expect("even data");
    database.batch_execute(SKEWED).await.expect("the data");
    let mut database = connect(&url).await.expect("a new session");
    for call in CALLS {
        let transaction = database.transaction().await.expect("a transaction");
        let before = rows_read_so_far(&transaction).await;
        transaction.batch_execute(call).await.expect(call);
        let read = rows_read_so_far(&transaction).await - before;
        assert!((1..=1000).contains(&read), "{call} reads {read} rows");
        transaction.commit().await.expect("a commit");
    }
    drop_database(&app, &url).await;
}

async fn rows_read_so_far(transaction: &Transaction<'_>) -> i64 {
    let row = transaction.query_one(READ, &[]).await;
    row.expect("a count").get(0)
}
