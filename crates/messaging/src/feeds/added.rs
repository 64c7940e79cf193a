//! What was added to a feed whose user has readers at a proxy: the relay publishes it to them.

use platform::redis::{InvalidStreamId, RedisError, StreamId, unexpected};

/// An entry that was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Added {
    /// Which one it was of those to add.
    pub at: usize,
    /// Its id.
    pub id: StreamId,
    /// The entry before it.
    pub previous: StreamId,
}

/// What was added to a feed, and which readers it has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Additions {
    /// Whether the user has sockets open.
    pub sockets: bool,
    /// Whether a proxy may hold event streams of the feed.
    pub streams: bool,
    /// The new entries; none without readers.
    pub added: Vec<Added>,
    /// Whether an earlier drain had added some already, and perhaps died before it published them.
    pub repeated: bool,
}

/// Reads what the scripts that add to a feed give back: see `feed_added.lua`.
pub fn read(reply: &[String]) -> Result<Additions, RedisError> {
    let [readers, before, ids @ ..] = reply else {
        return Ok(Additions::default());
    };
    let mut previous = parse(before)?;
    let mut added = Vec::new();
    for (at, id) in ids.iter().enumerate().filter(|(_, id)| !id.is_empty()) {
        let id = parse(id)?;
        added.push(Added { at, id, previous });
        previous = id;
    }
    Ok(Additions {
        sockets: readers.contains('s'),
        streams: readers.contains('h'),
        repeated: added.len() < ids.len(),
        added,
    })
}

fn parse(id: &str) -> Result<StreamId, RedisError> {
    id.parse()
        .map_err(|InvalidStreamId| unexpected("an entry's id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entry_follows_the_one_added_before_it() {
        let reply = ["s", "4-1", "5-0", "", "5-1"].map(String::from);
        let added = |at, id: &str, previous: &str| Added {
            at,
            id: id.parse().unwrap(),
            previous: previous.parse().unwrap(),
        };
        let expected = Additions {
            sockets: true,
            streams: false,
            added: vec![added(0, "5-0", "4-1"), added(2, "5-1", "5-0")],
            repeated: true,
        };
        assert_eq!(read(&reply), Ok(expected));
        assert_eq!(read(&[]), Ok(Additions::default()));
        assert!(read(&["sh", "x"].map(String::from)).is_err());
    }
}
