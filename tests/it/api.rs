//! What the pages do, for programs.

use crate::support::{
    TestApp, eventually,
    images::png,
    program::{Answer, Program, program_of_new},
    provider::Step,
};
use futures::StreamExt;
use rand::Rng;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

const MODEL: &str = "openai/fake-1";

impl Program {
    async fn patches(&self, path: &str, body: &Value) -> Answer {
        Self::sends(self.request(Method::PATCH, path).json(body)).await
    }

    /// Begins a conversation.
    pub async fn begins(&self) -> String {
        self.posts("/api/conversations", &json!({ "model": MODEL })).await.word("id")
    }
}

/// A form with an image.
pub fn picture_form(request: RequestBuilder) -> RequestBuilder {
    let head = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n";
    let body = [head.as_bytes(), &png(3, 2), b"\r\n--b--\r\n"].concat();
    request.header("content-type", "multipart/form-data; boundary=b").body(body)
}

/// The events of an answer: number and data.
fn events(text: &str) -> Vec<(Option<i64>, Value)> {
    let mut found = Vec::new();
    for event in text.split("\n\n").filter(|event| !event.is_empty() && !event.starts_with(':')) {
        let id = event.lines().find_map(|line| line.strip_prefix("id: ")).map(|id| id.parse().unwrap());
        let data = event.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
        found.push((id, serde_json::from_str(data).unwrap()));
    }
    found
}

