//! What was added to a feed whose user has sockets open: the relay publishes it to them.

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

/// Reads what the scripts that add to a feed give back: see `feed_added.lua`.
pub fn read(reply: &[String]) -> Result<Vec<Added>, RedisError> {
    let Some((before, ids)) = reply.split_first() else {
        return Ok(vec![]);
    };
    let mut previous = parse(before)?;
    let mut added = Vec::new();
    for (at, id) in ids.iter().enumerate().filter(|(_, id)| !id.is_empty()) {
        let id = parse(id)?;
        added.push(Added { at, id, previous });
        previous = id;
    }
    Ok(added)
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
        let reply = ["4-1", "5-0", "", "5-1"].map(String::from);
        let added = |at, id: &str, previous: &str| Added {
            at,
            id: id.parse().unwrap(),
            previous: previous.parse().unwrap(),
        };
        let expected = vec![added(0, "5-0", "4-1"), added(2, "5-1", "5-0")];
        assert_eq!(read(&reply), Ok(expected));
        assert_eq!(read(&[]), Ok(vec![]));
        assert!(read(&["x".to_owned()]).is_err());
    }
}
