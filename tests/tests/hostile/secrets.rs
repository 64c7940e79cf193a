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