/// The words of an answer, put together.
fn text_of(events: &[(Option<i64>, Value)]) -> String {
    let tokens = events.iter().filter(|(_, event)| event["type"] == "token");
    tokens.map(|(_, event)| event["data"]["content"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_conversation_from_its_beginning_to_its_end() {
    let test = TestApp::start().await;
    let ann = program_of_new(&test, "ann").await;
    let made = ann
        .posts(
            "/api/conversations",
            &json!({ "title": "Lamps", "model": MODEL, "system": "Be brief.", "temperature": 0.5 }),
        )
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let path = format!("/api/conversations/{}", made.word("id"));
    let nothing = ann.gets(&format!("{path}/messages")).await;
    assert_eq!((nothing.status, &nothing.json["data"]), (StatusCode::OK, &json!([])), "nothing is said yet");
    test.provider.streams(["Hel", "lo"]);
    let turn = ann.posts(&format!("{path}/messages"), &json!({ "content": "hi" })).await;
    assert_eq!(turn.status, StatusCode::CREATED, "{}", turn.text);
    assert_eq!((&turn.json["message"]["role"], &turn.json["message"]["content"]), (&json!("user"), &json!("hi")));
    let answer = turn.json["answer"]["id"].as_str().unwrap().to_owned();
    eventually("it is answered", || async {
        ann.gets(&format!("/api/messages/{answer}")).await.json["state"] == "completed"
    })
    .await;
    let said = ann.gets(&format!("/api/messages/{answer}")).await;
    assert_eq!((said.word("content").as_str(), said.word("model").as_str()), ("Hello", MODEL));
    let asked = &test.provider.asked()[0].body;
    assert_eq!((&asked["messages"][0]["content"], &asked["temperature"]), (&json!("Be brief."), &json!(0.5)));

    // said otherwise, asked again, stopped
    test.provider.streams(["Ahoy"]);
    let question = turn.json["message"]["id"].as_str().unwrap();
    let edited = ann.patches(&format!("/api/messages/{question}"), &json!({ "content": "ahoy" })).await;
    assert_eq!((edited.status, edited.word("content").as_str()), (StatusCode::OK, "ahoy"), "{}", edited.text);
    let path_now = || async { ann.gets(&format!("{path}/messages")).await.json["data"].clone() };
    eventually("that is answered", || async { path_now().await[1]["state"] == "completed" }).await;
    assert_eq!(path_now().await[1]["content"], "Ahoy");
    let old = ann.gets(&format!("{path}/messages?leaf={answer}")).await;
    assert_eq!(old.json["data"][1]["content"], "Hello", "what was said stays");
    test.provider.does([Step::Text("Once".into()), Step::Hold]);
    let again = ann.posts(&format!("/api/messages/{answer}/regenerate"), &json!({ "model": "openai/fake-2" })).await;
    assert_eq!(again.status, StatusCode::CREATED, "{}", again.text);
    let running = again.word("id");
    eventually("it runs", || async { ann.gets(&format!("/api/messages/{running}")).await.word("content") == "Once" })
        .await;
    let stopped = ann.posts(&format!("/api/messages/{running}/stop"), &json!({})).await;
    assert_eq!((stopped.word("state").as_str(), stopped.word("content").as_str()), ("stopped", "Once"));

    // changed, found, put away, removed
    let show = ann.gets(&path).await;
    assert_eq!(show.word("title"), "Lamps", "the program's own");
    let other = ann.begins().await;
    ann.posts(&format!("/api/conversations/{other}/messages"), &json!({ "content": "Tell me of the sea" })).await;
    assert_eq!(ann.gets(&format!("/api/conversations/{other}")).await.word("title"), "Tell me of the sea");
    ann.deletes(&format!("/api/conversations/{other}")).await;
    let tag = show.header("etag").to_owned();
    let unchanged = ann.request(Method::GET, &path).header("if-none-match", &tag).send().await.unwrap();
    assert_eq!(unchanged.status(), StatusCode::NOT_MODIFIED);
    let change =
        ann.request(Method::PATCH, &path).header("if-match", &tag).json(&json!({ "title": "Lights", "pinned": true }));
    let changed = Program::sends(change).await;
    assert_eq!((changed.word("title").as_str(), &changed.json["pinned"]), ("Lights", &json!(true)), "{}", changed.text);
    assert_eq!(changed.json["system"], "Be brief.", "the rest stays");
    let late = ann.request(Method::PATCH, &path).header("if-match", &tag).json(&json!({ "title": "Lost" }));
    assert_eq!(Program::sends(late).await.status, StatusCode::PRECONDITION_FAILED);
    let found = ann.gets("/api/search?q=lights").await;
    assert_eq!(found.json["conversations"][0]["title"], "Lights", "{}", found.text);
    assert_eq!(ann.gets("/api/search?q=ahoy").await.json["messages"][0]["conversation_id"], made.json["id"]);
    ann.patches(&path, &json!({ "archived": true })).await;
    assert_eq!(ann.gets("/api/conversations").await.json["data"], json!([]));
    assert_eq!(ann.gets("/api/conversations?archived=true").await.json["data"][0]["title"], "Lights");
    assert_eq!(ann.deletes(&format!("/api/messages/{answer}")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(ann.deletes(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(ann.gets(&path).await.status, StatusCode::NOT_FOUND);
    let usage = ann.gets("/api/usage").await;
    assert_eq!(usage.json["by_model"][0]["completion_tokens"].as_i64().map(|n| n >= 14), Some(true), "{}", usage.text);
}

#[tokio::test]
async fn an_answer_as_it_comes() {
    let test = TestApp::start().await;
    let ann = program_of_new(&test, "ann").await;
    let path = format!("/api/conversations/{}/messages", ann.begins().await);
    test.provider.does([
        Step::Reasoning("Hm.".into()),
        Step::Text("Hel".into()),
        Step::Text("lo".into()),
        Step::Finish("stop"),
        Step::Usage(11, 7),
        Step::Done,
    ]);
    let request =
        ann.request(Method::POST, &path).header("accept", "text/event-stream").header("idempotency-key", "one");
    let body = json!({ "content": "hi" });
    let response = request.try_clone().unwrap().json(&body).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let came = events(&response.text().await.unwrap());
    assert_eq!(text_of(&came), "Hello");
    let kinds: Vec<_> = came.iter().map(|(_, event)| event["type"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"reasoning") && kinds.ends_with(&["usage", "done"]), "{kinds:?}");
    assert_eq!(came[came.len() - 2].1["data"], json!({ "prompt": 11, "completion": 7 }));
    let ids: Vec<_> = came.iter().filter_map(|(id, _)| *id).collect();
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
    // the same again: once said, and gone on with from anywhere
    for (seen, expected) in [(None, "Hello"), (ids.last().copied(), "")] {
        let request = request.try_clone().unwrap().json(&body);
        let request = if let Some(seen) = seen { request.header("last-event-id", seen) } else { request };
        let again = events(&request.send().await.unwrap().text().await.unwrap());
        assert_eq!(text_of(&again), expected);
        assert_eq!(again.last().unwrap().1["type"], "done", "one last word each time");
    }
    assert_eq!(test.provider.asked().len(), 1);
    // also when the conversation goes on with another model meanwhile, which it then has
    test.execute("update chats set model = 'openai/fake-2'").await;
    let again = events(&request.try_clone().unwrap().json(&body).send().await.unwrap().text().await.unwrap());
    assert_eq!(text_of(&again), "Hello");
    assert_eq!(test.provider.asked().len(), 1);
    let other = request.try_clone().unwrap().json(&json!({ "content": "something else" })).send().await.unwrap();
    assert_eq!(other.status(), StatusCode::CONFLICT, "another message under the same key");
    for nonsense in ["-5", "999999", "x"] {
        let request = request.try_clone().unwrap().json(&body).header("last-event-id", nonsense);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::CONFLICT, "{nonsense}");
    }
    // what is long over, of which the log has nothing more
    let answer = came.last().unwrap().1["data"]["messageId"].as_str().unwrap().to_owned();
    test.execute("delete from feed_events; update feed_heads set first_seq = seq + 1").await;
    let whole = ann.request(Method::GET, &format!("/api/messages/{answer}")).header("accept", "text/event-stream");
    assert_eq!(text_of(&events(&whole.send().await.unwrap().text().await.unwrap())), "Hello");
    // one that fails says so
    test.provider.refuses(400, "internal words");
    let failed =
        ann.request(Method::POST, &path).header("accept", "text/event-stream").json(&json!({ "content": "again" }));
    let failed = events(&failed.send().await.unwrap().text().await.unwrap());
    let error = failed.iter().find(|(_, event)| event["type"] == "error").unwrap();
    assert!(error.1["data"]["message"].as_str().unwrap().contains("did not accept"), "{failed:?}");
    assert_eq!(failed.last().unwrap().1["data"]["state"], "failed");
}

/// Line 4 of what is due: cut a hundred times at random, the text is the same, and there is one last word.
#[tokio::test]
async fn cut_a_hundred_times_the_text_is_whole() {
    const PIECES: usize = 400;
    let test = TestApp::start().await;
    let ann = program_of_new(&test, "ann").await;
    let path = format!("/api/conversations/{}/messages", ann.begins().await);
    let pieces: Vec<_> = (0..PIECES).map(|n| format!("word {n} ä🪑, ")).collect();
    let mut steps: Vec<_> = pieces.iter().flat_map(|piece| [Step::Text(piece.clone()), Step::Hold]).collect();
    steps.extend([Step::Finish("stop"), Step::Done]);
    test.provider.does(steps);
    let turn = ann.posts(&path, &json!({ "content": "hi" })).await;
    let answer = turn.json["answer"]["id"].as_str().unwrap().to_owned();
    let (mut came, mut last, mut cuts) = (Vec::new(), None::<i64>, 0);
    loop {
        let request =
            ann.request(Method::GET, &format!("/api/messages/{answer}")).header("accept", "text/event-stream");
        let request = if let Some(last) = last { request.header("last-event-id", last) } else { request };
        let mut stream = request.send().await.unwrap().bytes_stream();
        let (mut buffer, few) = (String::new(), if cuts < 100 { rand::rng().random_range(1..3) } else { usize::MAX });
        let mut heard = 0;
        while heard < few {
            test.provider.release();
            let Some(Ok(bytes)) = stream.next().await else { break };
            buffer.push_str(std::str::from_utf8(&bytes).unwrap());
            while let Some((event, rest)) = buffer.split_once("\n\n").map(|(e, r)| (e.to_owned(), r.to_owned())) {
                buffer = rest;
                for (id, event) in events(&event) {
                    last = id.or(last);
                    heard += 1;
                    came.push((id, event));
                }
            }
        }
        cuts += 1;
        if came.last().is_some_and(|(_, event)| event["type"] == "done") {
            break;
        }
    }
    assert!(cuts > 100, "{cuts}");
    assert_eq!(text_of(&came), pieces.concat());
    assert_eq!(came.iter().filter(|(_, event)| event["type"] == "done").count(), 1);
}

#[tokio::test]
async fn lists_come_in_pages() {
    let test = TestApp::start().await;
    let ann = program_of_new(&test, "ann").await;
    for _ in 0..3 {
        ann.begins().await;
    }
    test.execute("insert into chats (user_id, title) select id, 'Chat ' || n from users, generate_series(1, 120) n")
        .await;
    let (mut cursor, mut ids) = (None::<String>, Vec::new());
    loop {
        let query = cursor.as_ref().map(|cursor| format!("?cursor={cursor}")).unwrap_or_default();
        let page = ann.gets(&format!("/api/conversations{query}")).await;
        ids.extend(page.json["data"].as_array().unwrap().iter().map(|chat| chat["id"].as_str().unwrap().to_owned()));
        match page.json["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    let total = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!((total, ids.len()), (123, 123));
    for wrong in ["cursor=x", "archived=maybe", "other=1"] {
        let refused = ann.gets(&format!("/api/conversations?{wrong}")).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    for wrong in ["month=2026-13", "month=x"] {
        assert_eq!(ann.gets(&format!("/api/usage?{wrong}")).await.field(), "month");
    }
}

#[tokio::test]
async fn files_and_prompts() {
    let test = TestApp::start().await;
    let (ann, bob) = (program_of_new(&test, "ann").await, program_of_new(&test, "bob").await);
    let file = Program::sends(picture_form(ann.request(Method::POST, "/api/upload"))).await;
    assert_eq!((file.status, &file.json["width"]), (StatusCode::CREATED, &json!(3)), "{}", file.text);
    let at = format!("/api/files/{}", file.word("id"));
    let back = ann.request(Method::GET, &at).send().await.unwrap();
    assert_eq!(
        (&back.headers()["content-type"], &back.headers()["content-disposition"]),
        (&"image/png".parse().unwrap(), &"attachment".parse().unwrap())
    );
    assert_eq!(back.bytes().await.unwrap(), png(3, 2));
    // S2: whose it is not, cannot send it
    let theirs = format!("/api/conversations/{}/messages", bob.begins().await);
    let stolen = bob.posts(&theirs, &json!({ "content": "look", "files": [file.word("id")] })).await;
    assert_eq!(stolen.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", stolen.text);
    let path = format!("/api/conversations/{}/messages", ann.begins().await);
    test.provider.streams(["A picture."]);
    let said = ann.posts(&path, &json!({ "content": "look", "files": [file.word("id")] })).await;
    assert_eq!(said.status, StatusCode::CREATED, "{}", said.text);
    eventually("it is seen", || async { test.provider.asked().first().is_some_and(|asked| asked.images().len() == 1) })
        .await;
    assert_eq!(ann.deletes(&at).await.status, StatusCode::CONFLICT, "a message has it");
    let other = Program::sends(picture_form(ann.request(Method::POST, "/api/upload"))).await;
    let at = format!("/api/files/{}", other.word("id"));
    assert_eq!(ann.deletes(&at).await.status, StatusCode::NO_CONTENT);
    assert_eq!(ann.gets(&at).await.status, StatusCode::NOT_FOUND);
    let nothing = ann.request(Method::POST, "/api/upload").json(&json!({}));
    assert_eq!(Program::sends(nothing).await.field(), "file");

    let made = ann.posts("/api/prompts", &json!({ "name": "Greet", "text": "Hello {{name}}" })).await;
    assert_eq!((made.status, &made.json["variables"]), (StatusCode::CREATED, &json!(["name"])), "{}", made.text);
    let at = format!("/api/prompts/{}", made.word("id"));
    let changed = ann.patches(&at, &json!({ "text": "Ahoy {{name}}" })).await;
    assert_eq!((changed.word("name").as_str(), changed.word("text").as_str()), ("Greet", "Ahoy {{name}}"));
    assert_eq!(ann.posts("/api/prompts", &json!({ "name": "Greet", "text": "x" })).await.field(), "name");
    assert_eq!(ann.gets("/api/prompts").await.json["data"].as_array().unwrap().len(), 1);
    assert_eq!(bob.gets(&at).await.status, StatusCode::NOT_FOUND);
    assert_eq!(ann.deletes(&at).await.status, StatusCode::NO_CONTENT);
    assert_eq!(ann.gets(&at).await.status, StatusCode::NOT_FOUND);
}

/// S6: what a program follows ends with its key.
#[tokio::test]
async fn s6_a_followed_answer_ends_with_the_key() {
    let test = TestApp::start().await;
    let ann = program_of_new(&test, "ann").await;
    let key = ann.with(&ann.makes_key("x", &["chats:read", "chats:write", "models"]).await.word("key"));
    let path = format!("/api/conversations/{}/messages", key.begins().await);
    test.provider.does([Step::Text("So".into()), Step::Hold]);
    let mut stream = key
        .request(Method::POST, &path)
        .header("accept", "text/event-stream")
        .json(&json!({ "content": "hi" }))
        .send()
        .await
        .unwrap()
        .bytes_stream();
    stream.next().await.unwrap().unwrap();
    test.execute("delete from api_keys").await;
    let ended =
        tokio::time::timeout(std::time::Duration::from_secs(5), async { while stream.next().await.is_some() {} });
    assert!(ended.await.is_ok());
}
