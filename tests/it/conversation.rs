//! Asking, and reading the answer: through the page, through the feed, from anywhere in it.

use crate::support::{
    TestApp, eventually,
    people::{PASSWORD, between},
    provider::Step,
};
use reqwest::{Method, StatusCode};

fn text(text: &str) -> Step {
    Step::Text(text.to_owned())
}

#[tokio::test]
async fn ann_asks_and_reads_the_answer() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.streams(["Hel", "lo **Ann**"]);
    let chat = ann.asks("Who am I?").await;
    let page = ann.sees(&chat, "data-state=\"completed\"").await;
    assert!(page.html.contains("<p dir=\"auto\">Hello <strong>Ann</strong></p>"), "{}", page.html);
    assert!(page.html.contains("Who am I?"));
    assert!(page.html.contains("7 tokens"));
    // the path's history goes along, oldest first
    test.provider.streams(["Two"]);
    assert_eq!(ann.says(&chat, "And then?").await.status, StatusCode::SEE_OTHER);
    ann.sees(&chat, "Two").await;
    let asked = test.provider.asked();
    let messages = asked[1].body["messages"].as_array().unwrap();
    let said: Vec<_> = messages.iter().map(|m| (m["role"].as_str().unwrap(), m["content"].as_str().unwrap())).collect();
    assert_eq!(said, [("user", "Who am I?"), ("assistant", "Hello **Ann**"), ("user", "And then?")]);
    assert_eq!(asked[1].body["model"], "fake-1");
    assert_eq!(asked[1].body["max_tokens"], 2048);
    let usage: (Option<i64>, Option<i64>) =
        sqlx::query_as("select prompt_tokens, completion_tokens from generations order by id limit 1")
            .fetch_one(&test.app.pools.http)
            .await
            .unwrap();
    assert_eq!(usage, (Some(11), Some(7)));
    test.check_feeds().await;
}

/// Persist before deliver, numbers that only rise, and the same from every place in the log.
#[tokio::test]
async fn tabs_that_join_at_any_time_get_the_whole_answer() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.does([
        text("Hello "),
        Step::Hold,
        text("again. "),
        Step::Hold,
        text("The end."),
        Step::Finish("stop"),
        Step::Done,
    ]);
    let chat = ann.asks("hi").await;
    let before = ann.opens(&chat).await;
    let first = ann.follows(&chat, before.after()).await;
    first.sees("Hello").await;
    let half_way = ann.opens(&chat).await;
    assert!(half_way.html.contains("Hello"), "the page has what was said so far");
    let second = ann.follows(&chat, half_way.after()).await;
    test.provider.release();
    first.sees("again.").await;
    second.sees("again.").await;
    let from_the_start = ann.follows(&chat, 0).await;
    from_the_start.sees("Hello again.").await;
    test.provider.release();
    for tab in [&first, &second, &from_the_start] {
        tab.sees("data-state=\"completed\"").await;
        tab.sees("The end.").await;
        assert!(tab.ids().windows(2).all(|w| w[0] <= w[1]), "{:?}", tab.ids());
        assert!(!tab.is_over(), "the feed belongs to the page, not to the answer");
    }
    // exactly at the end, and with the browser's own memory of where it was
    let last = *first.ids().last().unwrap();
    for from in 0..=last {
        let request = ann.request(Method::GET, &format!("{chat}/feed?after=0")).header("last-event-id", from);
        let tab = crate::support::people::Tab::read(request.send().await.unwrap());
        if from < last {
            tab.sees("The end.").await;
            tab.sees("data-state=\"completed\"").await;
        }
        eventually("the position is told", || async { tab.ids().last() == Some(&last) }).await;
    }
    test.check_feeds().await;
}

#[tokio::test]
async fn positions_that_cannot_be_are_reset() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.streams(["Hello"]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "Hello").await;
    for last in ["999999", "garbage", "-5"] {
        let request = ann.request(Method::GET, &format!("{chat}/feed?after=0")).header("last-event-id", last);
        let tab = crate::support::people::Tab::read(request.send().await.unwrap());
        tab.sees("event: reset").await;
        tab.ends().await;
    }
}

