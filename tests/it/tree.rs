//! The tree on the page: versions, edits, forks, what is deleted and brought back, and links to a message.

use crate::support::{
    TestApp, eventually,
    people::{Page, Person, between},
    provider::Step,
};
use reqwest::StatusCode;

/// The id of a message by what it says.
async fn id_of(test: &TestApp, words: &str) -> String {
    test.value(&format!("select id::text from messages where text = '{words}' order by id desc limit 1")).await
}

/// A chat in which one question was answered.
async fn one_turn(test: &TestApp, ann: &Person) -> String {
    test.provider.streams(["First answer"]);
    let chat = ann.asks("first question").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    chat
}

async fn act(ann: &Person, path: &str, fields: &[(&str, &str)]) -> Page {
    let page = ann.posts(path, fields).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{path}: {}", page.html);
    page
}

/// What the page says, in order.
fn words(page: &Page) -> Vec<String> {
    let parts = page.html.split("<div class=\"prose\"").skip(1);
    parts
        .map(|p| between(p, ">", "</div>").unwrap_or_default().replace("<p dir=\"auto\">", "").replace("</p>", ""))
        .collect()
}

#[tokio::test]
async fn a_question_is_asked_otherwise_beside_the_first() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let chat = one_turn(&test, &ann).await;
    let tab = ann.follows(&chat, ann.opens(&chat).await.after()).await;
    let question = id_of(&test, "first question").await;
    let form = ann.opens(&format!("/messages/{question}/edits")).await;
    assert!(form.html.contains("first question</textarea>") && form.html.contains("value=\"ask\""), "{}", form.html);
    let key = form.field("key").unwrap();
    test.provider.streams(["Second answer"]);
    let path = format!("/messages/{question}/edits");
    for _ in 0..2 {
        // sent twice, asked once
        act(&ann, &path, &[("content", "second question"), ("key", &key), ("act", "ask")]).await;
    }
    tab.sees("event: reset").await;
    let page = ann.sees(&chat, "Second answer").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    assert_eq!(words(&page), ["second question", "Second answer"]);
    assert!(page.html.contains("<span>2/2</span>"), "{}", page.html);
    assert_eq!(test.provider.asked().len(), 2);
    assert_eq!(test.provider.asked()[1].body["messages"].as_array().unwrap().len(), 1, "without the other version");
    // nothing that was said is gone, and the first version is shown again, on every device
    act(&ann, &format!("/messages/{question}/show"), &[]).await;
    let page = ann.opens(&chat).await;
    assert_eq!(words(&page), ["first question", "First answer"]);
    assert!(page.html.contains("<span>1/2</span>"));
    test.check_tree().await;
    test.check_feeds().await;
}

#[tokio::test]
async fn a_question_is_saved_and_asked_later() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let chat = one_turn(&test, &ann).await;
    let question = id_of(&test, "first question").await;
    act(&ann, &format!("/messages/{question}/edits"), &[("content", "said better"), ("act", "save")]).await;
    let page = ann.opens(&chat).await;
    assert_eq!(words(&page), ["said better"]);
    let better = id_of(&test, "said better").await;
    assert!(page.html.contains(&format!("action=\"/messages/{better}/regenerations\"")), "it can be asked");
    assert_eq!(test.provider.asked().len(), 1, "nobody was asked");
    test.provider.streams(["Better answer"]);
    act(&ann, &format!("/messages/{better}/regenerations"), &[]).await;
    let page = ann.sees(&chat, "Better answer").await;
    assert_eq!(words(&page), ["said better", "Better answer"]);
    ann.sees(&chat, "data-state=\"completed\"").await;
    // a question with an answer is asked again there
    let again = ann.posts(&format!("/messages/{better}/regenerations"), &[]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    test.check_tree().await;
}

