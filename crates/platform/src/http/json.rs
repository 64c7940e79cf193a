//! Bodies: one JSON object, read strictly.
//!
//! serde takes an array for a struct, and the last of two members of the same name. Here the text
//! becomes a tree first, in which no object has a member twice, and a struct is read from an
//! object only.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    Deserialize, DeserializeOwned, Deserializer, Error as _, IntoDeserializer, MapAccess,
    SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Error as JsonError, Number};

use crate::{Error, Result};

const NOT_AN_OBJECT: &str = "must be a JSON object";
/// The longest name of a member that an answer repeats, in bytes.
const MAX_NAME: usize = 64;

/// Reads a body; the answer to a mistake names the member and never repeats its value.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    let text = str::from_utf8(body).map_err(|_| Error::malformed("body", "is not UTF-8"))?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let node = serde_path_to_error::deserialize(&mut deserializer).map_err(malformed)?;
    deserializer
        .end()
        .map_err(|_| Error::malformed("body", "has data behind the JSON object"))?;
    if !matches!(node, Node::Object(_)) {
        return Err(Error::malformed("body", NOT_AN_OBJECT));
    }
    serde_path_to_error::deserialize(node).map_err(malformed)
}

fn malformed(error: serde_path_to_error::Error<JsonError>) -> Error {
    let path = error.path().to_string();
    let names_a_member = error.inner().is_data() && path != "." && path.len() <= MAX_NAME;
    let field = if names_a_member { path } else { "body".into() };
    Error::malformed(field, explain(error.inner()))
}

fn explain(error: &JsonError) -> String {
    use serde_json::error::Category;
    const OURS: [&str; 3] = ["missing field", "must be", "has the member"];
    let text = error.to_string();
    let text = text.split(" at line").next().unwrap_or_default();
    match error.classify() {
        Category::Data if OURS.iter().any(|ours| text.starts_with(ours)) => text.replace('`', ""),
        Category::Data => "has the wrong type".into(),
        _ if text.starts_with("recursion limit") => "is nested too deeply".into(),
        _ => "is not JSON".into(),
    }
}

