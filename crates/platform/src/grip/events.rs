//! The events of WebSocket-over-HTTP: `TYPE\r\n`, or `TYPE hexadecimal-length\r\ncontent\r\n`.

const LINE_END: &[u8] = b"\r\n";

/// What happened to a WebSocket, or is to happen to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketEvent {
    /// It opens.
    Open,
    /// A text; proxies pass on what is no UTF-8.
    Text(Vec<u8>),
    /// A binary message.
    Binary(Vec<u8>),
    /// A ping with its payload.
    Ping(Vec<u8>),
    /// A pong with its payload.
    Pong(Vec<u8>),
    /// It closes cleanly, with a code where there is one, and a reason.
    Close(Option<u16>, Vec<u8>),
    /// The connection is gone.
    Disconnect,
}

/// A body that is no list of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no list of WebSocket events")]
pub struct InvalidEvents;

/// Reads the events of a body. Events of a type that is not known are left out, as the protocol wants.
pub fn parse_events(mut body: &[u8]) -> Result<Vec<SocketEvent>, InvalidEvents> {
    let mut events = Vec::new();
    while !body.is_empty() {
        let (name, length, rest) = parse_head(body)?;
        let (content, rest) = match length {
            Some(length) => parse_content(rest, length)?,
            None => (&[][..], rest),
        };
        body = rest;
        events.extend(event(name, content));
    }
    Ok(events)
}

/// Name, declared length, and what comes behind the line.
fn parse_head(body: &[u8]) -> Result<(&str, Option<usize>, &[u8]), InvalidEvents> {
    let end = find(body, LINE_END).ok_or(InvalidEvents)?;
    let line = str::from_utf8(&body[..end]).map_err(|_| InvalidEvents)?;
    let rest = &body[end + LINE_END.len()..];
    let Some((name, length)) = line.split_once(' ') else {
        return Ok((line, None, rest));
    };
    // `from_str_radix` takes a sign.
    let plain = length.bytes().all(|digit| digit.is_ascii_hexdigit());
    let length = usize::from_str_radix(length, 16).ok().filter(|_| plain);
    Ok((name, Some(length.ok_or(InvalidEvents)?), rest))
}

fn parse_content(rest: &[u8], length: usize) -> Result<(&[u8], &[u8]), InvalidEvents> {
    let (content, rest) = rest.split_at_checked(length).ok_or(InvalidEvents)?;
    let rest = rest.strip_prefix(LINE_END).ok_or(InvalidEvents)?;
    Ok((content, rest))
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|part| part == wanted)
}

fn event(name: &str, content: &[u8]) -> Option<SocketEvent> {
    let owned = || content.to_vec();
    Some(match name {
        "OPEN" => SocketEvent::Open,
        "TEXT" => SocketEvent::Text(owned()),
        "BINARY" => SocketEvent::Binary(owned()),
        "PING" => SocketEvent::Ping(owned()),
        "PONG" => SocketEvent::Pong(owned()),
        "CLOSE" => close(content),
        "DISCONNECT" => SocketEvent::Disconnect,
        _ => return None,
    })
}

fn close(content: &[u8]) -> SocketEvent {
    match content {
        [high, low, reason @ ..] => {
            SocketEvent::Close(Some(u16::from_be_bytes([*high, *low])), reason.to_vec())
        }
        _ => SocketEvent::Close(None, vec![]),
    }
}

/// Writes events as a body.
#[must_use]
pub fn write_events(events: &[SocketEvent]) -> Vec<u8> {
    let mut body = Vec::new();
    for event in events {
        let (name, content) = parts(event);
        body.extend_from_slice(name.as_bytes());
        if let Some(content) = &content {
            body.extend_from_slice(format!(" {:x}\r\n", content.len()).as_bytes());
            body.extend_from_slice(content);
        }
        body.extend_from_slice(LINE_END);
    }
    body
}

fn parts(event: &SocketEvent) -> (&'static str, Option<Vec<u8>>) {
    match event {
        SocketEvent::Open => ("OPEN", None),
        SocketEvent::Text(text) => ("TEXT", Some(text.clone())),
        SocketEvent::Binary(content) => ("BINARY", Some(content.clone())),
        SocketEvent::Ping(payload) => ("PING", Some(payload.clone())),
        SocketEvent::Pong(payload) => ("PONG", Some(payload.clone())),
        SocketEvent::Close(None, _) => ("CLOSE", None),
        SocketEvent::Close(Some(code), reason) => {
            ("CLOSE", Some([&code.to_be_bytes()[..], reason].concat()))
        }
        SocketEvent::Disconnect => ("DISCONNECT", None),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn events() -> impl Strategy<Value = Vec<SocketEvent>> {
        let content = || proptest::collection::vec(any::<u8>(), 0..40);
        let event = prop_oneof![
            Just(SocketEvent::Open),
            content().prop_map(SocketEvent::Text),
            content().prop_map(SocketEvent::Binary),
            content().prop_map(SocketEvent::Ping),
            content().prop_map(SocketEvent::Pong),
            (any::<u16>(), content()).prop_map(|(code, why)| SocketEvent::Close(Some(code), why)),
            Just(SocketEvent::Close(None, vec![])),
            Just(SocketEvent::Disconnect),
        ];
        proptest::collection::vec(event, 0..6)
    }

    proptest! {
        #[test]
        fn events_survive_their_body(events in events()) {
            prop_assert_eq!(parse_events(&write_events(&events)), Ok(events));
        }

        #[test]
        fn a_body_that_is_cut_is_refused_or_has_fewer_events(events in events(), cut: prop::sample::Index) {
            let body = write_events(&events);
            prop_assume!(!body.is_empty());
            if let Ok(found) = parse_events(&body[..cut.index(body.len())]) {
                prop_assert!(found.len() < events.len());
                prop_assert_eq!(&found[..], &events[..found.len()]);
            }
        }

        #[test]
        fn any_body_is_events_or_refused(body in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse_events(&body);
        }
    }

    #[test]
    fn a_body_is_what_the_protocol_shows() {
        let events = [
            SocketEvent::Open,
            SocketEvent::Text(b"hello\r\nworld, 16b".to_vec()),
            SocketEvent::Close(Some(1009), vec![]),
        ];
        let body = b"OPEN\r\nTEXT 11\r\nhello\r\nworld, 16b\r\nCLOSE 2\r\n\x03\xf1\r\n";
        assert_eq!(write_events(&events), body);
        assert_eq!(parse_events(body).as_deref(), Ok(&events[..]));
        assert_eq!(parse_events(b""), Ok(vec![]));
    }

    #[test]
    fn unknown_events_are_left_out_and_wrong_lengths_refused() {
        assert_eq!(
            parse_events(b"LATER 2\r\nab\r\nPING 0\r\n\r\n"),
            Ok(vec![SocketEvent::Ping(vec![])])
        );
        for body in [
            "OPEN",
            "TEXT -1\r\n\r\n",
            "TEXT +1\r\na\r\n",
            "TEXT 3\r\nab\r\n",
            "TEXT 1\r\nab\r\n",
            "TEXT \r\n\r\n",
            "TEXT ffffffffffffffffff\r\n\r\n",
            "\u{fc}",
        ] {
            assert_eq!(
                parse_events(body.as_bytes()),
                Err(InvalidEvents),
                "{body:?}"
            );
        }
    }
}
