//! The line: messages sent while an answer is unfinished.

use crate::{
    crashes::{ann_at, has_models},
    support::{
        NO_RETRY, TestApp, WHOLE_TREE, eventually,
        people::{Page, Person},
        process::House,
        provider::Step,
    },
};
use reqwest::{Method, StatusCode};

fn text(text: &str) -> Step {
    Step::Text(text.to_owned())
}

/// An answer that stands at `Half` until it is released, then ends.
fn halting(rest: &str) -> [Step; 5] {
    [text("Half "), Step::Hold, text(rest), Step::Finish("stop"), Step::Done]
}

/// The answers of a chat in the order of their questions, by state.
async fn states(test: &TestApp) -> Vec<String> {
    sqlx::query_scalar("select state from generations order by id").fetch_all(&test.app.pools.http).await.unwrap()
}

async fn become_so(test: &TestApp, expected: &[&str]) {
    eventually(&format!("the answers are {expected:?}"), || async { states(test).await == expected }).await;
}

/// What the provider was asked last, as role and words.
fn said(asked: &crate::support::provider::Asked) -> Vec<(String, String)> {
    let messages = asked.body["messages"].as_array().unwrap();
    let word = |m: &serde_json::Value, name: &str| m[name].as_str().unwrap().to_owned();
    messages.iter().map(|m| (word(m, "role"), word(m, "content"))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(role, words)| ((*role).to_owned(), (*words).to_owned())).collect()
}

/// The id of the answer to a question.
async fn answer_to(test: &TestApp, question: &str) -> String {
    let sql =
        format!("select a.id::text from messages a join messages q on q.id = a.parent_id where q.text = '{question}'");
    test.value(&sql).await
}

async fn sent(ann: &Person, chat: &str, words: &str) -> Page {
    let page = ann.says(chat, words).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.html);
    page
}

#[tokio::test]
async fn two_in_line_are_answered_one_after_the_other() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.does(halting("and whole"));
    let chat = ann.asks("one").await;
    let tab = ann.follows(&chat, 0).await;
    tab.sees("Half").await;
    sent(&ann, &chat, "two").await;
    sent(&ann, &chat, "three").await;
    assert_eq!(states(&test).await, ["streaming", "lined", "lined"]);
    test.check_tree().await;
    // alike on the page, in the feed, and for whoever joins later
    let page = ann.opens(&chat).await;
    assert_eq!(page.html.matches("data-state=\"lined\"").count(), 2);
    assert_eq!(page.html.matches("In line: sent after").count(), 2);
    assert!(page.html.contains("id=\"stop\"") && page.html.contains("id=\"send-button\""), "both can be pressed");
    let late = ann.follows(&chat, page.after()).await;
    for tab in [&tab, &late] {
        tab.sees("In line: sent after").await;
    }
    // each is asked with all that was answered before it
    test.provider.streams(["Second"]);
    test.provider.streams(["Third"]);
    assert_eq!(test.provider.asked().len(), 1);
    test.provider.release();
    become_so(&test, &["completed", "completed", "completed"]).await;
    let asked = test.provider.asked();
    assert_eq!(said(&asked[1]), pairs(&[("user", "one"), ("assistant", "Half and whole"), ("user", "two")]));
    assert_eq!(said(&asked[2])[3..], pairs(&[("assistant", "Second"), ("user", "three")]));
    for tab in [&tab, &late] {
        tab.sees("Third").await;
        let last = answer_to(&test, "three").await;
        tab.sees(&format!("id=\"f-{last}\" data-state=\"completed\"")).await;
    }
    test.check_feeds().await;
    test.check_tree().await;
}

#[tokio::test]
async fn stopping_lets_the_line_go_on() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.does(halting("never"));
    let chat = ann.asks("one").await;
    ann.sees(&chat, "Half").await;
    sent(&ann, &chat, "two").await;
    test.provider.streams(["Second"]);
    let first = answer_to(&test, "one").await;
    ann.posts(&format!("/messages/{first}/stop"), &[]).await;
    become_so(&test, &["stopped", "completed"]).await;
    assert_eq!(said(&test.provider.asked()[1])[1], ("assistant".into(), "Half ".into()));
    // stopping one in line ends it too, and what is behind it goes on
    test.provider.does(halting("never"));
    test.provider.streams(["Fifth"]);
    sent(&ann, &chat, "three").await;
    eventually("the third is under way", || async { test.provider.asked().len() == 3 }).await;
    sent(&ann, &chat, "four").await;
    sent(&ann, &chat, "five").await;
    let fourth = answer_to(&test, "four").await;
    ann.posts(&format!("/messages/{fourth}/stop"), &[]).await;
    become_so(&test, &["stopped", "completed", "streaming", "stopped", "completed"]).await;
    test.check_feeds().await;
}

