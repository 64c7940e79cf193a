//! What is published to the subscribers of a channel: `POST {control address}/publish/`.

use serde::Serialize;

/// What the subscribers of a channel get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The channel.
    pub channel: String,
    /// Its id: the proxy drops a repetition within a minute.
    pub id: Option<String>,
    /// What they get.
    pub content: Content,
}

/// What is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Sockets get a text frame, at once: the proxy would hold back what comes out of order for
    /// seconds, and clients put it in order.
    Frame(String),
    /// Streams get a piece of their body. With the id of the one before it the proxy puts it in order,
    /// and a stream that lacks that one asks for it by its link.
    Chunk {
        /// The piece.
        text: String,
        /// The id of the one before it.
        previous: Option<String>,
    },
    /// Streams ask by their links, and sockets get a ping, whose answer comes as a request.
    Check,
    /// Streams ask by their links, and sockets are closed with this code.
    Close(u16),
}

#[derive(Serialize)]
struct Body<'a> {
    items: Vec<JsonItem<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct JsonItem<'a> {
    channel: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prev_id: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    no_seq: bool,
    formats: Formats<'a>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Formats<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    ws_message: Option<Format<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_stream: Option<Format<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Format<'a> {
    Text {
        content: &'a str,
    },
    Control {
        r#type: &'static str,
        content: &'static str,
    },
    Action {
        action: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<u16>,
    },
}

const HINT: Format<'_> = Format::Action {
    action: "hint",
    code: None,
};

impl<'a> JsonItem<'a> {
    fn of(item: &'a Item) -> Self {
        let Item {
            channel,
            id,
            content,
        } = item;
        let previous = match content {
            Content::Chunk { previous, .. } => previous.as_deref(),
            _ => None,
        };
        Self {
            channel,
            id: id.as_deref(),
            prev_id: previous,
            no_seq: !matches!(content, Content::Chunk { .. }),
            formats: Formats::of(content),
        }
    }
}

impl<'a> Formats<'a> {
    fn of(content: &'a Content) -> Self {
        let (ws_message, http_stream) = match content {
            Content::Frame(text) => (Some(Format::Text { content: text }), None),
            Content::Chunk { text, .. } => (None, Some(Format::Text { content: text })),
            Content::Check => (Some(PING), Some(HINT)),
            Content::Close(code) => (Some(close(*code)), Some(HINT)),
        };
        Self {
            ws_message,
            http_stream,
        }
    }
}

const PING: Format<'_> = Format::Control {
    r#type: "ping",
    content: "",
};

const fn close(code: u16) -> Format<'static> {
    Format::Action {
        action: "close",
        code: Some(code),
    }
}

/// The body of a request that publishes items.
#[must_use]
pub fn publish_body(items: &[Item]) -> Vec<u8> {
    let items = items.iter().map(JsonItem::of).collect();
    // Structs of texts have a JSON form.
    serde_json::to_vec(&Body { items }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(id: Option<&str>, content: Content) -> String {
        let item = Item {
            channel: "user-7".into(),
            id: id.map(str::to_owned),
            content,
        };
        String::from_utf8(publish_body(&[item])).unwrap()
    }

    #[test]
    fn items_are_what_the_protocol_shows() {
        assert_eq!(
            body(Some("5-0.abc"), Content::Frame(r#"c:"x""#.into())),
            r#"{"items":[{"channel":"user-7","id":"5-0.abc","no-seq":true,"formats":{"ws-message":{"content":"c:\"x\""}}}]}"#
        );
        let chunk = Content::Chunk {
            text: "data: x\n\n".into(),
            previous: Some("4".into()),
        };
        assert_eq!(
            body(Some("5"), chunk),
            r#"{"items":[{"channel":"user-7","id":"5","prev-id":"4","formats":{"http-stream":{"content":"data: x\n\n"}}}]}"#
        );
        assert_eq!(
            body(None, Content::Check),
            r#"{"items":[{"channel":"user-7","no-seq":true,"formats":{"ws-message":{"type":"ping","content":""},"http-stream":{"action":"hint"}}}]}"#
        );
        assert_eq!(
            body(None, Content::Close(4401)),
            r#"{"items":[{"channel":"user-7","no-seq":true,"formats":{"ws-message":{"action":"close","code":4401},"http-stream":{"action":"hint"}}}]}"#
        );
    }
}