#[tokio::test]
async fn an_answer_is_edited_and_the_model_believes_it() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let chat = one_turn(&test, &ann).await;
    let answer = ann.last_answer(&chat).await;
    let path = format!("/messages/{answer}/edits");
    let long = "word ".repeat(4000);
    act(&ann, &path, &[("content", &format!("**Mine** {long}"))]).await;
    let page = ann.opens(&chat).await;
    assert!(page.html.contains("<strong>Mine</strong>") && page.html.contains("edited"), "{}", page.html);
    assert!(page.html.contains("<span>2/2</span>"));
    test.provider.streams(["Understood."]);
    ann.says(&chat, "go on").await;
    ann.sees(&chat, "Understood.").await;
    assert!(test.provider.asked()[1].body["messages"][1]["content"].as_str().unwrap().starts_with("**Mine**"));
    // what cannot be taken comes back with what was typed
    let page = ann.posts(&path, &[("content", "   ")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.html.contains("Write something first."), "{}", page.html);
}

#[tokio::test]
async fn a_running_answer_is_neither_edited_nor_forked() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.does([Step::Text("Half ".into()), Step::Hold, Step::Finish("stop")]);
    let chat = ann.asks("a question").await;
    ann.sees(&chat, "Half").await;
    let answer = ann.last_answer(&chat).await;
    for (path, fields) in [("edits", &[("content", "mine")][..]), ("fork", &[])] {
        let page = ann.posts(&format!("/messages/{answer}/{path}"), fields).await;
        assert_eq!(page.status, StatusCode::CONFLICT, "{path}");
        assert!(page.html.contains("not over yet"), "{}", page.html);
    }
    test.provider.release();
    ann.sees(&chat, "data-state=\"completed\"").await;
}

#[tokio::test]
async fn what_waits_in_line_is_edited_where_it_stands() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.does([Step::Text("Half ".into()), Step::Hold, Step::Finish("stop")]);
    test.provider.streams(["Second answer"]);
    let chat = ann.asks("one").await;
    ann.sees(&chat, "Half").await;
    ann.says(&chat, "tow").await;
    let typo = id_of(&test, "tow").await;
    let tab = ann.follows(&chat, ann.opens(&chat).await.after()).await;
    act(&ann, &format!("/messages/{typo}/edits"), &[("content", "two")]).await;
    tab.sees("event: reset").await;
    test.provider.release();
    ann.sees(&chat, "Second answer").await;
    assert_eq!(test.provider.asked()[1].body["messages"][2]["content"], "two");
    assert_eq!(test.value::<i64>("select count(*) from messages").await, 4, "no version beside it");
    test.check_tree().await;
}

#[tokio::test]
async fn deleting_takes_what_follows_along_and_undo_brings_it_back() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let chat = one_turn(&test, &ann).await;
    test.provider.does([Step::Text("Half ".into()), Step::Hold, Step::Finish("stop")]);
    ann.says(&chat, "second question").await;
    ann.sees(&chat, "Half").await;
    ann.says(&chat, "third question").await;
    let tab = ann.follows(&chat, ann.opens(&chat).await.after()).await;
    let (first, second) = (id_of(&test, "first question").await, id_of(&test, "second question").await);
    let page = ann.posts(&format!("/messages/{first}/delete"), &[]).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.html.contains("Delete the chat instead"), "{}", page.html);
    let page = act(&ann, &format!("/messages/{second}/delete"), &[]).await;
    tab.sees("event: reset").await;
    let page = ann.opens(&page.location.unwrap()).await;
    assert_eq!(words(&page), ["first question", "First answer"]);
    assert!(page.html.contains(&format!("/messages/{second}/restore")), "{}", page.html);
    eventually("the provider is let go", || async { test.provider.hung_up() == 1 }).await;
    assert_eq!(test.provider.asked().len(), 2, "the line did not go on");
    // it is not there any more, for anybody
    for path in [format!("/messages/{second}"), format!("{chat}?leaf={second}"), format!("{chat}?at={second}")] {
        assert_eq!(ann.opens(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let fields = [("content", "x"), ("model", "openai/fake-1"), ("parent", &*second)];
    let stale = ann.posts(&format!("{chat}/messages"), &fields).await;
    assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY);
    act(&ann, &format!("/messages/{second}/restore"), &[]).await;
    let page = ann.opens(&chat).await;
    assert_eq!(words(&page)[2..4], ["second question", "Half"]);
    assert_eq!(ann.posts(&format!("/messages/{second}/restore"), &[]).await.status, StatusCode::NOT_FOUND);
    test.check_tree().await;
    test.check_feeds().await;
}

#[tokio::test]
async fn one_version_is_deleted_and_the_other_shown() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let chat = one_turn(&test, &ann).await;
    let first = ann.last_answer(&chat).await;
    test.provider.streams(["Another answer"]);
    act(&ann, &format!("/messages/{first}/regenerations"), &[("model", "openai/fake-1")]).await;
    ann.sees(&chat, "Another answer").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    let another = ann.last_answer(&chat).await;
    act(&ann, &format!("/messages/{another}/delete"), &[]).await;
    let page = ann.opens(&chat).await;
    assert_eq!(words(&page), ["first question", "First answer"]);
    assert!(!page.html.contains("class=\"versions\""));
    // a day later it is gone for good
    test.execute("update messages set removed_at = removed_at - interval '25 hours' where removed_at is not null")
        .await;
    parlor::domain::generation::purge(&test.app).await.unwrap();
    assert_eq!(test.value::<i64>("select count(*) from messages").await, 2);
    assert_eq!(ann.posts(&format!("/messages/{another}/restore"), &[]).await.status, StatusCode::NOT_FOUND);
    test.check_tree().await;
}