/// `failed`, `interrupted` and `waiting` hold the line, say why, and offer what to do.
#[tokio::test]
async fn a_held_line_says_why_and_is_sent_by_hand() {
    for (retry, end, state, words) in [
        ("", None, "failed", "did not come"),
        ("", Some(Step::Cut), "interrupted", "was cut off"),
        ("58", None, "waiting", "still to be tried again"),
    ] {
        let test = TestApp::with(&[("PARLOR__GENERATION__RETRY", retry), ("OPENAI_API_KEY", "key-1")]).await;
        let ann = test.person("ann").await;
        let first = end.clone().map_or(Step::Hold, |_| text("Half "));
        test.provider.does([first, Step::Hold, Step::Cut]);
        let chat = ann.asks("one").await;
        eventually("the provider is asked", || async { test.provider.asked().len() == 1 }).await;
        let tab = ann.follows(&chat, 0).await;
        sent(&ann, &chat, "two").await;
        sent(&ann, &chat, "three").await;
        let (second, third) = (answer_to(&test, "two").await, answer_to(&test, "three").await);
        // too early: it would be sent by itself; and what is behind another one is not sent past it
        for id in [&second, &third] {
            assert_eq!(ann.posts(&format!("/messages/{id}/send"), &[]).await.status, StatusCode::CONFLICT);
        }
        test.provider.release();
        if end.is_some() {
            tab.sees("Half").await;
        }
        test.provider.release();
        become_so(&test, &[state, "lined", "lined"]).await;
        let page = ann.opens(&chat).await;
        let send = format!("action=\"/messages/{second}/send\"");
        for wanted in [words, send.as_str(), "Send now", "Remove"] {
            assert!(page.html.contains(wanted), "{state}: the page lacks `{wanted}`");
            tab.sees(wanted).await;
            ann.follows(&chat, page.after()).await.sees(wanted).await;
        }
        assert!(!page.html.contains(&format!("/messages/{third}/send")), "the third waits for the second");
        let third_page = ann.posts(&format!("/messages/{third}/send"), &[]).await;
        assert!(third_page.status == StatusCode::CONFLICT && third_page.html.contains("before this one"));
        // what is sent meanwhile joins the line
        sent(&ann, &chat, "four").await;
        test.check_tree().await;
        assert_eq!(ann.posts(&format!("/messages/{second}/send"), &[]).await.status, StatusCode::SEE_OTHER);
        let over = if state == "waiting" { "stopped" } else { state };
        become_so(&test, &[over, "completed", "completed", "completed"]).await;
        assert_eq!(ann.posts(&format!("/messages/{second}/send"), &[]).await.status, StatusCode::SEE_OTHER, "again");
        test.check_feeds().await;
        test.check_tree().await;
    }
}

#[tokio::test]
async fn while_an_answer_waits_and_then_comes_the_line_goes_on() {
    let test = TestApp::with(&[("PARLOR__GENERATION__RETRY", "1"), ("OPENAI_API_KEY", "key-1")]).await;
    let ann = test.person("ann").await;
    test.provider.refuses(500, "no");
    test.provider.streams(["First"]);
    test.provider.streams(["Second"]);
    let chat = ann.asks("one").await;
    ann.sees(&chat, "data-state=\"waiting\"").await;
    sent(&ann, &chat, "two").await;
    let tab = ann.follows(&chat, 0).await;
    tab.sees("still to be tried again").await;
    become_so(&test, &["completed", "completed"]).await;
    tab.sees("Second").await;
    assert_eq!(said(&test.provider.asked()[2])[1].1, "First");
    test.check_feeds().await;
}