#[tokio::test]
async fn a_turn_reaches_the_other_tab() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.streams(["Hello"]);
    let chat = ann.asks("hi").await;
    let page = ann.sees(&chat, "data-state=\"completed\"").await;
    let other = ann.follows(&chat, page.after()).await;
    let leaf = ann.last_answer(&chat).await;
    test.provider.streams(["Fine"]);
    ann.says(&chat, "How are you?").await;
    other.sees(&format!("hx-target=\"#after-{leaf}\"")).await;
    other.sees("How are you?").await;
    other.sees("Fine").await;
}

#[tokio::test]
async fn reasoning_is_folded_and_kept() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let think = |t: &str| Step::Reasoning(t.to_owned());
    test.provider.does([think("Let me "), think("<think>"), text("Yes."), Step::Finish("stop"), Step::Done]);
    let chat = ann.asks("hi").await;
    let page = ann.sees(&chat, "data-state=\"completed\"").await;
    assert!(
        page.html.contains("Let me &#60;think&#62;") || page.html.contains("Let me &lt;think&gt;"),
        "{}",
        page.html
    );
    assert!(page.html.contains("<details class=\"thinking\""));
    // it is not sent back to the model
    ann.says(&chat, "Sure?").await;
    eventually("the provider is asked again", || async { test.provider.asked().len() == 2 }).await;
    assert!(!test.provider.asked()[1].body.to_string().contains("Let me"));
}

#[tokio::test]
async fn stopping_keeps_the_text_and_hangs_up() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.does([text("So far"), Step::Hold]);
    let chat = ann.asks("hi").await;
    let tab = ann.follows(&chat, 0).await;
    tab.sees("So far").await;
    let answer = ann.last_answer(&chat).await;
    let page = ann.posts(&format!("/messages/{answer}/stop"), &[]).await;
    assert_eq!(page.location.as_deref(), Some(chat.as_str()));
    tab.sees("data-state=\"stopped\"").await;
    eventually("the provider's connection is closed", || async { test.provider.hung_up() == 1 }).await;
    ann.posts(&format!("/messages/{answer}/stop"), &[]).await; // again: nothing happens
    let page = ann.opens(&chat).await;
    assert!(page.html.contains("So far") && page.html.contains("data-state=\"stopped\""));
    test.check_feeds().await;
    test.provider.streams(["Next"]);
    ann.says(&chat, "go on").await;
    ann.sees(&chat, "Next").await;
}

