//! Programs, and pages, on a WebSocket.

use crate::support::{
    TestApp, eventually,
    program::{Program, program_of_new},
    provider::Step,
};
use futures::{SinkExt as _, StreamExt as _};
use rand::Rng as _;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _},
};

const MODEL: &str = "openai/fake-1";

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens one with these headers; else the status.
async fn open(test: &TestApp, headers: &[(&'static str, &str)]) -> Result<Socket, u16> {
    let address = test.address.replace("http://", "ws://");
    let mut request = format!("{address}/ws").into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    match connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

fn bearer(program: &Program) -> String {
    format!("Bearer {}", program.bearer.as_ref().unwrap())
}

async fn says(socket: &mut Socket, said: &Value) {
    socket.send(Message::text(said.to_string())).await.unwrap();
}

/// The next thing that is told; nothing when it was closed.
async fn hears(socket: &mut Socket) -> Option<Value> {
    loop {
        let next = tokio::time::timeout(Duration::from_secs(10), socket.next()).await.expect("something comes");
        match next {
            Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
            Some(Ok(_)) => {}
        }
    }
}

/// Everything up to the last word of an answer.
async fn hears_all(socket: &mut Socket) -> Vec<Value> {
    let mut all = Vec::new();
    while all.last().is_none_or(|last: &Value| last["type"] != "message_complete") {
        all.push(hears(socket).await.expect("the answer ends"));
    }
    all
}

fn text_of(words: &[Value]) -> String {
    words.iter().filter(|word| word["type"] == "token").map(|word| word["content"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_conversation_on_one_connection() {
    let test = TestApp::start().await;
    let ann = program_of_new(&test, "ann").await;
    let mut socket = open(&test, &[("authorization", &bearer(&ann))]).await.unwrap();
    test.provider.streams(["Hel", "lo"]);
    says(&mut socket, &json!({ "type": "message", "content": "hi", "model": MODEL })).await;
    let words = hears_all(&mut socket).await;
    assert_eq!(text_of(&words), "Hello");
    let chat = words[0]["conversationId"].clone();
    let numbers: Vec<_> = words.iter().map(|word| word["seq"].as_i64().unwrap()).collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
    assert!(words.iter().all(|word| word["conversationId"] == chat && word["messageId"] == words[0]["messageId"]));

    test.provider.does([Step::Text("Once".into()), Step::Hold]);
    says(&mut socket, &json!({ "type": "message", "conversationId": chat, "content": "And?" })).await;
    let mut word = hears(&mut socket).await.unwrap();
    while word["type"] != "token" {
        word = hears(&mut socket).await.unwrap();
    }
    says(&mut socket, &json!({ "type": "stop", "conversationId": chat })).await;
    let last = hears_all(&mut socket).await.pop().unwrap();
    assert_eq!(last["state"], "stopped");
    test.provider.streams(["Twice"]);
    says(&mut socket, &json!({ "type": "regenerate", "messageId": last["messageId"] })).await;
    assert_eq!(text_of(&hears_all(&mut socket).await), "Twice");
    // what was missed is asked for by its number
    says(
        &mut socket,
        &json!({ "type": "follow", "messageId": words[0]["messageId"], "after": numbers[numbers.len() - 2] - 1 }),
    )
    .await;
    assert_eq!(hears_all(&mut socket).await.last().unwrap()["type"], "message_complete");
    for (said, told) in [
        (json!({ "type": "message", "content": "hi", "model": "openai/none" }), "not available"),
        (json!({ "type": "message", "content": " ", "model": MODEL }), ""),
        (json!({ "type": "regenerate", "messageId": "01890a5d-ac96-774b-bcce-b302099a8057" }), "no such thing"),
        (json!({ "type": "message", "content": "x", "role": "system" }), "`role`"),
        (json!("x"), "no message"),
    ] {
        says(&mut socket, &said).await;
        let error = hears(&mut socket).await.unwrap();
        assert_eq!(error["type"], "error");
        assert!(error["error"].as_str().unwrap().contains(told), "{said}: {error}");
    }
}

/// S1, S16: a bearer, or a session of a page of ours; and both rights.
#[tokio::test]
async fn s1_who_may_open_it() {
    let test = TestApp::start().await;
    let ann = program_of_new(&test, "ann").await;
    let reader = ann.with(&ann.makes_key("r", &["chats:read"]).await.word("key"));
    assert_eq!(open(&test, &[]).await.err(), Some(401));
    assert_eq!(open(&test, &[("authorization", "Bearer nonsense")]).await.err(), Some(401));
    assert_eq!(open(&test, &[("authorization", &bearer(&reader))]).await.err(), Some(403));
    let person = test.person("bob").await;
    let cookie = person.cookie();
    let own = test.address.clone();
    for (origin, opened) in [(Some(own.as_str()), None), (Some("https://evil.example"), Some(403)), (None, Some(403))] {
        let mut headers = vec![("cookie", cookie.as_str())];
        headers.extend(origin.map(|origin| ("origin", origin)));
        assert_eq!(open(&test, &headers).await.err(), opened, "{origin:?}");
    }
}

/// S6: it is closed with the key or the session that opened it.
#[tokio::test]
async fn s6_it_ends_with_what_opened_it() {
    let test = TestApp::start().await;
    let ann = program_of_new(&test, "ann").await;
    let key = ann.with(&ann.makes_key("x", &["chats:read", "chats:write"]).await.word("key"));
    let mut by_key = open(&test, &[("authorization", &bearer(&key))]).await.unwrap();
    let bob = test.person("bob").await;
    let mut by_session = open(&test, &[("cookie", &bob.cookie()), ("origin", &test.address)]).await.unwrap();
    test.execute("delete from api_keys").await;
    bob.posts("/logout", &[]).await;
    assert_eq!(hears(&mut by_key).await, None);
    assert_eq!(hears(&mut by_session).await, None);
}

/// Line 4 of what is due, for a WebSocket.
#[tokio::test]
async fn cut_a_hundred_times_the_text_is_whole() {
    let test = TestApp::start().await;
    let ann = program_of_new(&test, "ann").await;
    let pieces: Vec<_> = (0..400).map(|n| format!("word {n} ä🪑, ")).collect();
    let mut steps: Vec<_> = pieces.iter().flat_map(|piece| [Step::Text(piece.clone()), Step::Hold]).collect();
    steps.extend([Step::Finish("stop"), Step::Done]);
    test.provider.does(steps);
    let mut socket = open(&test, &[("authorization", &bearer(&ann))]).await.unwrap();
    says(&mut socket, &json!({ "type": "message", "content": "hi", "model": MODEL })).await;
    let first = hears(&mut socket).await.unwrap();
    let (answer, mut last, mut words) = (first["messageId"].clone(), first["seq"].clone(), vec![first]);
    let mut cuts = 0;
    while words.last().unwrap()["type"] != "message_complete" {
        let few = if cuts < 100 { rand::rng().random_range(1..3) } else { usize::MAX };
        for _ in 0..few {
            test.provider.release();
            let Some(word) = hears(&mut socket).await else { break };
            last = word["seq"].clone();
            words.push(word);
            if words.last().unwrap()["type"] == "message_complete" {
                break;
            }
        }
        drop(socket); // as if the wire were cut
        cuts += 1;
        socket = open(&test, &[("authorization", &bearer(&ann))]).await.unwrap();
        says(&mut socket, &json!({ "type": "follow", "messageId": answer, "after": last })).await;
    }
    assert!(cuts > 100, "{cuts}");
    assert_eq!(text_of(&words), pieces.concat());
}

/// A program that reads nothing costs little, and hears everything when it does.
#[tokio::test]
async fn who_does_not_read_is_waited_for() {
    let test = TestApp::start().await;
    let ann = program_of_new(&test, "ann").await;
    let mut socket = open(&test, &[("authorization", &bearer(&ann))]).await.unwrap();
    let long = "x".repeat(20_000);
    let mut steps = vec![Step::Text(long.clone()); 100];
    steps.extend([Step::Finish("stop"), Step::Done]);
    test.provider.does(steps);
    says(&mut socket, &json!({ "type": "message", "content": "hi", "model": MODEL })).await;
    eventually("the answer is made", || async {
        test.value::<i64>("select count(*) from generations where state = 'completed'").await == 1
    })
    .await;
    let words = hears_all(&mut socket).await;
    assert_eq!(text_of(&words).len(), 2_000_000);
}