/// The line follows the better answer: asked again, or continued.
#[tokio::test]
async fn asking_again_takes_the_line_along() {
    for verb in ["regenerations", "continuations"] {
        let test = TestApp::with(&[NO_RETRY]).await;
        let ann = test.person("ann").await;
        test.provider.does([text("Half "), Step::Hold, Step::Cut]);
        let chat = ann.asks("one").await;
        ann.sees(&chat, "Half").await;
        sent(&ann, &chat, "two").await;
        sent(&ann, &chat, "three").await;
        test.provider.release();
        become_so(&test, &["interrupted", "lined", "lined"]).await;
        let (first, second) = (answer_to(&test, "one").await, answer_to(&test, "two").await);
        let regenerated = ann.posts(&format!("/messages/{second}/regenerations"), &[]).await;
        assert_eq!(regenerated.status, StatusCode::CONFLICT, "one in line cannot be asked again");
        let tab = ann.follows(&chat, ann.opens(&chat).await.after()).await;
        test.provider.does([text("better"), Step::Hold, Step::Finish("stop"), Step::Done]);
        assert_eq!(ann.posts(&format!("/messages/{first}/{verb}"), &[]).await.status, StatusCode::SEE_OTHER);
        tab.sees("event: reset").await;
        let page = ann.sees(&chat, "better").await;
        assert_eq!(page.html.matches("data-state=\"lined\"").count(), 2, "{verb}: the line is on the shown path");
        assert_eq!(page.html.matches("In line: sent after").count(), 2, "{verb}: nothing holds it now");
        test.check_tree().await;
        test.provider.release();
        eventually("all are answered", || async {
            test.value::<i64>("select count(*) from generations where state = 'completed'").await == 3
        })
        .await;
        let begun = if verb == "continuations" { "Half better" } else { "better" };
        assert_eq!(said(&test.provider.asked()[2])[1].1, begun);
        test.check_feeds().await;
        test.check_tree().await;
    }
}

