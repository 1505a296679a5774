//! Chats that were saved elsewhere, in our form: `conversations.json` of ChatGPT's export, and Open WebUI's export of
//! chats. Both keep a tree; what is no message of a person or a model is left out, and what followed it moves up. Pictures
//! and files are not in either. No IO.

use crate::domain::export::form::{Author, ChatForm, FORMAT, FileForm, MessageForm, VERSION};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use time::OffsetDateTime;

/// A chat of ChatGPT's export.
#[derive(Deserialize)]
pub struct Gpt {
    title: Option<String>,
    create_time: Option<f64>,
    mapping: HashMap<String, GptNode>,
    current_node: Option<String>,
}

#[derive(Deserialize)]
struct GptNode {
    parent: Option<String>,
    #[serde(default)]
    children: Vec<String>,
    message: Option<GptMessage>,
}

#[derive(Deserialize)]
struct GptMessage {
    author: GptAuthor,
    create_time: Option<f64>,
    content: GptContent,
    #[serde(default)]
    metadata: GptMetadata,
}

#[derive(Deserialize)]
struct GptAuthor {
    role: String,
}

#[derive(Deserialize)]
struct GptContent {
    content_type: String,
    #[serde(default)]
    parts: Vec<Value>,
    text: Option<String>,
    #[serde(default)]
    thoughts: Vec<GptThought>,
}

#[derive(Deserialize)]
struct GptThought {
    #[serde(default)]
    content: String,
}

#[derive(Deserialize, Default)]
struct GptMetadata {
    model_slug: Option<String>,
    #[serde(default)]
    is_visually_hidden_from_conversation: bool,
}

/// A chat of Open WebUI's export.
#[derive(Deserialize)]
pub struct WebUi {
    title: Option<String>,
    created_at: Option<f64>,
    chat: WebUiChat,
}

