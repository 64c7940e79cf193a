//! Replies as values.

use spin_sdk::redis::RedisResult;

use super::RedisError;

/// A value that a command's reply can be read as.
pub trait FromReply: Sized {
    /// Reads the reply; a reply of another shape is an error.
    fn from_reply(reply: Vec<RedisResult>) -> Result<Self, RedisError>;
}

/// The error of a reply that has another form than the one that is `wanted`.
#[must_use]
pub fn unexpected(wanted: &str) -> RedisError {
    RedisError::Refused(format!("reply is not {wanted}"))
}

fn one(reply: Vec<RedisResult>) -> Result<RedisResult, RedisError> {
    let mut reply = reply.into_iter();
    match (reply.next(), reply.next()) {
        (Some(value), None) => Ok(value),
        _ => Err(unexpected("one value")),
    }
}

fn bytes(value: RedisResult) -> Result<Vec<u8>, RedisError> {
    match value {
        RedisResult::Binary(bytes) => Ok(bytes),
        RedisResult::Status(text) => Ok(text.into_bytes()),
        RedisResult::Int64(number) => Ok(number.to_string().into_bytes()),
        RedisResult::Nil => Err(unexpected("a string")),
    }
}

/// A value as text.
pub fn utf8(value: RedisResult) -> Result<String, RedisError> {
    String::from_utf8(bytes(value)?).map_err(|_| unexpected("UTF-8"))
}

impl FromReply for () {
    fn from_reply(_: Vec<RedisResult>) -> Result<Self, RedisError> {
        Ok(())
    }
}

impl FromReply for i64 {
    fn from_reply(reply: Vec<RedisResult>) -> Result<Self, RedisError> {
        match one(reply)? {
            RedisResult::Int64(number) => Ok(number),
            _ => Err(unexpected("an integer")),
        }
    }
}

impl FromReply for bool {
    /// True for an integer that is not 0 and for `OK`; false for nil, as `SET … NX` gives it.
    fn from_reply(reply: Vec<RedisResult>) -> Result<Self, RedisError> {
        match one(reply)? {
            RedisResult::Int64(number) => Ok(number != 0),
            RedisResult::Status(_) => Ok(true),
            RedisResult::Nil => Ok(false),
            RedisResult::Binary(_) => Err(unexpected("a yes or no")),
        }
    }
}

impl FromReply for Option<Vec<u8>> {
    fn from_reply(reply: Vec<RedisResult>) -> Result<Self, RedisError> {
        match one(reply)? {
            RedisResult::Nil => Ok(None),
            value => bytes(value).map(Some),
        }
    }
}

impl FromReply for String {
    fn from_reply(reply: Vec<RedisResult>) -> Result<Self, RedisError> {
        utf8(one(reply)?)
    }
}

impl FromReply for Vec<i64> {
    fn from_reply(reply: Vec<RedisResult>) -> Result<Self, RedisError> {
        let integer = |value| match value {
            RedisResult::Int64(number) => Ok(number),
            _ => Err(unexpected("integers")),
        };
        reply.into_iter().map(integer).collect()
    }
}

impl FromReply for Vec<Vec<u8>> {
    fn from_reply(reply: Vec<RedisResult>) -> Result<Self, RedisError> {
        reply.into_iter().map(bytes).collect()
    }
}

impl FromReply for Vec<String> {
    fn from_reply(reply: Vec<RedisResult>) -> Result<Self, RedisError> {
        reply.into_iter().map(utf8).collect()
    }
}

impl FromReply for Vec<(String, Vec<u8>)> {
    /// Pairs, as `HGETALL` gives them.
    fn from_reply(reply: Vec<RedisResult>) -> Result<Self, RedisError> {
        let mut reply = reply.into_iter();
        let mut pairs = Vec::with_capacity(reply.len() / 2);
        while let Some(name) = reply.next() {
            let value = reply.next().ok_or_else(|| unexpected("pairs"))?;
            pairs.push((utf8(name)?, bytes(value)?));
        }
        Ok(pairs)
    }
}

impl FromReply for Vec<(String, f64)> {
    /// Members with their scores.
    fn from_reply(reply: Vec<RedisResult>) -> Result<Self, RedisError> {
        Vec::<(String, Vec<u8>)>::from_reply(reply)?
            .into_iter()
            .map(|(member, score)| {
                let score = std::str::from_utf8(&score)
                    .ok()
                    .and_then(|text| text.parse().ok());
                Ok((member, score.ok_or_else(|| unexpected("a score"))?))
            })
            .collect()
    }
}

impl FromReply for Vec<bool> {
    fn from_reply(reply: Vec<RedisResult>) -> Result<Self, RedisError> {
        reply
            .into_iter()
            .map(|value| bool::from_reply(vec![value]))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nil_is_absent_and_not_empty() {
        assert_eq!(
            Option::<Vec<u8>>::from_reply(vec![RedisResult::Nil]).unwrap(),
            None
        );
        assert!(String::from_reply(vec![RedisResult::Nil]).is_err());
        assert_eq!(
            Vec::<String>::from_reply(vec![]).unwrap(),
            Vec::<String>::new()
        );
    }

    #[test]
    fn scores_are_read_from_pairs() {
        let reply = vec![
            RedisResult::Binary(b"7".to_vec()),
            RedisResult::Binary(b"1.5".to_vec()),
        ];
        assert_eq!(
            Vec::<(String, f64)>::from_reply(reply).unwrap(),
            [("7".to_owned(), 1.5)]
        );
    }
}