#[tokio::test]
async fn asking_again_makes_a_sibling() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.streams(["First"]);
    let chat = ann.asks("hi").await;
    let page = ann.sees(&chat, "First").await;
    let answer = ann.last_answer(&chat).await;
    let tab = ann.follows(&chat, page.after()).await;
    test.provider.streams(["Second"]);
    let page = ann.posts(&format!("/messages/{answer}/regenerations"), &[("model", "openai/fake-2")]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    let page = ann.sees(&chat, "Second").await;
    assert!(!page.html.contains("First"), "the shown path has the newer answer");
    tab.sees("event: reset").await;
    let kept: i64 = test.value("select count(*) from messages where text = 'First'").await;
    assert_eq!(kept, 1, "nothing said is overwritten");
    assert_eq!(test.provider.asked()[1].body["model"], "fake-2");
    assert_eq!(test.provider.asked()[1].body["messages"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_form_sent_twice_is_one_message() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let key = ann.opens("/").await.field("key").unwrap();
    let fields = [("content", "hi"), ("model", "openai/fake-1"), ("key", key.as_str())];
    let both = futures::future::join_all((0..5).map(|_| ann.posts("/chats", &fields))).await;
    let places: Vec<_> = both.into_iter().map(|p| p.location.unwrap()).collect();
    assert!(places.iter().all(|p| *p == places[0]), "{places:?}");
    assert_eq!(test.value::<i64>("select count(*) from chats").await, 1);
    assert_eq!(test.value::<i64>("select count(*) from messages").await, 2);
    ann.sees(&places[0], "unscripted").await;
    // another body with the same key is another message, never a lost one
    let page = ann.posts("/chats", &[("content", "other"), ("model", "openai/fake-1"), ("key", &key)]).await;
    assert_ne!(page.location.unwrap(), places[0]);
}

#[tokio::test]
async fn messages_that_cannot_be_taken_come_back_with_a_sentence() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let long = "word ".repeat(900);
    for (content, model, words) in [
        ("   ", "openai/fake-1", "Write something first"),
        (long.as_str(), "openai/fake-1", "at most 4000 can be sent"),
        ("hello there", "openai/no-such-model", "not available"),
        ("hello there", "", "not available"),
    ] {
        let page = ann.posts("/chats", &[("content", content), ("model", model)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.html.contains(words), "`{words}` is missing");
        assert!(page.html.contains(content.trim()), "the text is lost");
    }
    assert_eq!(test.value::<i64>("select count(*) from chats").await, 0);
    // in a chat, as a page and as htmx's fragment; with a parent of another chat
    test.provider.streams(["Hello"]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "Hello").await;
    let page = ann.posts(&format!("{chat}/messages"), &[("content", &long), ("model", "openai/fake-1")]).await;
    assert!(
        page.status == StatusCode::UNPROCESSABLE_ENTITY && page.html.contains("<html") && page.html.contains("Hello")
    );
    let stranger = "01890a5d-ac96-774b-bcce-b302099a8057";
    let page = ann
        .posts(&format!("{chat}/messages"), &[("content", "x"), ("model", "openai/fake-1"), ("parent", stranger)])
        .await;
    assert!(page.html.contains("no longer there"), "{}", page.html);
}

#[tokio::test]
async fn an_administrator_may_write_more() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    sqlx::query("update users set role = 'administrator'").execute(&test.app.pools.http).await.unwrap();
    test.provider.streams(["Read it all"]);
    let chat = ann.asks(&"word ".repeat(2000)).await;
    ann.sees(&chat, "Read it all").await;
}

#[tokio::test]
async fn chats_are_listed_renamed_and_deleted() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let chat = ann.asks("Plan the week, please").await;
    let page = ann.sees(&chat, "unscripted").await;
    assert!(page.html.contains("Plan the week, please · Parlor"), "the title comes from the first words");
    let page = ann.posts(&format!("{chat}/title"), &[("title", "  ")]).await;
    assert!(page.status == StatusCode::UNPROCESSABLE_ENTITY && page.html.contains("needs a title"));
    assert_eq!(ann.posts(&format!("{chat}/title"), &[("title", "A <b>week</b>")]).await.status, StatusCode::SEE_OTHER);
    let home = ann.opens("/").await.html;
    assert!(home.contains("A &#60;b&#62;week") || home.contains("A &lt;b&gt;week"), "the new title, escaped");
    let answering = ann.asks("another").await;
    assert!(ann.opens(&format!("{answering}/delete")).await.html.contains("another"));
    let gone = ann.posts(&format!("{answering}/delete"), &[]).await;
    assert_eq!(gone.location, Some(answering.replace("/chats/", "/?deleted=")));
    assert_eq!(ann.opens(&answering).await.status, StatusCode::NOT_FOUND);
    assert!(!ann.opens("/").await.html.contains(&answering));
    assert_eq!(ann.opens(&chat).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_deleted_chat_is_removed_for_good_a_day_later() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "unscripted").await;
    ann.posts(&format!("{chat}/delete"), &[]).await;
    parlor::domain::chats::purge(&test.app).await.unwrap();
    assert_eq!(test.value::<i64>("select count(*) from messages").await, 2, "not yet");
    sqlx::query("update chats set deleted_at = now() - interval '25 hours'")
        .execute(&test.app.pools.http)
        .await
        .unwrap();
    parlor::domain::chats::purge(&test.app).await.unwrap();
    for table in ["chats", "messages", "generations", "feed_heads", "feed_events", "sends"] {
        assert_eq!(test.value::<i64>(&format!("select count(*) from {table}")).await, 0, "{table}");
    }
}

