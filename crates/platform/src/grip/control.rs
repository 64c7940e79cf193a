//! What a response asks of the proxy, between the frames for the client.
//!
//! Every text frame of a response begins with a prefix: `c:` for the proxy, `m:` for the client. The
//! proxy removes the prefix. With the protocol's default, an empty prefix for clients, a user's text
//! that begins with `c:` would be read as a command.

use serde::Serialize;

use super::SocketEvent;

/// The header with which a response accepts a socket.
pub const EXTENSION: &str = "sec-websocket-extensions";
/// Its value: GRIP, with a prefix for what is meant for the client.
pub const EXTENSION_VALUE: &str = r#"grip; message-prefix="m:""#;

const FOR_PROXY: &[u8] = b"c:";
const FOR_CLIENT: &[u8] = b"m:";

/// A command to the proxy about one socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Control {
    /// The client gets what is published to this channel.
    Subscribe {
        /// The channel.
        channel: String,
    },
}

impl Control {
    /// The command as a frame of a response.
    #[must_use]
    pub fn frame(&self) -> SocketEvent {
        // A struct of texts has a JSON form.
        let json = serde_json::to_vec(self).unwrap_or_default();
        SocketEvent::Text([FOR_PROXY, &json].concat())
    }
}

/// A text for the client as a frame of a response.
#[must_use]
pub fn text_frame(text: &str) -> SocketEvent {
    SocketEvent::Text([FOR_CLIENT, text.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a proxy makes of a frame: a command, or a text for the client.
    fn read(frame: &SocketEvent) -> (bool, String) {
        let SocketEvent::Text(text) = frame else {
            panic!("no text");
        };
        let text = str::from_utf8(text).unwrap();
        match text.strip_prefix("m:") {
            Some(text) => (false, text.to_owned()),
            None => (true, text.strip_prefix("c:").unwrap().to_owned()),
        }
    }

    #[test]
    fn a_command_is_for_the_proxy() {
        let channel = "user-7".to_owned();
        let command = Control::Subscribe { channel }.frame();
        let json = r#"{"type":"subscribe","channel":"user-7"}"#;
        assert_eq!(read(&command), (true, json.to_owned()));
    }

    proptest! {
        #[test]
        fn no_text_is_a_command(text in "([cm]:)*.*") {
            prop_assert_eq!(read(&text_frame(&text)), (false, text));
        }
    }
}
