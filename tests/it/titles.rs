//! Titles that models make, after the first answer of a chat.

use crate::support::{TestApp, eventually, provider::Step};

const TITLES: (&str, &str) = ("PARLOR__CHATS__TITLES", "true");

#[tokio::test]
async fn a_chat_gets_a_title_from_its_model() {
    let test = TestApp::with(&[TITLES]).await;
    let ann = test.person("ann").await;
    test.provider.streams(["Herons stay where the water does not freeze."]);
    test.provider.streams(["**\"Grey herons ", "in winter\".**\n"]);
    let chat = ann.asks("where do they go when it gets cold, the grey birds at the pond?").await;
    let tab = ann.follows(&chat, 0).await;
    tab.sees(">Grey herons in winter</hx-patch>").await;
    assert!(tab.text().contains("<title>Grey herons in winter"), "{}", tab.text());
    assert!(ann.opens("/").await.html.contains("Grey herons in winter"));
    // the reader that comes later has it as well, and the second answer makes no other
    ann.follows(&chat, 1).await.sees(">Grey herons in winter</hx-patch>").await;
    test.provider.streams(["Mostly."]);
    ann.says(&chat, "And the white ones?").await;
    ann.sees(&chat, "Mostly.").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let asked = test.provider.asked();
    assert_eq!(asked.len(), 3, "two answers and one title");
    let prompt = asked[1].body["messages"][0]["content"].as_str().unwrap();
    assert!(prompt.contains("the grey birds") && prompt.contains("does not freeze"), "{prompt}");
    test.check_feeds().await;
    test.check_tree().await;
}

#[tokio::test]
async fn what_a_person_wrote_stays_and_so_does_what_stands_there_when_it_fails() {
    let test = TestApp::with(&[TITLES, crate::support::NO_RETRY]).await;
    let ann = test.person("ann").await;
    // renamed while the model thinks about one
    test.provider.streams(["An answer."]);
    test.provider.does([Step::Hold, Step::Text("Of the model".into()), Step::Finish("stop"), Step::Done]);
    let chat = ann.asks("first words").await;
    eventually("the title is asked for", || async { test.provider.asked().len() == 2 }).await;
    let tab = ann.follows(&chat, 0).await;
    ann.posts(&format!("{chat}/title"), &[("title", "Mine")]).await;
    tab.sees(">Mine</hx-patch>").await;
    test.provider.release();
    // refused, empty, cut off
    for (nth, fails) in [3, 5, 7].into_iter().zip(0..) {
        test.provider.streams(["An answer."]);
        match fails {
            0 => test.provider.refuses(400, "no"),
            1 => test.provider.streams([" \"\" "]),
            _ => test.provider.does([Step::Text("Half".into()), Step::Cut]),
        }
        let other = ann.asks(&format!("words number {fails}")).await;
        ann.sees(&other, "An answer.").await;
        eventually("the title is asked for", || async { test.provider.asked().len() > nth }).await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let titles: Vec<String> =
        sqlx::query_scalar("select title from chats order by id").fetch_all(&test.app.pools.http).await.unwrap();
    assert_eq!(titles, ["Mine", "words number 0", "words number 1", "words number 2"]);
    test.check_feeds().await;
}

#[tokio::test]
async fn nobody_is_asked_when_it_is_turned_off() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let chat = ann.asks("first words").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    assert_eq!(test.value::<i64>("select count(*) from apalis.jobs where job->>'title' = 'true'").await, 0);
    assert_eq!(test.provider.asked().len(), 1);
}