/// A message of an export, without its id and its parent's.
fn without_ids(line: &str) -> serde_json::Value {
    let mut message: serde_json::Value = serde_json::from_str(line.trim_end_matches(',')).expect("a message");
    for name in ["id", "parent"] {
        message.as_object_mut().expect("an object").remove(name);
    }
    message
}

#[tokio::test]
async fn a_path_goes_on_in_a_chat_of_its_own() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let chat = one_turn(&test, &ann).await;
    let answer = ann.last_answer(&chat).await;
    test.provider.streams(["Not in the copy"]);
    ann.says(&chat, "second question").await;
    ann.sees(&chat, "Not in the copy").await;
    ann.posts(
        &format!("{chat}/settings"),
        &[("system", "Be brief."), ("model", "openai/fake-2"), ("temperature", "0.5")],
    )
    .await;
    let facts = "update generations set completion_tokens = 1234, first_token_at = ended_at, answer_at = ended_at + interval '3 seconds'";
    test.execute(facts).await;
    test.execute("update messages set said_at = '2020-02-02 12:00Z'").await;
    let page = act(&ann, &format!("/messages/{answer}/fork"), &[]).await;
    let copy = page.location.unwrap();
    assert_ne!(copy, chat);
    let page = ann.opens(&copy).await;
    assert_eq!(words(&page), ["first question", "First answer"]);
    // as it was, with all that is known of it
    let whole = |html: &str| html.lines().filter(|line| line.contains("\"text\"")).map(without_ids).collect::<Vec<_>>();
    let (old, new) = (format!("{chat}/export?format=json"), format!("{copy}/export?format=json"));
    let (old, new) = (ann.opens(&old).await.html, ann.opens(&new).await.html);
    assert_eq!(whole(&new), whole(&old)[..2], "{new}");
    assert!(new.contains("\"tokens\":1234,\"thought\":3.0") && new.contains("2020-02-02"), "{new}");
    assert!(new.contains("\"system_prompt\":\"Be brief.\",\"temperature\":0.5"), "{new}");
    test.provider.streams(["In the copy"]);
    ann.says(&copy, "elsewhere").await;
    ann.sees(&copy, "In the copy").await;
    assert!(!ann.opens(&chat).await.html.contains("elsewhere"));
    test.check_tree().await;
}

