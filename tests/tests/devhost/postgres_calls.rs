//! `spin:postgres`.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{App, send, unique_id};

use crate::{builder, guest, json};

async fn query(app: &App, statement: &str) -> Value {
    let request = app.request(Method::POST, "/postgres/query");
    send(request.body(statement.to_owned()))
        .await
        .expect_status(200)
        .json()
}

#[tokio::test]
async fn every_type_is_read_the_same_by_both_calls() {
    let answer = json(guest().await, "/postgres/values").await;
    assert_eq!(answer["columns"], answer["streamed"]["columns"]);
    assert_eq!(answer["rows"], answer["streamed"]["rows"]);
    let row = answer["rows"][0].as_array().expect("there is a row");
    let expected = [
        "Boolean(true)",
        "Int16(2)",
        "Int32(3)",
        "Int64(4)",
        "Floating32(1.5)",
        "Floating64(2.5)",
        "Str(\"text\")",
        "Str(\"varchar\")",
        "Str(\"bp\")",
        "Binary([1, 2])",
        "Date((2024, 2, 29))",
        "Time((23, 59, 58, 123456000))",
        "Datetime((2024, 2, 29, 12, 34, 56, 789000000))",
        "Uuid(\"67e55044-10b1-426f-9247-bb680e5fe0c8\")",
        "Jsonb(",
        "Decimal(\"12.340\")",
        "Interval(Interval { micros: 3000000, days: 2, months: 1 })",
        "RangeInt32((Some((1, RangeBoundKind::Inclusive)), Some((5, RangeBoundKind::Exclusive))))",
        "RangeInt64((None, Some((8, RangeBoundKind::Exclusive))))",
        "RangeDecimal((Some((\"1.5\", RangeBoundKind::Exclusive)), Some((\"2.5\", RangeBoundKind::Inclusive))))",
        "ArrayInt32([Some(1), None])",
        "ArrayInt64([Some(2), None])",
        "ArrayDecimal([Some(\"1.5\"), None])",
        "ArrayStr([Some(\"a\"), None])",
        "Unsupported(",
        "DbNull",
    ];
    assert_eq!(row.len(), expected.len());
    for (value, expected) in row.iter().zip(expected) {
        let value = value.as_str().expect("values are shown as text");
        assert!(
            value.starts_with(&format!("DbValue::{expected}")),
            "{value}"
        );
    }
}

#[tokio::test]
async fn parameters_of_every_type_are_sent() {
    let answer = json(guest().await, "/postgres/parameters").await;
    let expected = json!([
        "true",
        "A",
        "2",
        "3",
        "4",
        "1.5",
        "2.5",
        "text",
        "\\x0102",
        "2024-02-29",
        "23:59:58.123456",
        "2024-02-29 12:34:56",
        answer[12],
        "67e55044-10b1-426f-9247-bb680e5fe0c8",
        "{\"a\": 1}",
        "12.340",
        "1 mon 2 days 00:00:03",
        "[1,5)",
        "(,8)",
        "(1.5,2.5]",
        "{1,NULL}",
        "{2,NULL}",
        "{1.5,NULL}",
        "{a,NULL}",
        null
    ]);
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn errors_carry_their_code_and_constraint() {
    let app = guest().await;
    let table = format!("conformance_{}", unique_id());
    let create = format!("create table {table} (id int constraint {table}_once unique)");
    query(app, &create).await;
    let insert = format!("insert into {table} values (1) returning id");
    assert_eq!(
        query(app, &insert).await["rows"],
        json!([["DbValue::Int32(1)"]])
    );
    let error = query(app, &insert).await;
    assert_eq!(error["code"], "23505");
    let constraint = json!(["constraint", format!("{table}_once")]);
    assert!(
        error["extras"]
            .as_array()
            .is_some_and(|extras| extras.contains(&constraint))
    );
}

#[tokio::test]
async fn many_rows_are_streamed() {
    let numbers = query(guest().await, "select * from generate_series(1, 20000)").await;
    let rows = numbers["rows"].as_array().expect("there are rows");
    assert_eq!(rows.len(), 20_000);
    assert_eq!(rows[19_999], json!(["DbValue::Int32(20000)"]));
}

#[tokio::test]
async fn an_error_after_some_rows_is_reported() {
    let statement = "select 1 / (5000 - n) from generate_series(1, 6000) n";
    assert_eq!(query(guest().await, statement).await["code"], "22012");
}

#[tokio::test]
async fn a_migration_does_not_surface_in_kept_statements() {
    // An app of its own has one instance, and that keeps one connection.
    let app = &builder().spawn().await;
    let table = format!("conformance_{}", unique_id());
    let select = format!("select * from {table}");
    let session = app.postgres().await;
    session
        .batch_execute(&format!("create table {table} as select 1 a"))
        .await
        .expect("the table is made");
    assert_eq!(
        query(app, &select).await["rows"],
        json!([["DbValue::Int32(1)"]])
    );
    session
        .batch_execute(&format!("alter table {table} add b text default 'new'"))
        .await
        .expect("the table is changed");
    let expected = json!([["DbValue::Int32(1)", "DbValue::Str(\"new\")"]]);
    assert_eq!(query(app, &select).await["rows"], expected);
}

#[tokio::test]
async fn a_type_that_spin_lacks_is_an_error() {
    let error = query(guest().await, "select now()").await["error"].to_string();
    assert!(error.contains("timestamptz"), "{error}");
}