/// Without JavaScript: the page leads itself to the one that is held open, and that one ends with the answer.
#[tokio::test]
async fn the_page_held_open_brings_finished_blocks() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.does([
        text("First block.\n\nSecond "),
        Step::Hold,
        text("block.\n"),
        Step::Finish("stop"),
        Step::Done,
    ]);
    let chat = ann.asks("hi").await;
    let page = ann.sees(&chat, "First block").await;
    assert!(page.html.contains("<noscript><meta http-equiv=\"refresh\" content=\"0; url=?live\"></noscript>"));
    let response = ann.request(Method::GET, &format!("{chat}?live")).send().await.unwrap();
    assert!(!response.headers().contains_key("content-encoding"), "a stream is not compressed");
    let tab = crate::support::people::Tab::read(response);
    tab.sees("First block.").await;
    assert!(!tab.text().contains("Second") && !tab.text().contains("</html>"), "{}", tab.text());
    test.provider.release();
    tab.ends().await;
    let whole = tab.text();
    assert_eq!(whole.matches("Second block.").count(), 1 + whole.matches("First block.\n\nSecond").count(), "{whole}");
    assert!(whole.contains("</html>") && whole.contains("name=\"content\""), "one can go on from here");
    assert!(!whole.contains("noscript><meta"), "it does not lead to itself");
    // once the answer is over the page is an ordinary one again
    assert!(!ann.opens(&chat).await.html.contains("http-equiv"));
    assert!(ann.opens(&format!("{chat}?live")).await.html.contains("data-state=\"completed\""));
}

#[tokio::test]
async fn a_page_held_open_says_how_its_answer_ended() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.does([text("So far.\n\nAnd"), Step::Hold]);
    let chat = ann.asks("hi").await;
    let response = ann.request(Method::GET, &format!("{chat}?live")).send().await.unwrap();
    let tab = crate::support::people::Tab::read(response);
    tab.sees("So far.").await;
    ann.posts(&format!("/messages/{}/stop", ann.last_answer(&chat).await), &[]).await;
    tab.ends().await;
    assert!(tab.text().contains("was stopped") && !tab.text().contains("is complete"), "{}", tab.text());
}

