//! The calls that are measured, on the data of `seed.sql`.

use reqwest::Method;
use serde_json::{Value, json};

#[derive(Clone, Copy)]
pub enum Size {
    Small,
    Large,
}

impl Size {
    fn of(self, small: i64, large: i64) -> i64 {
        match self {
            Self::Small => small,
            Self::Large => large,
        }
    }
}

/// An HTTP call; the path is below `/api/v1`.
pub struct Call {
    pub method: Method,
    pub path: String,
    pub body: Option<Value>,
}

pub struct Case {
    pub name: &'static str,
    /// What comes before each measured call.
    pub prepare: Option<fn(Size, i64) -> Call>,
    /// The call of a sample; samples are numbered from 1.
    pub call: fn(Size, i64) -> Call,
}

pub const CASES: &[Case] = &[
    Case {
        name: "mark as read, the middle of 1,000 -> 1,000,000",
        prepare: None,
        call: |size, sample| {
            let message = size.of(message(1, 500), message(2, 500_000));
            read(message, sample)
        },
    },
    Case {
        name: "mark as read, the newest of 1,000 -> 1,000,000",
        prepare: None,
        call: |size, sample| {
            let message = size.of(message(1, 1000), message(2, 1_000_000));
            read(message, sample)
        },
    },
    Case {
        name: "come back to 1,000 -> 1,000,000 messages",
        prepare: Some(|size, sample| {
            let path = format!("/conversations/{}/participants/{sample}", size.of(1, 2));
            call(Method::DELETE, path, None)
        }),
        call: |size, sample| {
            let path = format!("/conversations/{}/participants", size.of(1, 2));
            call(Method::POST, path, Some(json!({ "userId": sample })))
        },
    },
    Case {
        name: "mark as read behind 500 -> 100,000 tombstones",
        prepare: None,
        call: |size, sample| read(size.of(message(6, 501), message(7, 100_001)), sample),
    },
    Case {
        name: "unread of one with 500 -> 100,000 tombstones",
        prepare: None,
        call: |size, _| {
            let conversation = size.of(6, 7);
            get(format!(
                "/messages/users/60/unread-count?conversationId={conversation}"
            ))
        },
    },
    Case {
        name: "receipts, an old of 1,000 -> 1,000,000 messages",
        prepare: None,
        call: |size, _| receipts(size.of(message(3, 1), message(4, 1))),
    },
    Case {
        name: "receipts, the newest of 1,000 -> 1,000,000 messages",
        prepare: None,
        call: |size, _| receipts(size.of(message(3, 1000), message(4, 1_000_000))),
    },
    Case {
        name: "receipts, read by 2 -> 500 people",
        prepare: None,
        call: |size, _| receipts(size.of(message(3, 1), message(5, 1))),
    },
    Case {
        name: "unread in all, in 10 -> 10,000 conversations",
        prepare: None,
        call: |size, _| get(format!("/messages/users/{}/unread-count", user(size))),
    },
    Case {
        name: "conversation list, in 10 -> 10,000 conversations",
        prepare: None,
        call: |size, _| get(format!("/conversations?userId={}&limit=10", user(size))),
    },
    Case {
        name: "come online, in 10 -> 10,000 conversations",
        prepare: Some(|size, _| {
            let path = format!("/messages/users/{}/offline", user(size));
            call(Method::POST, path, None)
        }),
        call: |size, _| {
            let path = format!("/messages/users/{}/online", user(size));
            call(Method::POST, path, None)
        },
    },
    Case {
        name: "page in the middle of 1,000 -> 1,000,000 messages",
        prepare: None,
        call: |size, _| {
            let (conversation, before) =
                (size.of(1, 2), size.of(message(1, 500), message(2, 500_000)));
            get(format!(
                "/messages?conversationId={conversation}&before={before}"
            ))
        },
    },
    Case {
        name: "post after 1,000 -> 1,000,000 messages",
        prepare: None,
        call: |size, _| {
            let body =
                json!({ "conversationId": size.of(1, 2), "senderId": 50, "content": "Hello" });
            call(Method::POST, "/messages".into(), Some(body))
        },
    },
];

/// The id of a conversation's message.
fn message(conversation: i64, ordinal: i64) -> i64 {
    conversation * 10_000_000 + ordinal
}

/// The user in few or many conversations.
fn user(size: Size) -> i64 {
    size.of(1010, 1000)
}

fn read(message: i64, user: i64) -> Call {
    let path = format!("/messages/messages/{message}/read");
    call(Method::POST, path, Some(json!({ "userId": user })))
}

fn receipts(message: i64) -> Call {
    get(format!("/messages/messages/{message}/receipts"))
}

fn get(path: String) -> Call {
    call(Method::GET, path, None)
}

fn call(method: Method, path: String, body: Option<Value>) -> Call {
    Call { method, path, body }
}