#[tokio::test]
async fn what_is_in_line_can_be_removed_with_what_follows_it() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let bob = test.person("bob").await;
    test.provider.does(halting("and whole"));
    let chat = ann.asks("one").await;
    ann.sees(&chat, "Half").await;
    for words in ["two", "three", "four"] {
        sent(&ann, &chat, words).await;
    }
    let page = ann.opens(&chat).await;
    let (tab, first, third) =
        (ann.follows(&chat, page.after()).await, answer_to(&test, "one").await, answer_to(&test, "three").await);
    for id in [&first, &third] {
        assert_eq!(bob.posts(&format!("/messages/{id}/delete"), &[]).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(ann.posts(&format!("/messages/{third}/delete"), &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(states(&test).await, ["streaming", "lined"]);
    test.check_tree().await;
    tab.sees("event: reset").await;
    // a page from before the removal is told, too; one that never saw it is not bothered
    ann.follows(&chat, page.after()).await.sees("event: reset").await;
    let anew = ann.opens(&chat).await;
    assert!(anew.html.contains(">two<") && !anew.html.contains(">three<") && !anew.html.contains(">four<"));
    let quiet = ann.follows(&chat, anew.after()).await;
    quiet.sees("id: ").await;
    assert!(!quiet.text().contains("reset"));
    // by its question, as well; the composer goes on from what is left
    let question: String = test.value("select id::text from messages where text = 'two'").await;
    assert_eq!(ann.posts(&format!("/messages/{question}/delete"), &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(ann.posts(&format!("/messages/{question}/delete"), &[]).await.status, StatusCode::NOT_FOUND, "again");
    assert_eq!(ann.opens(&chat).await.field("parent").unwrap(), first);
    sent(&ann, &chat, "five").await;
    test.provider.release();
    become_so(&test, &["completed", "completed"]).await;
    assert_eq!(said(&test.provider.asked()[1])[2].1, "five");
    test.check_feeds().await;
    test.check_tree().await;
}

/// Two tabs sending at the same moment, to an idle chat and to one that is answering: nobody is turned away, and the
/// second one stands behind the first.
#[tokio::test]
async fn two_tabs_send_at_the_same_moment() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.streams(["Zero"]);
    let chat = ann.asks("zero").await;
    ann.sees(&chat, "Zero").await;
    for round in 0..5 {
        let forms = futures::future::join_all((0..4).map(|_| ann.opens(&chat))).await;
        // the first one's answer must not have ended before the last one is sent: then that would be a branch
        test.provider.does([Step::Hold, text("Held. "), Step::Finish("stop"), Step::Done]);
        let posts = forms.iter().enumerate().map(|(n, form)| {
            let fields = [
                ("content", format!("round {round}, tab {n}")),
                ("model", "openai/fake-1".to_owned()),
                ("parent", form.field("parent").unwrap()),
                ("key", form.field("key").unwrap()),
            ];
            let request =
                ann.request(Method::POST, &format!("{chat}/messages")).header("sec-fetch-site", "same-origin");
            async move { request.form(&fields).send().await.unwrap().status() }
        });
        let statuses = futures::future::join_all(posts).await;
        assert!(statuses.iter().all(|s| *s == StatusCode::SEE_OTHER), "{statuses:?}");
        test.check_tree().await;
        test.provider.release();
        let all = 1 + 4 * (round + 1);
        eventually("all are answered", || async {
            test.value::<i64>("select count(*) from generations where state = 'completed'").await == all
        })
        .await;
    }
    let longest: i64 = test
        .value(
            "with recursive path as (select id, parent_id from messages m where id = (select leaf_id from chats)
             union all select m.id, m.parent_id from path p join messages m on m.id = p.parent_id) select count(*) from path",
        )
        .await;
    assert_eq!(longest, 42, "all of them stand on the shown path");
    test.check_feeds().await;
}

/// Sending and the end of the answer before it, at every distance: the line never stands still.
#[tokio::test]
async fn sending_races_with_the_end_of_the_answer() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.streams(["Zero"]);
    let chat = ann.asks("zero").await;
    ann.sees(&chat, "Zero").await;
    for round in 0..20_u64 {
        test.provider.does(halting("whole"));
        sent(&ann, &chat, &format!("first {round}")).await;
        eventually("it is half-way", || async {
            test.value::<i64>("select count(*) from feed_events where body = 'Half '").await == round.cast_signed() + 1
        })
        .await;
        let form = ann.opens(&chat).await;
        let fields = [
            ("content", format!("second {round}")),
            ("model", "openai/fake-1".to_owned()),
            ("parent", form.field("parent").unwrap()),
        ];
        let request = ann.request(Method::POST, &format!("{chat}/messages")).header("sec-fetch-site", "same-origin");
        let pause = std::time::Duration::from_micros(700 * round);
        let (response, ()) = tokio::join!(request.form(&fields).send(), async {
            tokio::time::sleep(pause).await;
            test.provider.release();
        });
        assert_eq!(response.unwrap().status(), StatusCode::SEE_OTHER);
        let all = i64::try_from(1 + 2 * (round + 1)).unwrap();
        eventually(&format!("round {round}: both are answered"), || async {
            test.value::<i64>("select count(*) from generations where state = 'completed'").await == all
        })
        .await;
        test.check_tree().await;
    }
    test.check_feeds().await;
}

#[tokio::test]
async fn there_is_a_limit_and_the_text_is_kept() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.does([Step::Hold]);
    let chat = ann.asks("one").await;
    for n in 0..10 {
        sent(&ann, &chat, &format!("in line {n}")).await;
    }
    let request = ann.request(Method::POST, &format!("{chat}/messages")).header("hx-request", "true");
    let request =
        request.header("sec-fetch-site", "same-origin").form(&[("content", "precious"), ("model", "openai/fake-1")]);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::CONFLICT);
    let fragment = response.text().await.unwrap();
    assert!(
        fragment.starts_with("<hx-patch")
            && fragment.contains("10 messages are waiting")
            && fragment.contains("precious"),
        "{fragment}"
    );
    let page = ann.says(&chat, "precious").await;
    assert!(page.status == StatusCode::CONFLICT && page.html.contains("precious") && page.html.contains("<html"));
    test.check_tree().await;
    // at most four answers at a time, each on a path of its own
    let first = answer_to(&test, "one").await;
    for _ in 0..3 {
        test.provider.does([Step::Hold]);
        let page = ann.posts(&format!("/messages/{first}/regenerations"), &[("model", "openai/fake-1")]).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER);
    }
    let page = ann.posts(&format!("/messages/{first}/regenerations"), &[("model", "openai/fake-1")]).await;
    assert!(page.status == StatusCode::CONFLICT && page.html.contains("4 answers are being made"), "{}", page.html);
    test.check_tree().await;
    // deleting the chat stops them all
    eventually("all are under way", || async { test.provider.asked().len() == 4 }).await;
    ann.posts(&format!("{chat}/delete"), &[]).await;
    assert_eq!(states(&test).await, vec!["stopped"; 14]);
    eventually("every connection is closed", || async { test.provider.hung_up() == 4 }).await;
    assert_eq!(test.provider.asked().len(), 4, "nothing in line was begun");
    test.check_feeds().await;
}

