//! Secrets and contents are in no log, no response and no list of processes.

use std::time::Duration;

use reqwest::Method;
use testkit::{App, send, unique_user, wait_for};
use tests::Room;
use tests::token::{self, SECRET};

/// A password that the app must never print.
const PASSWORD: &str = "hunter2-is-no-password";

async fn answers(app: &App, room: &Room) -> String {
    let mut shown = String::new();
    let user = room.users[0];
    for (method, path) in [
        (Method::GET, room.list(50)),
        (Method::GET, format!("/api/v1/conversations?userId={user}")),
        (
            Method::POST,
            format!("/api/v1/messages/users/{user}/online"),
        ),
        (Method::GET, "/api/v1/messages/users/online".into()),
        (Method::POST, "/api/v1/messages/stream-tickets".into()),
        (Method::GET, "/api/v1/health".into()),
    ] {
        let request = app
            .request(method, &path)
            .header("authorization", token::service());
        shown += &send(request).await.to_string();
    }
    shown
}

fn assert_hidden(secrets: &[&str], shown: &str) {
    for secret in secrets {
        let at = shown.find(secret);
        let near = at.map(|at| &shown[at.saturating_sub(200)..at]);
        assert!(at.is_none(), "a secret leaks after: {near:?}");
    }
}

#[tokio::test]
async fn a_wrong_password_does_not_leak() {
    let room = Room {
        id: 1,
        users: vec![unique_user(), unique_user()],
    };
    let hosts = testkit::app().await;
    let url = |real: &str, user: &str| {
        let rest = real.rsplit_once('@').expect("a password").1;
        format!(
            "{}://{user}:{PASSWORD}@{rest}",
            real.split(':').next().expect("a scheme")
        )
    };
    let app = token::closed()
        .variable("redis_url", url(hosts.data().redis_url(), ""))
        .variable("database_url", url(hosts.data().database_url(), "postgres"))
        .spawn()
        .await;
    let shown = answers(&app, &room).await;
    let has_both = |log: &String| {
        let errors = ["Redis connection error", "PostgreSQL connection error"];
        errors.iter().all(|error| log.contains(error))
    };
    let (what, limit) = ("the log has both errors", Duration::from_secs(5));
    wait_for(what, limit, async || app.log(), has_both).await;
    assert_hidden(&[PASSWORD, SECRET], &(shown + &app.log()));
}

#[tokio::test]
async fn nothing_leaks_when_the_stores_are_down() {
    let app = token::closed().own_stores().spawn().await;
    let open = App::builder().same_stores_as(&app).spawn().await;
    let room = Room::new(&open, 2).await;
    let content = "privileged and confidential";
    room.say(&open, room.users[0], content).await;
    let urls = [
        app.data().redis_url().to_owned(),
        app.data().database_url().to_owned(),
    ];
    let passwords: Vec<&str> = urls.iter().filter_map(|url| password(url)).collect();
    assert_eq!(passwords.len(), 2);
    app.stop_redis().await;
    app.stop_postgres().await;
    let refused = room.post(&open, room.users[0], content).await;
    let too_long = content.repeat(1000);
    let invalid = room.post(&open, room.users[0], &too_long).await;
    assert_eq!((refused.status(), invalid.status()), (503, 422));
    let posts = refused.to_string() + &invalid.to_string();
    let shown = posts + &answers(&app, &room).await + &answers(&open, &room).await;
    let token = token::service();
    let request = app.request(Method::GET, "/api/v1/messages/users/1/events");
    let refused = send(request.header("authorization", format!("{token}x"))).await;
    let token = token.trim_start_matches("Bearer ");
    let all = shown + &refused.to_string() + &app.log() + &open.log();
    assert_hidden(&[&passwords[..], &[SECRET, content, token]].concat(), &all);
}

#[tokio::test]
async fn the_list_of_processes_has_no_secret() {
    let app = token::closed().spawn().await;
    let pid = app.devhost().pid().expect("it runs");
    let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).expect("its arguments");
    let arguments = String::from_utf8_lossy(&arguments).into_owned();
    assert!(arguments.contains("--listen"));
    let password = password(app.data().redis_url()).expect("a password");
    assert_hidden(&[password, SECRET], &arguments);
}

fn password(url: &str) -> Option<&str> {
    let (secrets, _) = url.split_once("://")?.1.rsplit_once('@')?;
    secrets.split_once(':').map(|(_, password)| password)
}

/// The URL of the tests' database with other credentials and parameters.
fn database_url(app: &App, user_info: &str, parameters: &str) -> String {
    let url = app.data().database_url();
    let address = url.rsplit_once('@').expect("a user").1;
    let address = address.split('?').next().unwrap_or_default();
    format!("postgres://{user_info}@{address}{parameters}")
}

#[tokio::test]
async fn a_password_with_special_characters_is_taken_as_psql_takes_it() {
    let owner = testkit::app().await;
    let name = format!("role{}", testkit::unique_id());
    let database = owner.postgres().await;
    let create = format!("create role {name} login superuser password 'p?w#&=:x'");
    database.batch_execute(&create).await.expect("a role");
    let url = database_url(owner, &format!("{name}:p?w#&=:x"), "");
    let app = App::builder().same_stores_as(owner);
    let app = app.variable("database_url", url).spawn().await;
    let room = Room::new(&app, 2).await;
    room.say(&app, room.users[0], "Hi").await;
    assert_hidden(&["p?w"], &app.log());
}

#[tokio::test]
async fn a_url_that_cannot_be_taken_is_refused_by_the_name_of_its_variable() {
    let owner = testkit::app().await;
    for (parameters, reason) in [
        (
            "?schema=x",
            "the variable database_url has the parameter schema",
        ),
        (
            "?sslmode=full",
            "the variable database_url has a value of sslmode",
        ),
    ] {
        let user_info = format!("postgres:{PASSWORD}");
        let url = database_url(owner, &user_info, parameters);
        let app = App::builder().same_stores_as(owner);
        let app = app.variable("database_url", url).spawn().await;
        let refused = app.get("/api/v1/conversations?userId=1").await;
        let refused = refused.expect_status(503).to_string();
        let has_reason = |log: &String| log.contains(reason);
        let limit = Duration::from_secs(5);
        let log = wait_for(
            "the log has the reason",
            limit,
            async || app.log(),
            has_reason,
        )
        .await;
        assert_hidden(&[PASSWORD, "schema=x"], &(refused + &log));
    }
    let url = format!("redis://:{PASSWORD}@x@127.0.0.1:1");
    let app = App::builder().same_stores_as(owner);
    let started = app.variable("redis_url", url).try_spawn().await;
    let log = match started {
        Ok(app) => {
            app.get("/api/v1/messages/users/online")
                .await
                .expect_status(503);
            app.log()
        }
        Err(error) => format!("{error:#}"),
    };
    assert_hidden(&[PASSWORD], &log);
}