/// Only one's own chats have messages to act on.
#[tokio::test]
async fn others_find_nothing_to_act_on() {
    let test = TestApp::start().await;
    let (ann, eve) = (test.person("ann").await, test.person("eve").await);
    let chat = one_turn(&test, &ann).await;
    let answer = ann.last_answer(&chat).await;
    for path in ["show", "fork", "delete", "restore", "edits", "regenerations"] {
        let fields: &[(&str, &str)] = if path == "edits" { &[("content", "mine")] } else { &[] };
        assert_eq!(
            eve.posts(&format!("/messages/{answer}/{path}"), fields).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    for path in [format!("/messages/{answer}"), format!("/messages/{answer}/edits")] {
        assert_eq!(eve.opens(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_link_leads_to_a_message_that_is_far_up_or_on_another_path() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let chat = one_turn(&test, &ann).await;
    let id = chat.trim_start_matches("/chats/");
    // a long way on, without asking a hundred times
    test.execute(&format!(
        "do $$ declare parent uuid := (select leaf_id from chats where id = '{id}'); begin
           for n in 1..100 loop
             insert into messages (chat_id, parent_id, author, text, html)
             values ('{id}', parent, case when n % 2 = 1 then 'person' else 'model' end, 'message ' || n, '<p>message ' || n || '</p>')
             returning messages.id into parent;
           end loop;
           update chats set leaf_id = parent where id = '{id}'; end $$"
    ))
    .await;
    let page = ann.opens(&chat).await;
    assert!(page.html.contains("message 61</p>") && !page.html.contains("message 60</p>"));
    let far = id_of(&test, "message 30").await;
    let page = ann.opens(&format!("{chat}?at={far}")).await;
    assert!(page.html.contains(&format!("id=\"m-{far}\"")), "{}", page.html);
    assert!(
        page.html.contains("message 50</p>")
            && page.html.contains("message 11</p>")
            && !page.html.contains("message 51</p>")
    );
    assert!(page.html.contains("To the newest messages") && page.html.contains("Earlier messages"));
    // near the end it is the page itself, which follows the feed
    let near = id_of(&test, "message 80").await;
    let page = ann.opens(&format!("{chat}?at={near}")).await;
    assert!(page.html.contains("message 100</p>") && page.html.contains("hx-sse:connect"));
    // on another path
    let question = id_of(&test, "first question").await;
    act(&ann, &format!("/messages/{question}/edits"), &[("content", "elsewhere"), ("act", "save")]).await;
    let page = ann.opens(&format!("{chat}?at={near}")).await;
    assert!(page.html.contains(&format!("id=\"m-{near}\"")));
    assert_eq!(words(&ann.opens(&chat).await), ["elsewhere"], "a link changes nothing");
}

#[tokio::test]
async fn a_question_that_another_one_follows_is_no_longer_asked_by_a_button() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let chat = one_turn(&test, &ann).await;
    let question = id_of(&test, "first question").await;
    act(&ann, &format!("/messages/{question}/edits"), &[("content", "another one"), ("act", "save")]).await;
    let page = ann.opens(&chat).await;
    let end = id_of(&test, "another one").await;
    let button = format!("id=\"k-{end}\"");
    assert!(page.html.contains(&button), "it stands at the end, without an answer: {}", page.html);
    let tab = ann.follows(&chat, page.after()).await;
    test.provider.streams(["An answer to both"]);
    ann.says(&chat, "and one more").await;
    tab.sees(&format!("hx-target=\"#k-{end}\" hx-swap=\"delete\"")).await;
    assert!(!ann.sees(&chat, "An answer to both").await.html.contains(&button));
}

/// From a page that has not seen the newest turn, which is over: its message stands beside that turn.
#[tokio::test]
async fn a_message_beside_the_shown_path_turns_open_pages_to_its_own() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let chat = one_turn(&test, &ann).await;
    let stale = ann.last_answer(&chat).await;
    test.provider.streams(["Second answer"]);
    ann.says(&chat, "second question").await;
    ann.sees(&chat, "Second answer").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    let tab = ann.follows(&chat, ann.opens(&chat).await.after()).await;
    test.provider.streams(["Another second answer"]);
    let fields = [("content", "from a stale page"), ("model", "openai/fake-1"), ("parent", stale.as_str())];
    act(&ann, &format!("{chat}/messages"), &fields).await;
    tab.sees("event: reset").await;
    let page = ann.sees(&chat, "Another second answer").await;
    assert!(page.html.contains("<span>2/2</span>"), "{}", page.html);
}