/// A process of the version before ends an answer and knows of no line: the sweep lets it go on. Also when the answer
/// before it is gone.
#[tokio::test]
async fn a_line_left_standing_goes_on() {
    let test = TestApp::with(&[("PARLOR__GENERATION__SWEEP", "0.2")]).await;
    let ann = test.person("ann").await;
    for gone in [
        "update generations set after_id = gen_random_uuid() where state = 'lined'",
        "update generations set state = 'completed' where state = 'streaming'",
    ] {
        test.provider.does([Step::Hold]);
        let asked = test.provider.asked().len() + 1;
        let chat = ann.asks("one").await;
        eventually("the provider is asked", || async { test.provider.asked().len() == asked }).await;
        sent(&ann, &chat, "two").await;
        test.provider.streams(["Second"]);
        sqlx::query(gone).execute(&test.app.pools.http).await.unwrap();
        ann.sees(&chat, "Second").await;
    }
}

/// kill -9 of the worker at every step of a line: nothing is lost, and the line goes on or says why not.
#[tokio::test]
async fn the_line_over_workers_that_are_killed() {
    let house = House::make().await.quick();
    let web = house.web();
    let ann = ann_at(&web).await;
    let mut worker = house.worker();
    has_models(&ann).await;
    let asked =
        async |n: usize| eventually("the provider is asked", || async { house.provider.asked().len() == n }).await;
    // killed before the first word of the first answer: it is tried again, and the line after it
    house.provider.does([Step::Hold]);
    let chat = ann.asks("one").await;
    asked(1).await;
    ann.says(&chat, "two").await;
    worker.kill();
    house.provider.does([text("First"), Step::Hold, Step::Finish("stop"), Step::Done]);
    house.provider.does([text("Second so far"), Step::Hold]);
    worker = house.worker();
    ann.sees(&chat, "First").await;
    // released by the end of the first; killed in mid-answer: its text stays, and what came after it is held
    house.provider.release();
    ann.sees(&chat, "Second so far").await;
    ann.says(&chat, "three").await;
    worker.kill();
    let page = ann.sees(&chat, "data-state=\"interrupted\"").await;
    assert!(page.html.contains("Second so far") && page.html.contains("was cut off") && page.html.contains("Send now"));
    assert_eq!(house.value::<Option<String>>(WHOLE_TREE).await, None);
    // sent while there is no worker at all, over a restart of everything
    let third = ann.last_answer(&chat).await;
    ann.posts(&format!("/messages/{third}/send"), &[]).await;
    ann.says(&chat, "four").await;
    drop(web);
    let web = house.web();
    let ann = Person { address: web.address().await, ..ann };
    house.provider.streams(["Third"]);
    house.provider.streams(["Fourth"]);
    let _worker = house.worker();
    ann.sees(&chat, "Third").await;
    ann.sees(&chat, "Fourth").await;
    assert_eq!(house.value::<Option<String>>(WHOLE_TREE).await, None);
    let ended: i64 = house.value("select count(*) from generations where state = 'completed'").await;
    assert_eq!(ended, 3);
}

/// F20, second half: a crash, then a new message: the chat is not blocked, whether the crash was noticed yet or not.
#[tokio::test]
async fn f20_a_crash_then_a_new_message() {
    let house = House::make().await.quick();
    let web = house.web();
    let ann = ann_at(&web).await;
    let mut worker = house.worker();
    has_models(&ann).await;
    house.provider.does([text("So far"), Step::Hold]);
    let chat = ann.asks("one").await;
    ann.sees(&chat, "So far").await;
    worker.kill();
    let page = ann.says(&chat, "at once").await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    ann.sees(&chat, "data-state=\"interrupted\"").await;
    let answer = ann.last_answer(&chat).await;
    ann.posts(&format!("/messages/{answer}/send"), &[]).await;
    house.provider.streams(["An answer"]);
    let _worker = house.worker();
    ann.sees(&chat, "An answer").await;
    ann.says(&chat, "later").await;
    ann.sees(&chat, "unscripted").await;
    assert_eq!(house.value::<Option<String>>(WHOLE_TREE).await, None);
}

/// The answer to a form brings its turn to the page that sent it, whether the feed does or not.
#[tokio::test]
async fn a_page_that_sent_what_was_removed_meanwhile_loads_anew() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.does(halting("never"));
    let chat = ann.asks("one").await;
    let page = ann.sees(&chat, "Half").await;
    sent(&ann, &chat, "two").await;
    let second = answer_to(&test, "two").await;
    ann.posts(&format!("/messages/{second}/delete"), &[]).await;
    // its feed was broken all the while, and comes back where it was
    let tab = ann.follows(&chat, page.after()).await;
    tab.sees("event: reset").await;
}