/// A JSON value.
enum Node {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    Array(Vec<Node>),
    Object(BTreeMap<String, Node>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Number::from_f64(value).map_or(Node::Null, Node::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Node, E> {
        Ok(Node::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Node, A::Error> {
        let mut array = Vec::new();
        while let Some(value) = values.next_element()? {
            array.push(value);
        }
        Ok(Node::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
        let mut object = BTreeMap::new();
        while let Some(name) = members.next_key::<String>()? {
            match object.entry(name) {
                Entry::Vacant(entry) => {
                    entry.insert(members.next_value()?);
                }
                Entry::Occupied(entry) => return Err(repeated(entry.key())),
            }
        }
        Ok(Node::Object(object))
    }
}

fn repeated<E: serde::de::Error>(name: &str) -> E {
    if name.len() > MAX_NAME {
        return E::custom("has the member with a long name twice");
    }
    E::custom(format_args!("has the member {name} twice"))
}

impl<'de> IntoDeserializer<'de, JsonError> for Node {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Node {
    type Error = JsonError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Number(value) => value.deserialize_any(visitor),
            Self::Text(value) => visitor.visit_string(value),
            Self::Array(values) => visitor.visit_seq(SeqDeserializer::new(values.into_iter())),
            Self::Object(members) => visitor.visit_map(MapDeserializer::new(members.into_iter())),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        match self {
            Self::Null => visitor.visit_none(),
            value => visitor.visit_some(value),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        match self {
            Self::Object(_) => self.deserialize_any(visitor),
            _ => Err(JsonError::custom(NOT_AN_OBJECT)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        visitor.visit_newtype_struct(self)
    }

    /// The name of a variant; variants with contents are not part of any body.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        match self {
            Self::Text(name) => visitor.visit_enum(name.into_deserializer()),
            _ => Err(JsonError::custom("is not a name")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Thing {
        #[serde(rename = "userId")]
        _user_id: std::num::NonZeroU32,
        #[serde(rename = "quietHours")]
        _quiet_hours: Option<Hours>,
    }

    #[derive(Debug, serde::Deserialize)]
    struct Hours {
        _from: Option<String>,
    }

    fn fault(body: &[u8]) -> (String, String) {
        match parse::<Thing>(body) {
            Err(Error::Malformed(mut errors)) => {
                let error = errors.remove(0);
                (error.field.into_owned(), error.message)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_mistake_names_the_member_and_keeps_its_value_out() {
        assert_eq!(
            fault(br#"{"userId":"s3cret"}"#),
            ("userId".into(), "has the wrong type".into())
        );
        assert_eq!(fault(br#"{"userId":0}"#).0, "userId");
        assert_eq!(fault(b"{}"), ("body".into(), "missing field userId".into()));
        for body in ["", "{", r#"{"userId":"#, r#"{"a":{"b":}}"#] {
            let expected = ("body".into(), "is not JSON".into());
            assert_eq!(fault(body.as_bytes()), expected, "{body}");
        }
        assert!(parse::<Thing>(br#" {"userId":1,"quietHours":null} "#).is_ok());
    }

    #[test]
    fn what_is_no_object_is_not_taken_for_one() {
        let wanted = "must be a JSON object".to_owned();
        for body in ["[1]", "[1,null]", "[]", "1", "null", "\"userId\"", "true"] {
            assert_eq!(
                fault(body.as_bytes()),
                ("body".into(), wanted.clone()),
                "{body}"
            );
        }
        let nested = br#"{"userId":1,"quietHours":["22:00"]}"#;
        assert_eq!(fault(nested), ("quietHours".into(), wanted));
    }

    #[test]
    fn a_member_that_is_there_twice_is_named() {
        for body in [
            r#"{"userId":1,"userId":1}"#,
            r#"{"userId":1,"user\u0049d":2}"#,
            r#"{"other":{"userId":1,"a":[],"userId":1},"userId":1}"#,
        ] {
            let message = fault(body.as_bytes()).1;
            assert_eq!(message, "has the member userId twice", "{body}");
        }
        let long = "x".repeat(1000);
        let message = fault(format!(r#"{{"{long}":1,"{long}":1}}"#).as_bytes()).1;
        assert!(message.len() < 60, "{message}");
    }

    #[test]
    fn data_behind_the_object_is_refused() {
        for body in [r#"{"userId":1} x"#, r#"{"userId":1}{"userId":1}"#] {
            let wanted = "has data behind the JSON object";
            assert_eq!(fault(body.as_bytes()), ("body".into(), wanted.into()));
        }
    }

    #[test]
    fn json_is_nested_as_deep_as_it_likes_without_harm() {
        let nested = "[".repeat(100_000) + &"]".repeat(100_000);
        let body = format!(r#"{{"userId":1,"other":{nested}}}"#);
        assert_eq!(fault(body.as_bytes()).1, "is nested too deeply");
        let shallow = "[".repeat(100) + &"]".repeat(100);
        let body = format!(r#"{{"userId":1,"other":{shallow}}}"#);
        assert!(parse::<Thing>(body.as_bytes()).is_ok());
    }

    #[test]
    fn what_is_not_utf8_is_refused_wherever_it_is() {
        let body = b"{\"userId\":1,\"other\":\"\xff\"}";
        assert_eq!(fault(body), ("body".into(), "is not UTF-8".into()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_value_or_malformed(body in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Err(error) = parse::<Thing>(&body) {
                prop_assert!(matches!(error, Error::Malformed(_)));
            }
        }

        #[test]
        fn values_are_read_as_serde_json_reads_them(text in "\\PC*", number: i64, flag: bool) {
            #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
            struct All { text: String, number: i64, flag: bool, list: Vec<i64>, none: Option<i64> }
            let all = All { text, number, flag, list: vec![number, 1], none: None };
            prop_assert_eq!(parse::<All>(&serde_json::to_vec(&all).unwrap()).unwrap(), all);
        }
    }
}
