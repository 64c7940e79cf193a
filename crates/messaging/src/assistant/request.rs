//! What is asked, and of which messages.

use futures::join;
use serde::Deserialize;

use super::{BasedOn, Upstream};
use crate::ids::{ConversationId, UserId};
use crate::{Error, Result, conversations, messages, sealing};

/// What the model has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Sum up what was said.
    Summary,
    /// Draft the next message.
    Reply,
    /// Answer a question.
    Question,
}

impl Task {
    /// The task of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "summary" => Some(Self::Summary),
            "reply" => Some(Self::Reply),
            "question" => Some(Self::Question),
            _ => None,
        }
    }

    /// What the model is told to do.
    pub(super) const fn instruction(self) -> &'static str {
        match self {
            Self::Summary => {
                "Sum up the conversation for a colleague who missed it: facts, decisions, open points."
            }
            Self::Reply => "Draft the next message of the conversation, for the user who asks.",
            Self::Question => {
                "Answer the question from the conversation alone, and say so if it does not tell."
            }
        }
    }
}

/// A question about a conversation.
#[derive(Debug)]
pub struct Request {
    /// Which one.
    pub conversation: ConversationId,
    /// What the model has to do.
    pub task: Task,
    /// What the user wants to know.
    pub question: Option<String>,
    /// Of how many messages, at the most.
    pub limit: usize,
    /// The seq of the event that last changed the messages.
    pub(super) list_seq: i64,
    pub(super) lines: Vec<String>,
    pub(super) based_on: BasedOn,
}

#[derive(Deserialize)]
struct Permission {
    #[serde(default)]
    assistant: bool,
}

/// What the model learns of a message.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    ordinal: i64,
    sender_id: Option<i64>,
    content: Option<String>,
    created_at: String,
}

impl Request {
    /// Reads the messages that it is about, and the operator's settings. 404 if the conversation is hidden
    /// from the viewer, 501 without settings, 403 unless it allows the assistant, 422 if it has no messages.
    pub async fn read(
        conversation: ConversationId,
        viewer: Option<UserId>,
        (task, question): (Task, Option<String>),
        limit: usize,
    ) -> Result<(Upstream, Self)> {
        let (visible, newest) = join!(
            conversations::visible(conversation, viewer),
            messages::newest(conversation, viewer)
        );
        let permission: Permission = serde_json::from_str(&visible?.json)
            .map_err(|error| Error::internal(error.to_string()))?;
        let newest = newest?;
        let upstream = Upstream::configured().await?;
        if !permission.assistant {
            return Err(Error::Forbidden(
                "The assistant is not switched on in this conversation.",
            ));
        }
        let from = newest.messages.len().saturating_sub(limit);
        let keys = sealing::keys().await?;
        let lines: Vec<Line> = newest.messages[from..]
            .iter()
            .filter_map(|json| serde_json::from_str(&keys.open(json.clone())).ok())
            .collect();
        let (Some(first), Some(last)) = (lines.first(), lines.last()) else {
            let nothing = "there are no messages to read";
            return Err(Error::invalid("conversationId", nothing));
        };
        let request = Self {
            based_on: BasedOn {
                from_ordinal: first.ordinal,
                to_ordinal: last.ordinal,
            },
            conversation,
            task,
            question,
            limit,
            list_seq: newest.list_seq,
            lines: lines.iter().filter_map(Line::text).collect(),
        };
        Ok((upstream, request))
    }
}

impl Line {
    /// One line; nothing of a deleted message.
    fn text(&self) -> Option<String> {
        let sender = self
            .sender_id
            .map_or_else(|| "system".to_owned(), |id| format!("user {id}"));
        let content = self.content.as_deref()?.replace('\n', " ");
        Some(format!("[{}] {sender}: {content}", self.created_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_and_a_deleted_one_is_none() {
        let line = |json| serde_json::from_str::<Line>(json).unwrap().text();
        assert_eq!(
            line(r#"{"ordinal":1,"senderId":7,"content":"a\nb","createdAt":"T"}"#).as_deref(),
            Some("[T] user 7: a b")
        );
        assert_eq!(
            line(r#"{"ordinal":1,"senderId":null,"content":null,"createdAt":"T"}"#),
            None
        );
    }
}
