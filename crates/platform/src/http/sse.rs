//! Server-Sent Events by the WHATWG's HTML standard (section 9.2).

use std::fmt;
use std::time::Duration;

/// The client has to fetch its state anew: its history has a gap that this stream cannot fill.
const RESYNC: &str = "resync";

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SseEvent {
    /// Where a client that received this event resumes; `None` leaves that as it was.
    pub id: Option<String>,
    /// The event's name.
    pub event: String,
    /// Its payload.
    pub data: String,
}

impl SseEvent {
    /// The client fetches its state anew, and resumes behind `id`.
    #[must_use]
    pub fn resync(id: impl ToString) -> Self {
        Self {
            id: Some(id.to_string()),
            event: RESYNC.into(),
            data: format!(r#"{{"type":"{RESYNC}"}}"#),
        }
    }
}

impl fmt::Display for SseEvent {
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

/// The first lines of a stream: how long a client waits before it reconnects, and where it resumes
/// if it receives no event before that. A client takes an id from an event without data too.
#[must_use]
pub fn opening(retry: Duration, id: Option<String>) -> String {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    format!(": connected\nretry: {}\n{id}\n", retry.as_millis())
}

/// A line that clients ignore.
#[must_use]
pub fn comment(text: &str) -> String {
    format!(": {text}\n\n")
}

/// The resume position that a client sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastEventId<T> {
    /// It sends none: it is new.
    None,
    /// It has received what is before this, and this.
    After(T),
    /// It sends what is no position in this feed.
    Unknown,
}

impl<T: std::str::FromStr> LastEventId<T> {
    /// Reads the header's fields, else the parameter's text; an empty one is none. A client that
    /// sends what cannot be read had a position: it is not taken for a new one.
    #[must_use]
    pub fn of<'a>(
        mut header: impl Iterator<Item = Option<&'a str>>,
        parameter: Option<&str>,
    ) -> Self {
        match (header.next(), header.next()) {
            (None | Some(Some("")), None) => Self::parse(parameter),
            (Some(Some(text)), None) => Self::parse(Some(text)),
            _ => Self::Unknown,
        }
    }

    fn parse(text: Option<&str>) -> Self {
        match text {
            None | Some("") => Self::None,
            // A number's sign is no part of any position.
            Some(text) if !text.starts_with(|first: char| first.is_ascii_digit()) => Self::Unknown,
            Some(text) => text.parse().map_or(Self::Unknown, Self::After),
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
            let event = SseEvent { id: seq.map(|seq| seq.to_string()), event: "typing-start".into(), data: data.join("\n") };
            let text = format!("{}{}{event}", opening(Duration::from_secs(1), Some("5".into())), comment("here"));
            let id = event.id.unwrap_or("5".into());
            prop_assert_eq!(events(&text), [(id, event.event, data.join("\n"))]);
        }
    }

    #[test]
    fn an_event_is_three_lines_and_an_empty_one() {
        let event = SseEvent {
            id: Some("7".into()),
            event: "new-message".into(),
            data: "{}".into(),
        };
        assert_eq!(event.to_string(), "id: 7\nevent: new-message\ndata: {}\n\n");
        assert_eq!(
            SseEvent::resync(3).to_string(),
            "id: 3\nevent: resync\ndata: {\"type\":\"resync\"}\n\n"
        );
    }

    #[test]
    fn other_texts_are_no_position() {
        let parse = LastEventId::<i64>::parse;
        assert_eq!(parse(None), LastEventId::None);
        assert_eq!(parse(Some("")), LastEventId::None);
        assert_eq!(parse(Some("12")), LastEventId::After(12));
        for text in ["12-0", "+12", "-12", "x", " 12"] {
            assert_eq!(parse(Some(text)), LastEventId::Unknown, "{text:?}");
        }
    }

    #[test]
    fn a_header_that_cannot_be_read_is_an_unknown_position() {
        let of = |header: &[Option<&str>], parameter| {
            LastEventId::<i64>::of(header.iter().copied(), parameter)
        };
        assert_eq!(of(&[], None), LastEventId::None);
        assert_eq!(of(&[], Some("5")), LastEventId::After(5));
        assert_eq!(of(&[Some("")], Some("5")), LastEventId::After(5));
        assert_eq!(of(&[Some("7")], Some("5")), LastEventId::After(7));
        assert_eq!(of(&[None], Some("5")), LastEventId::Unknown);
        assert_eq!(of(&[Some("7"), Some("7")], None), LastEventId::Unknown);
    }
}
