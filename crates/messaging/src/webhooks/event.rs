//! What a receiver is sent.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::deliveries::delivery_id;
use crate::ids::{ConversationId, Seq, UserId, WebhookId};
use crate::{Error, Result};

/// An event that is to be sent.
#[derive(Debug)]
pub struct Queued {
    /// Where it happened.
    pub conversation: ConversationId,
    /// Its position there.
    pub seq: Seq,
    /// How often it was tried.
    pub attempts: i64,
    pub(super) event_type: String,
    pub(super) timestamp: String,
    /// The message that it is about, as it is now.
    pub(super) message: Option<String>,
    pub(super) user: Option<UserId>,
}

/// The body of [Standard Webhooks](https://www.standardwebhooks.com).
#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    event_type: &'a str,
    timestamp: &'a str,
    data: Data,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    conversation_id: ConversationId,
    seq: Seq,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<UserId>,
}

impl Queued {
    /// By what the receiver knows it, however often it is sent.
    pub fn id(&self, receiver: WebhookId) -> String {
        delivery_id(receiver, self.conversation, self.seq)
    }

    /// The body; the text of the message only with `contents`.
    pub fn body(&self, contents: bool) -> Result<Vec<u8>> {
        let message = self.message.as_deref();
        let message = message.map(|json| shown(json, contents)).transpose();
        let body = Body {
            event_type: &self.event_type,
            timestamp: &self.timestamp,
            data: Data {
                conversation_id: self.conversation,
                seq: self.seq,
                message: message.map_err(not_json)?,
                user_id: self.user,
            },
        };
        serde_json::to_vec(&body).map_err(not_json)
    }
}

fn not_json(error: serde_json::Error) -> Error {
    Error::internal(format!("the JSON of a message: {error}"))
}

fn shown(message: &str, contents: bool) -> serde_json::Result<Box<RawValue>> {
    if contents {
        return RawValue::from_string(message.to_owned());
    }
    let mut message: Value = serde_json::from_str(message)?;
    if let Some(members) = message.as_object_mut() {
        members.remove("content");
    }
    serde_json::value::to_raw_value(&message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_the_text_only_where_it_is_asked_for() {
        let event = Queued {
            conversation: "7".parse().unwrap(),
            seq: "3".parse().unwrap(),
            attempts: 0,
            event_type: "new-message".into(),
            timestamp: "2026-01-31T12:00:00.000Z".into(),
            message: Some(r#"{"id":9,"content":"Hi"}"#.into()),
            user: None,
        };
        let body = |contents| String::from_utf8(event.body(contents).unwrap()).unwrap();
        assert_eq!(
            body(true),
            r#"{"type":"new-message","timestamp":"2026-01-31T12:00:00.000Z","data":{"conversationId":7,"seq":3,"message":{"id":9,"content":"Hi"}}}"#
        );
        assert_eq!(
            body(false),
            r#"{"type":"new-message","timestamp":"2026-01-31T12:00:00.000Z","data":{"conversationId":7,"seq":3,"message":{"id":9}}}"#
        );
        assert_eq!(event.id("5".parse().unwrap()), "msg_5_7_3");
    }
}
