//! Converts the reply of a command to the values that a guest receives.

use redis::{RedisError, Value};

use crate::bindings::spin::redis::redis::{Error, RedisResult};

/// Spin's limit for one reply.
const MAX_BYTES: usize = 128 << 20;

/// The values of a reply, one after the other: a guest sees no nesting, as in
/// Spin.
pub fn flatten(reply: Value) -> Result<Vec<RedisResult>, Error> {
    let mut results = Vec::new();
    append(reply, &mut results)?;
    check_size(results.iter().map(size).sum())?;
    Ok(results)
}

fn append(reply: Value, results: &mut Vec<RedisResult>) -> Result<(), Error> {
    match reply {
        Value::Nil => results.push(RedisResult::Nil),
        Value::Int(number) => results.push(RedisResult::Int64(number)),
        Value::Boolean(truth) => results.push(RedisResult::Int64(truth.into())),
        Value::BulkString(bytes) => results.push(RedisResult::Binary(bytes)),
        Value::Double(number) => results.push(RedisResult::Binary(number.to_string().into_bytes())),
        Value::SimpleString(text) => results.push(RedisResult::Status(text)),
        Value::Okay => results.push(RedisResult::Status("OK".to_owned())),
        Value::Array(values) | Value::Set(values) => {
            results.reserve(values.len());
            for value in values {
                append(value, results)?;
            }
        }
        Value::ServerError(error) => return Err(server_error(error)),
        Value::Map(_) => return Err(unsupported("Map")),
        Value::Attribute { .. } => return Err(unsupported("Attribute")),
        Value::Push { .. } => return Err(unsupported("Push")),
        Value::VerbatimString { .. } => return Err(unsupported("string with format attribute")),
        _ => return Err(unsupported("value of this")),
    }
    Ok(())
}

fn server_error(error: redis::ServerError) -> Error {
    Error::Other(RedisError::from(error).to_string())
}

fn unsupported(kind: &str) -> Error {
    Error::Other(format!(
        "Could not convert Redis response: Redis {kind} type is not supported"
    ))
}

fn size(result: &RedisResult) -> usize {
    size_of::<RedisResult>()
        + match result {
            RedisResult::Binary(bytes) => bytes.len(),
            RedisResult::Status(text) => text.len(),
            RedisResult::Nil | RedisResult::Int64(_) => 0,
        }
}

/// Refuses a reply of more than the limit.
pub fn check_size(bytes: usize) -> Result<(), Error> {
    if bytes > MAX_BYTES {
        return Err(Error::Other(format!(
            "query result exceeds limit of {MAX_BYTES} bytes"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_replies_are_flattened_in_order() {
        let reply = Value::Array(vec![
            Value::Int(1),
            Value::Array(vec![Value::BulkString(b"a".to_vec()), Value::Nil]),
            Value::Okay,
            Value::Boolean(true),
            Value::Double(1.5),
        ]);
        assert!(matches!(
            flatten(reply).unwrap().as_slice(),
            [
                RedisResult::Int64(1),
                RedisResult::Binary(_),
                RedisResult::Nil,
                RedisResult::Status(_),
                RedisResult::Int64(1),
                RedisResult::Binary(_),
            ]
        ));
    }

    #[test]
    fn maps_are_refused() {
        assert!(flatten(Value::Map(Vec::new())).is_err());
    }
}
