//! A JSON object that is sent on with some of its fields changed, and everything else as it came.

use bytes::Bytes;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::fmt;

/// The fields in their order.
pub struct Fields(Vec<(String, Box<RawValue>)>);

/// Why a body is none.
#[derive(Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// No JSON, from this line and column.
    Malformed(usize, usize),
    /// JSON, but no object.
    NoObject,
    /// This field is there twice.
    Twice(String),
    /// This field is of another kind than it has to be.
    Kind(&'static str),
}

const TWICE: &str = "twice: ";
/// No protocol has a tenth of that.
const MOST: usize = 500;

impl Fields {
    /// # Errors
    /// [`Unreadable`].
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        serde_json::from_slice(bytes).map_err(|error| {
            let words = error.to_string();
            if let Some(rest) = words.strip_prefix(TWICE) {
                let name = rest.rsplit_once(" at line").map_or(rest, |(name, _)| name);
                Unreadable::Twice(name.chars().take(80).collect())
            } else if error.is_data() {
                Unreadable::NoObject
            } else {
                Unreadable::Malformed(error.line(), error.column())
            }
        })
    }

    /// The value of a field; nothing if it is not there, or null.
    ///
    /// # Errors
    /// [`Unreadable::Kind`].
    pub fn get<T: DeserializeOwned>(&self, name: &'static str) -> Result<Option<T>, Unreadable> {
        let Some((_, value)) = self.0.iter().find(|(field, _)| field == name) else { return Ok(None) };
        serde_json::from_str(value.get()).map_err(|_| Unreadable::Kind(name))
    }

    /// The object with these fields instead of those of their names, in JSON.
    #[must_use]
    pub fn with(&self, changed: &[(&str, String)]) -> Bytes {
        let length = |(name, value): (usize, usize)| name + value + 4;
        let kept = self.0.iter().filter(|(name, _)| !changed.iter().any(|(other, _)| other == name));
        let room: usize = kept.clone().map(|(n, v)| length((n.len(), v.get().len()))).sum::<usize>()
            + changed.iter().map(|(n, v)| length((n.len(), v.len()))).sum::<usize>();
        let mut text = String::with_capacity(room + 2);
        let all = kept.map(|(n, v)| (n.as_str(), v.get())).chain(changed.iter().map(|(n, v)| (*n, v.as_str())));
        for (name, value) in all {
            text.push(if text.is_empty() { '{' } else { ',' });
            text.push_str(&serde_json::Value::from(name).to_string());
            text.push(':');
            text.push_str(value);
        }
        text.push_str(if text.is_empty() { "{}" } else { "}" });
        text.into()
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields: Vec<(String, Box<RawValue>)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    if fields.len() == MOST {
                        return Err(A::Error::custom(format_args!("{TWICE}more than {MOST} fields")));
                    }
                    if fields.iter().any(|(other, _)| *other == name) {
                        return Err(A::Error::custom(format_args!("{TWICE}{name}")));
                    }
                    fields.push((name, value));
                }
                Ok(Fields(fields))
            }
        }
        from.deserialize_map(All)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_changed_stays_as_it_came() {
        let read = |text: &str| Fields::read(text.as_bytes());
        let fields =
            read(r#" { "model" : "a/b", "n":1.50, "x": {"model": "c" , "y":[ 1 ]}, "s\u00e4":null } "#).unwrap();
        assert_eq!(fields.get::<String>("model"), Ok(Some("a/b".to_owned())));
        assert_eq!(fields.get::<u32>("model"), Err(Unreadable::Kind("model")));
        assert_eq!(fields.get::<u32>("nothing"), Ok(None));
        let changed = fields.with(&[("model", "\"b\"".into()), ("stream", "true".into())]);
        let expected = r#"{"n":1.50,"x":{"model": "c" , "y":[ 1 ]},"sä":null,"model":"b","stream":true}"#;
        assert_eq!(changed, expected);
        assert_eq!(read("{}").unwrap().with(&[]), "{}");
    }

    #[test]
    fn s20_what_is_no_object() {
        for (text, told) in [
            ("", Unreadable::Malformed(1, 0)),
            ("{", Unreadable::Malformed(1, 1)),
            ("{\"a\":1} x", Unreadable::Malformed(1, 9)),
            ("[1]", Unreadable::NoObject),
            ("\"a\"", Unreadable::NoObject),
            ("{\"a\":1,\"a\":2}", Unreadable::Twice("a".into())),
        ] {
            assert_eq!(Fields::read(text.as_bytes()).err(), Some(told), "{text}");
        }
        let many: String = (0..100_000).map(|n| format!("\"f{n}\":0,")).collect::<Vec<_>>().concat();
        assert!(matches!(Fields::read(format!("{{{many}\"x\":0}}").as_bytes()), Err(Unreadable::Twice(_))));
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(Fields::read(deep.as_bytes()).is_ok(), "what is inside is for the provider to read");
        assert!(Fields::read(b"{\"a\":\"\xff\"}").is_err());
    }
}