#[derive(Deserialize)]
struct WebUiChat {
    history: WebUiHistory,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WebUiHistory {
    messages: HashMap<String, WebUiMessage>,
    current_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WebUiMessage {
    parent_id: Option<String>,
    #[serde(default)]
    children_ids: Vec<String>,
    role: String,
    #[serde(default)]
    content: String,
    model: Option<String>,
    timestamp: Option<f64>,
}

/// A node of either tree.
struct Node {
    parent: Option<String>,
    children: Vec<String>,
    said: Option<Said>,
}

/// What somebody said, or only thought.
struct Said {
    author: Author,
    text: String,
    reasoning: String,
    model: Option<String>,
    at: Option<f64>,
}

impl From<Gpt> for FileForm {
    fn from(chat: Gpt) -> Self {
        let nodes = chat.mapping.into_iter().map(|(id, node)| {
            let said = node.message.filter(|m| !m.metadata.is_visually_hidden_from_conversation).and_then(gpt_said);
            (id, Node { parent: node.parent, children: node.children, said })
        });
        form(chat.title, chat.create_time, &nodes.collect(), chat.current_node.as_deref())
    }
}

fn gpt_said(message: GptMessage) -> Option<Said> {
    let author = match message.author.role.as_str() {
        "user" => Author::Person,
        "assistant" => Author::Model,
        _ => return None,
    };
    let GptContent { content_type, parts, text, thoughts } = message.content;
    let (text, reasoning) = match content_type.as_str() {
        "text" | "multimodal_text" => {
            let words: Vec<_> = parts.iter().filter_map(Value::as_str).filter(|part| !part.is_empty()).collect();
            (words.join("\n\n"), String::new())
        }
        "code" => (format!("```\n{}\n```", text.unwrap_or_default()), String::new()),
        "thoughts" => {
            let thoughts: Vec<_> = thoughts.into_iter().map(|thought| thought.content).collect();
            (String::new(), thoughts.join("\n\n"))
        }
        _ => return None,
    };
    Some(Said { author, text, reasoning, model: message.metadata.model_slug, at: message.create_time })
}

impl From<WebUi> for FileForm {
    fn from(chat: WebUi) -> Self {
        let history = chat.chat.history;
        let nodes = history.messages.into_iter().map(|(id, message)| {
            let author = match message.role.as_str() {
                "user" => Some(Author::Person),
                "assistant" => Some(Author::Model),
                _ => None,
            };
            let said = author.map(|author| {
                let (text, reasoning) = unfold(message.content);
                Said { author, text, reasoning, model: message.model, at: message.timestamp }
            });
            (id, Node { parent: message.parent_id, children: message.children_ids, said })
        });
        form(chat.title, chat.created_at, &nodes.collect(), history.current_id.as_deref())
    }
}

/// Text and reasoning of an answer that begins with its reasoning, folded and quoted.
fn unfold(content: String) -> (String, String) {
    let folded = content.strip_prefix("<details type=\"reasoning\"").and_then(|rest| {
        let (_, rest) = rest.split_once("</summary>")?;
        rest.split_once("</details>")
    });
    let Some((thoughts, text)) = folded else { return (content, String::new()) };
    let lines: Vec<_> =
        thoughts.trim().lines().map(|line| line.trim_start_matches("&gt;").trim_start_matches('>')).collect();
    let lines: Vec<_> = lines.into_iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    (text.trim_start().to_owned(), lines.join("\n"))
}

fn form(title: Option<String>, at: Option<f64>, nodes: &HashMap<String, Node>, leaf: Option<&str>) -> FileForm {
    let created_at = at.and_then(moment).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let mut messages = Vec::new();
    // where each node is in our tree: itself, or the kept one above it
    let mut stands: HashMap<&str, Option<String>> = HashMap::new();
    let mut seen = HashSet::new();
    let mut places: HashMap<Option<String>, i32> = HashMap::new();
    let is_root = |node: &Node| node.parent.as_ref().is_none_or(|parent| !nodes.contains_key(parent));
    let mut roots: Vec<&str> = nodes.iter().filter(|(_, node)| is_root(node)).map(|(id, _)| id.as_str()).collect();
    roots.sort_unstable();
    // with what was thought above and belongs to the next answer
    let mut open: Vec<(&str, Option<String>, String)> =
        roots.into_iter().rev().map(|id| (id, None, String::new())).collect();
    while let Some((id, above, mut thought)) = open.pop() {
        let Some(node) = nodes.get(id).filter(|_| seen.insert(id)) else { continue };
        let mut here = above.clone();
        if let Some(said) = &node.said {
            thought.push_str(&said.reasoning);
            if !said.text.trim().is_empty() {
                let by_model = said.author == Author::Model;
                here = Some(id.to_owned());
                let place = places.entry(above.clone()).or_default();
                messages.push(MessageForm {
                    images: Vec::new(),
                    id: id.to_owned(),
                    parent: above,
                    order: *place,
                    author: said.author,
                    at: said.at.and_then(moment).unwrap_or(created_at),
                    text: said.text.clone(),
                    reasoning: if by_model { std::mem::take(&mut thought) } else { String::new() },
                    model: said.model.clone().filter(|_| by_model),
                    state: by_model.then(|| "completed".to_owned()),
                    reason: None,
                    tokens: None,
                    thought: None,
                    rating: None,
                });
                *place += 1;
                thought.clear();
            }
        }
        stands.insert(id, here.clone());
        for child in node.children.iter().rev() {
            open.push((child, here.clone(), thought.clone()));
        }
    }
    let leaf = leaf.and_then(|leaf| stands.get(leaf).cloned().flatten());
    let chat = ChatForm {
        format: FORMAT.to_owned(),
        version: VERSION,
        title: title.unwrap_or_default(),
        model: None,
        system_prompt: String::new(),
        temperature: None,
        created_at,
        leaf,
    };
    FileForm { chat, messages }
}

/// Seconds since 1970, or milliseconds, as some versions wrote them.
#[expect(clippy::cast_possible_truncation, reason = "whole seconds of a time that is checked")]
fn moment(seconds: f64) -> Option<OffsetDateTime> {
    let seconds = if seconds > 1e11 { seconds / 1000. } else { seconds };
    OffsetDateTime::from_unix_timestamp(seconds as i64).ok()
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use crate::domain::export::form::{Author, FileForm};

    /// The chats of a file that something was said in.
    fn chats(file: &str) -> Vec<FileForm> {
        let chats = read::chats(file).expect("a file of chats");
        chats.into_iter().filter_map(|raw| read::chat(raw).expect("a chat")).collect()
    }

    /// Author, text, reasoning and parent's text, in the order of the file.
    fn told(file: &FileForm) -> Vec<(Author, &str, &str, Option<&str>)> {
        let text_of = |id: &str| file.messages.iter().find(|m| m.id == id).map(|m| m.text.as_str());
        let told = file
            .messages
            .iter()
            .map(|m| (m.author, m.text.as_str(), m.reasoning.as_str(), m.parent.as_deref().and_then(text_of)));
        told.collect()
    }

    #[test]
    fn chats_of_chatgpt() {
        let node = |id: &str, parent: &str, children: &str, role: &str, content: &str| {
            format!(
                r#""{id}":{{"id":"{id}","parent":{parent},"children":[{children}],"message":{{"id":"{id}","author":{{"role":"{role}"}},"create_time":1700000000.5,"content":{content},"metadata":{{"model_slug":"gpt-9"}},"recipient":"all"}}}}"#
            )
        };
        let text = |words: &str| format!(r#"{{"content_type":"text","parts":["{words}"]}}"#);
        let nodes = [
            r#""root":{"id":"root","parent":null,"children":["sys"],"message":null}"#.to_owned(),
            node("sys", "\"root\"", "\"q\",\"q2\"", "system", &text("You are")),
            node("q", "\"sys\"", "\"think\"", "user", &text("Why?")),
            node(
                "think",
                "\"q\"",
                "\"a\"",
                "assistant",
                r#"{"content_type":"thoughts","thoughts":[{"summary":"s","content":"Hm."}]}"#,
            ),
            node("a", "\"think\"", "\"tool\"", "assistant", &text("Because.")),
            node("tool", "\"a\"", "\"b\"", "tool", r#"{"content_type":"execution_output","text":"1"}"#),
            node(
                "b",
                "\"tool\"",
                "",
                "assistant",
                r#"{"content_type":"multimodal_text","parts":["See.",{"asset":"x"},""]}"#,
            ),
            node("q2", "\"sys\"", "", "user", &text("Why not?")),
        ];
        let chat = format!(
            r#"{{"title":"A chat","create_time":1700000000.1,"current_node":"tool","mapping":{{{}}}}}"#,
            nodes.join(",")
        );
        let empty = r#"{"title":"Nothing","create_time":null,"current_node":null,"mapping":{}}"#;
        let files = chats(&format!("[{chat},{empty}]"));
        assert_eq!(files.len(), 1, "an empty chat is none");
        let file = &files[0];
        assert_eq!(
            told(file),
            [
                (Author::Person, "Why?", "", None),
                (Author::Model, "Because.", "Hm.", Some("Why?")),
                (Author::Model, "See.", "", Some("Because.")),
                (Author::Person, "Why not?", "", None),
            ]
        );
        assert_eq!((file.chat.title.as_str(), file.chat.leaf.as_deref()), ("A chat", Some("a")));
        assert_eq!(file.messages[1].model.as_deref(), Some("gpt-9"));
        assert_eq!(file.messages[0].at.unix_timestamp(), 1_700_000_000);
    }

    #[test]
    fn chats_of_open_webui() {
        let file = r#"[{"id":"x","user_id":"y","title":"T","created_at":1700000000,"chat":{"models":["m"],"history":{"currentId":"a2","messages":{
            "q":{"id":"q","parentId":null,"childrenIds":["a1","a2"],"role":"user","content":"Why?","timestamp":1700000001},
            "a1":{"id":"a1","parentId":"q","childrenIds":[],"role":"assistant","content":"No.","model":"llama3","timestamp":1700000002},
            "a2":{"id":"a2","parentId":"q","childrenIds":[],"role":"assistant","model":"llama3","content":"<details type=\"reasoning\" done=\"true\" duration=\"3\">\n<summary>Thought for 3 seconds</summary>\n> Well,\n> yes.\n</details>\nYes."}}}}}]"#;
        let files = chats(file);
        assert_eq!(
            told(&files[0]),
            [
                (Author::Person, "Why?", "", None),
                (Author::Model, "No.", "", Some("Why?")),
                (Author::Model, "Yes.", "Well,\nyes.", Some("Why?")),
            ]
        );
        assert_eq!(files[0].chat.leaf.as_deref(), Some("a2"));
        assert_eq!(files[0].messages[2].at.unix_timestamp(), 1_700_000_000, "the chat's, without one of its own");
    }

    /// A tree that is none: it ends, and nothing is told twice.
    #[test]
    fn a_circle() {
        let file = r#"[{"title":"T","create_time":1,"current_node":"a","mapping":{
            "a":{"parent":"b","children":["b"],"message":null},"b":{"parent":"a","children":["a"],"message":null}}}]"#;
        assert!(read::count(file).unwrap_err().contains("no chat"));
    }
}
