//! Server-Sent Events as the WHATWG's HTML standard has them (section 9.2).

use std::fmt;
use std::time::Duration;

/// What the client refetches after: its history has a hole that this stream
/// cannot fill.
const RESYNC: &str = "resync";

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Where a client that got this block goes on; `None` leaves that as it was.
    pub id: Option<String>,
    /// The event's name.
    pub event: String,
    /// Its payload.
    pub data: String,
}

impl Block {
    /// Tells the client to fetch anew what it shows, and then to go on from `id`.
    #[must_use]
    pub fn resync(id: impl ToString) -> Self {
        Self {
            id: Some(id.to_string()),
            event: RESYNC.into(),
            data: format!(r#"{{"type":"{RESYNC}"}}"#),
        }
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(id) = &self.id {
            writeln!(f, "id: {id}")?;
        }
        writeln!(f, "event: {}", self.event)?;
        // A line break in the data would otherwise end the field.
        for line in self.data.split(['\n', '\r']) {
            writeln!(f, "data: {line}")?;
        }
        writeln!(f)
    }
}

/// The first block: how long to wait before a reconnection, and where that
/// goes on from if nothing is sent before it. A client takes an id from a block
/// without data too.
#[must_use]
pub fn opening(retry: Duration, id: Option<String>) -> String {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    format!(": connected\nretry: {}\n{id}\n", retry.as_millis())
}

/// A line that clients pass over.
#[must_use]
pub fn comment(text: &str) -> String {
    format!(": {text}\n\n")
}

/// Where a client that comes back left off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastEventId<T> {
    /// It has no past.
    None,
    /// Behind this.
    After(T),
    /// Behind something that is not of this feed.
    Foreign,
}

impl<T: std::str::FromStr> LastEventId<T> {
    /// Reads the header's or the parameter's text; an empty one is none.
    #[must_use]
    pub fn parse(text: Option<&str>) -> Self {
        match text {
            None | Some("") => Self::None,
            Some(text) => text.parse().map_or(Self::Foreign, Self::After),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a client that follows the standard makes of a stream: the events,
    /// and the id in force at each.
    fn events(text: &str) -> Vec<(String, String, String)> {
        let (mut id, mut event, mut data) = (String::new(), String::new(), Vec::new());
        let mut events = Vec::new();
        for line in text.split('\n') {
            match line.split_once(": ").unwrap_or((line, "")) {
                ("", "") if !data.is_empty() => {
                    events.push((id.clone(), event.clone(), data.join("\n")));
                    data.clear();
                }
                ("id", value) => id = value.into(),
                ("event", value) => event = value.into(),
                ("data", value) => data.push(value.to_owned()),
                _ => {}
            }
        }
        events
    }

    proptest! {
        #[test]
        fn a_client_reads_back_what_was_sent(data in proptest::collection::vec("[^\r\n]+", 1..4), seq in proptest::option::of(0..99u8)) {
            let block = Block { id: seq.map(|seq| seq.to_string()), event: "typing-start".into(), data: data.join("\n") };
            let text = format!("{}{}{block}", opening(Duration::from_secs(1), Some("5".into())), comment("here"));
            let id = block.id.unwrap_or("5".into());
            prop_assert_eq!(events(&text), [(id, block.event, data.join("\n"))]);
        }
    }

    #[test]
    fn an_event_is_three_lines_and_an_empty_one() {
        let block = Block {
            id: Some("7".into()),
            event: "new-message".into(),
            data: "{}".into(),
        };
        assert_eq!(block.to_string(), "id: 7\nevent: new-message\ndata: {}\n\n");
        assert_eq!(
            Block::resync(3).to_string(),
            "id: 3\nevent: resync\ndata: {\"type\":\"resync\"}\n\n"
        );
    }

    #[test]
    fn what_is_no_id_of_this_feed_is_foreign() {
        let parse = LastEventId::<i64>::parse;
        assert_eq!(parse(None), LastEventId::None);
        assert_eq!(parse(Some("")), LastEventId::None);
        assert_eq!(parse(Some("12")), LastEventId::After(12));
        assert_eq!(parse(Some("12-0")), LastEventId::Foreign);
    }
}
