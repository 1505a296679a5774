//! The page of the API: its document, as people read it. What must not live here: what the API is.

use super::{assets, page, text};
use serde_json::Value;

#[derive(askama::Template)]
#[template(path = "pages/document/page.html")]
pub struct DocumentPage {
    /// What addresses begin with.
    pub address: String,
    pub sections: Vec<Section>,
}

page!(DocumentPage);

/// What belongs together.
pub struct Section {
    pub name: String,
    pub lead: String,
    pub operations: Vec<Operation>,
}

/// One address and method.
pub struct Operation {
    pub id: String,
    pub method: String,
    pub path: String,
    pub summary: String,
    pub more: String,
    /// What a key needs; nothing: no token at all.
    pub scope: Option<String>,
    /// Of the path, the query and the headers.
    pub parameters: Vec<Field>,
    /// Of the body.
    pub fields: Vec<Field>,
    pub answers: Vec<Reply>,
}

/// Something that is sent or comes.
pub struct Field {
    pub name: String,
    pub kind: String,
    pub required: bool,
    pub about: String,
}

/// What comes back.
pub struct Reply {
    pub status: String,
    pub about: String,
    pub fields: Vec<Field>,
}

impl Section {
    /// Of an OpenAPI document, by its tags.
    pub fn all(document: &Value) -> Vec<Self> {
        let tags = document["tags"].as_array().into_iter().flatten();
        tags.map(|tag| {
            let name = word(&tag["name"]);
            let operations = operations(document, &name);
            Self { lead: word(&tag["description"]), name, operations }
        })
        .collect()
    }
}

/// The parts of a text, and whether each is code: between backticks.
pub fn parts(text: &str) -> impl Iterator<Item = (bool, &str)> {
    text.split('`').enumerate().map(|(place, part)| (place % 2 == 1, part)).filter(|(_, part)| !part.is_empty())
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn operations(document: &Value, tag: &str) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for method in ["get", "post", "patch", "delete"] {
            let said = &methods[method];
            if said["tags"].as_array().is_some_and(|tags| tags.iter().any(|one| one == tag)) {
                found.push(operation(document, path, method, said));
            }
        }
    }
    found
}

fn operation(document: &Value, path: &str, method: &str, said: &Value) -> Operation {
    let scope = said["security"][0]["bearer"].as_array();
    let contents = said["requestBody"]["content"].as_object().into_iter().flatten();
    let parameters = said["parameters"].as_array().into_iter().flatten().map(|parameter| Field {
        name: word(&parameter["name"]),
        kind: format!("{}, {}", word(&parameter["in"]), kind(&parameter["schema"])),
        required: parameter["required"] == true,
        about: word(&parameter["description"]),
    });
    let answers = said["responses"].as_object().into_iter().flatten().map(|(status, answer)| {
        let schema = answer["content"]["application/json"].get("schema");
        let fields = schema.map(|schema| fields(document, schema)).unwrap_or_default();
        Reply { status: status.clone(), about: word(&answer["description"]), fields }
    });
    Operation {
        id: format!("{method}{}", path.replace(['/', '{', '}'], "-").replace("--", "-"))
            .trim_end_matches('-')
            .to_owned(),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: word(&said["summary"]),
        more: word(&said["description"]),
        scope: scope.map(|scopes| scopes.first().map(word).unwrap_or_default()),
        parameters: parameters.collect(),
        fields: contents.flat_map(|(_, content)| fields(document, &content["schema"])).collect(),
        answers: answers.collect(),
    }
}

/// The fields of an object.
fn fields(document: &Value, schema: &Value) -> Vec<Field> {
    let schema = resolved(document, schema);
    let required: Vec<_> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties
        .map(|(name, of)| Field {
            name: name.clone(),
            kind: kind(of),
            required: required.contains(&name.as_str()),
            about: word(&of["description"]),
        })
        .collect()
}

/// What a reference leads to.
fn resolved<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    let named = schema["$ref"].as_str().and_then(|name| document.pointer(name.trim_start_matches('#')));
    named.unwrap_or(schema)
}

/// What kind of value it is, in a word or a few.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        return name.rsplit('/').next().unwrap_or_default().to_owned();
    }
    let several = schema["oneOf"].as_array().or(schema["anyOf"].as_array());
    if let Some(several) = several {
        return several.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    let one = |kind: &Value| match kind.as_str().unwrap_or_default() {
        "array" => format!("list of {}", self::kind(&schema["items"])),
        "string" if schema["format"].is_string() => word(&schema["format"]),
        other => other.to_owned(),
    };
    match &schema["type"] {
        Value::Array(kinds) => kinds.iter().map(one).collect::<Vec<_>>().join(" or "),
        kind => one(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn code_stands_between_backticks() {
        let all = |text| parts(text).map(|(code, part)| (code, part.to_owned())).collect::<Vec<_>>();
        assert_eq!(all("a `b` c"), [(false, "a ".to_owned()), (true, "b".to_owned()), (false, " c".to_owned())]);
        assert_eq!(all("`b`"), [(true, "b".to_owned())]);
        assert!(all("").is_empty());
    }

    #[test]
    fn kinds_in_a_few_words() {
        for (schema, said) in [
            (json!({ "type": "string" }), "string"),
            (json!({ "type": ["string", "null"], "format": "uuid" }), "uuid or null"),
            (json!({ "type": "array", "items": { "$ref": "#/components/schemas/Message" } }), "list of Message"),
            (json!({ "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Price" }] }), "null or Price"),
        ] {
            assert_eq!(kind(&schema), said);
        }
    }
}
