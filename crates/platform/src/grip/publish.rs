//! What is published to the subscribers of a channel: `POST {control address}/publish/`.

use serde::Serialize;

/// A message to the sockets that are subscribed to a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The channel.
    pub channel: String,
    /// Its id: the proxy drops a repetition within a minute.
    pub id: String,
    /// One text frame.
    pub text: String,
}

#[derive(Serialize)]
struct Body<'a> {
    items: Vec<JsonItem<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct JsonItem<'a> {
    channel: &'a str,
    id: &'a str,
    /// The proxy would hold back what comes out of order for seconds; clients put it in order.
    no_seq: bool,
    formats: Formats<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Formats<'a> {
    ws_message: Message<'a>,
}

#[derive(Serialize)]
struct Message<'a> {
    content: &'a str,
}

/// The body of a request that publishes items.
#[must_use]
pub fn publish_body(items: &[Item]) -> Vec<u8> {
    let items = items.iter().map(|item| JsonItem {
        channel: &item.channel,
        id: &item.id,
        no_seq: true,
        formats: Formats {
            ws_message: Message {
                content: &item.text,
            },
        },
    });
    // Structs of texts have a JSON form.
    serde_json::to_vec(&Body {
        items: items.collect(),
    })
    .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_what_the_protocol_shows() {
        let item = Item {
            channel: "user-7".into(),
            id: "5-0.abc".into(),
            text: r#"c:"x""#.into(),
        };
        let json = r#"{"items":[{"channel":"user-7","id":"5-0.abc","no-seq":true,"formats":{"ws-message":{"content":"c:\"x\""}}}]}"#;
        assert_eq!(publish_body(&[item]), json.as_bytes());
    }
}
