//! The parser of event streams.

use std::collections::VecDeque;

use super::Event;

/// Splits the received bytes into events.
#[derive(Default)]
pub(super) struct Parser {
    /// The bytes of an unfinished line.
    partial: Vec<u8>,
    block: Event,
    has_data: bool,
    pub(super) blocks: VecDeque<Event>,
}

impl Parser {
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' {
                let line = String::from_utf8_lossy(&std::mem::take(&mut self.partial)).into_owned();
                self.line(line.trim_end_matches('\r'));
            } else {
                self.partial.push(*byte);
            }
        }
    }

    fn line(&mut self, line: &str) {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" if line.is_empty() => self.end_block(),
            "" => self.block.comment = Some(value.into()),
            "id" => self.block.id = Some(value.into()),
            "event" => self.block.event = value.into(),
            "data" => self.add_data(value),
            _ => {}
        }
    }

    fn add_data(&mut self, line: &str) {
        if self.has_data {
            self.block.data.push('\n');
        }
        self.block.data.push_str(line);
        self.has_data = true;
    }

    fn end_block(&mut self) {
        let block = std::mem::take(&mut self.block);
        self.has_data = false;
        if block != Event::default() {
            self.blocks.push_back(block);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Parser};

    fn blocks(text: &str) -> Vec<Event> {
        let mut parser = Parser::default();
        text.as_bytes()
            .chunks(3)
            .for_each(|chunk| parser.feed(chunk));
        parser.blocks.into()
    }

    #[test]
    fn events_are_assembled_from_chunks_of_any_size() {
        let found = blocks(
            "id: 7\nevent: new-message\ndata: {\"a\":1}\n\n: still here\n\ndata: one\r\ndata:two\r\n\r\ndata: cut off",
        );
        let event = |id: Option<&str>, event: &str, data: &str| Event {
            id: id.map(Into::into),
            event: event.into(),
            data: data.into(),
            comment: None,
        };
        let comment = Event {
            comment: Some("still here".into()),
            ..Event::default()
        };
        assert_eq!(
            found,
            [
                event(Some("7"), "new-message", "{\"a\":1}"),
                comment.clone(),
                event(None, "", "one\ntwo")
            ]
        );
        assert!(comment.is_comment());
    }
}