#[tokio::test]
async fn a_long_chat_opens_with_its_newest_messages() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let chat = ann.asks("message number 0").await;
    ann.sees(&chat, "unscripted").await;
    for n in 1..25 {
        ann.says(&chat, &format!("message number {n}")).await;
        eventually("it is answered", || async { !ann.opens(&chat).await.html.contains("http-equiv") }).await;
    }
    let page = ann.opens(&chat).await;
    assert_eq!(page.html.matches("<article").count(), 40);
    assert!(page.html.contains("message number 24") && !page.html.contains("number 4<"));
    let earlier = between(&page.html, "?before=", "\"").unwrap();
    let page = ann.opens(&format!("{chat}?before={earlier}")).await;
    assert_eq!(page.html.matches("<article").count(), 10);
    assert!(page.html.contains("message number 0") && page.html.contains("number 4<"));
    // twenty messages of context go to the model
    let last = test.provider.asked().pop().unwrap();
    assert_eq!(last.body["messages"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn two_hundred_answers_at_once() {
    let test = TestApp::with(&[("PARLOR__DATABASE__JOBS_CONNECTIONS", "10")]).await;
    let ann = test.person("ann").await;
    assert_eq!(ann.signs_in("ann", PASSWORD).await.status, StatusCode::SEE_OTHER);
    for _ in 0..200 {
        let pieces: Vec<_> =
            (0..50).map(|n| text(&format!("{n} "))).chain([Step::Finish("stop"), Step::Done]).collect();
        test.provider.does(pieces);
    }
    let asks = (0..200).map(|_| ann.posts("/chats", &[("content", "hi"), ("model", "openai/fake-1")]));
    let chats = futures::future::join_all(asks).await;
    assert!(chats.iter().all(|p| p.status == StatusCode::SEE_OTHER));
    eventually("all are complete", || async {
        test.value::<i64>("select count(*) from generations where state = 'completed'").await == 200
    })
    .await;
    let expected = (0..50).map(|n| n.to_string() + " ").collect::<String>();
    let right: i64 =
        test.value(&format!("select count(*) from messages where author = 'model' and text = '{expected}'")).await;
    assert_eq!(right, 200);
    test.check_feeds().await;
}

#[tokio::test]
async fn an_old_log_is_trimmed_and_old_positions_are_reset() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.streams(["Hello"]);
    let chat = ann.asks("hi").await;
    let page = ann.sees(&chat, "data-state=\"completed\"").await;
    let trim = async || parlor::domain::feed::store::trim(&test.app.pools.jobs).await.unwrap();
    trim().await;
    assert!(test.value::<i64>("select count(*) from feed_events").await > 0, "not within the hour");
    sqlx::query("update feed_events set at = now() - interval '2 hours'").execute(&test.app.pools.http).await.unwrap();
    test.provider.does([text("Running"), Step::Hold, text(" on"), Step::Finish("stop"), Step::Done]);
    ann.says(&chat, "more").await;
    let tab = ann.follows(&chat, page.after()).await;
    tab.sees("Running").await;
    trim().await;
    let (first, oldest): (i64, i64) =
        sqlx::query_as("select first_seq, (select min(seq) from feed_events) from feed_heads")
            .fetch_one(&test.app.pools.http)
            .await
            .unwrap();
    assert!(first > 1 && first == oldest, "{first} {oldest}");
    let late = ann.follows(&chat, 0).await;
    late.sees("event: reset").await;
    // whoever is up to date notices nothing
    test.provider.release();
    tab.sees("data-state=\"completed\"").await;
    assert!(ann.opens(&chat).await.html.contains("Running on"));
}

/// Whichever comes first, the form's answer or the feed: they bring the same turn, also when the feed has to look it up,
/// as it does a long one.
#[tokio::test]
async fn the_form_and_the_feed_bring_the_same_turn() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.streams(["One."]);
    let chat = ann.asks("first").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    let articles = |html: &str| -> Vec<String> {
        html.split("<article ")
            .skip(1)
            .take(2)
            .map(|rest| rest.split("</article>").next().unwrap().to_owned())
            .collect()
    };
    for length in [0, 3000] {
        let tab = ann.follows(&chat, ann.opens(&chat).await.after()).await;
        test.provider.streams(["Yes."]);
        let content = format!("another, with <b>marks</b> & **stars**\n\nin two parts{}", "!".repeat(length));
        let form = [("content", content.as_str()), ("model", "openai/fake-1")];
        let request = ann.request(Method::POST, &format!("{chat}/messages")).header("hx-request", "true");
        let answer = request.header("sec-fetch-site", "same-origin").form(&form).send().await.unwrap();
        let answer = answer.text().await.unwrap();
        tab.sees("data-state=\"completed\"").await;
        assert!(articles(&answer).len() == 2 && articles(&answer)[0].contains("&lt;b&gt;marks"), "{answer}");
        assert_eq!(articles(&answer), articles(&tab.html()), "{length} more bytes");
    }
}

/// What the feed says at an answer's end is what its page shows, though the room that says it has not looked it up.
#[tokio::test]
async fn the_feed_and_the_page_tell_the_same_end() {
    let foot = |html: &str, answer: &str| {
        between(html, &format!("<footer class=\"message__foot\" id=\"f-{answer}\""), "</footer>")
    };
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.streams(["One."]);
    let chat = ann.asks("first").await;
    let page = ann.sees(&chat, "data-state=\"completed\"").await;
    let tab = ann.follows(&chat, page.after()).await;
    for (steps, state) in [
        (vec![text("so <b>far</b>"), Step::Usage(7, 12), Step::Finish("stop"), Step::Done], "completed"),
        (vec![text("so <b>far</b>"), Step::Finish("length"), Step::Done], "completed"),
        (vec![Step::Reasoning("hm".to_owned()), text("so <b>far</b>"), Step::Finish("stop"), Step::Done], "completed"),
        (vec![text("so <b>far</b>"), Step::Cut], "interrupted"),
    ] {
        test.provider.does(steps.clone());
        assert_eq!(ann.says(&chat, "and then?").await.status, StatusCode::SEE_OTHER);
        let answer = ann.last_answer(&chat).await;
        let ended = format!("id=\"f-{answer}\" data-state=\"{state}\"");
        tab.sees(&ended).await;
        let page = ann.sees(&chat, &ended).await;
        // the last one: it was begun with another
        let said = tab.html();
        let last = said.rfind(&ended).and_then(|at| said[..at].rfind("<footer")).expect("a foot");
        assert_eq!(foot(&said[last..], &answer), foot(&page.html, &answer), "{steps:?}");
    }
}
