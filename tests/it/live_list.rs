//! The list of an open page follows: what is answering, new titles, chats that come, move and go. Its owner's alone.

use crate::support::{
    TestApp, eventually,
    people::{PASSWORD, Person, Tab, between},
    process::House,
    provider::Step,
};
use reqwest::{Method, StatusCode};

/// The feed of a page without a chat; `stamp` is what the page has of the list, nothing for none.
async fn follows_list(person: &Person, path: &str, stamp: &str) -> Tab {
    let request = person.request(Method::GET, path).header("parlor-list", stamp);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    Tab::read(response)
}

/// What a page says of its list.
fn stamp(html: &str) -> String {
    between(html, "<data id=\"list-stamp\" value=\"", "\"").expect("a page with a list")
}

/// What came since, once it has these words.
async fn sees_after(tab: &Tab, seen: usize, words: &str) -> String {
    eventually(&format!("then `{words}`"), || async { tab.text()[seen..].contains(words) }).await;
    tab.text()[seen..].to_owned()
}

fn mark(chat: &str, on: bool) -> String {
    let id = chat.trim_start_matches("/chats/");
    format!("hx-target=\"#cl-{id}\" hx-swap=\"innerHTML\">{}", if on { "<i class=\"pulse\"" } else { "</hx-patch>" })
}

#[tokio::test]
async fn other_pages_show_what_answers_and_what_it_is_called() {
    let test = TestApp::with(&[("PARLOR__CHATS__TITLES", "true")]).await;
    let (ann, bob) = (test.person("ann").await, test.person("bob").await);
    test.provider.streams(["First."]);
    test.provider.streams(["Of the first"]);
    let first = ann.asks("the first one").await;
    ann.sees(&first, "Of the first").await;
    let home = ann.opens("/").await.html;
    let tabs = [
        follows_list(&ann, "/feed", &stamp(&home)).await,
        follows_list(&ann, &format!("{first}/feed?after=0"), &stamp(&ann.opens(&first).await.html)).await,
    ];
    let strange = follows_list(&bob, "/feed", &stamp(&bob.opens("/").await.html)).await;

    // a new chat stands on top, answering
    test.provider.does([Step::Hold, Step::Text("Second.".into()), Step::Finish("stop"), Step::Done]);
    test.provider.does([Step::Text("Of the second".into()), Step::Finish("stop"), Step::Done]);
    let second = ann.asks("the second one").await;
    for tab in &tabs {
        tab.sees("the second one").await;
        let text = tab.text();
        let news = text.rsplit("event: list").next().unwrap();
        assert!(news.contains(" .list__rows\" hx-swap=\"afterbegin\"><li") && !news.contains("Of the first"), "{news}");
        assert!(news.contains("<i class=\"pulse\"") && !news.contains("\nid:"), "{news}");
    }

    // its answer ends, and it has a title
    test.provider.release();
    for tab in &tabs {
        tab.sees(&mark(&second, false)).await;
        let title = format!("#ct-{}\" hx-swap=\"textContent\">Of the second", second.trim_start_matches("/chats/"));
        tab.sees(&title).await;
    }
    // that of the page as it is now is all that they were told
    let now = stamp(&ann.opens("/").await.html);
    tabs[0].sees(&now).await;
    assert_eq!(strange.text(), ": here\n\n", "nobody else hears of it");
    // one that moves takes along that it is the page's own
    ann.says(&first, "and more").await;
    tabs[1].sees("aria-current=\"page\"").await;
    assert!(!tabs[0].text().contains("aria-current"));
    test.check_feeds().await;
}

#[tokio::test]
async fn a_page_is_told_only_what_it_lacks() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let chat = ann.asks("one").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    let fresh = stamp(&ann.opens("/").await.html);
    let tab = follows_list(&ann, "/feed", &fresh).await;
    let unknown = follows_list(&ann, "/feed", "").await;
    unknown.sees("hx-target=\"#newest-chats\" hx-swap=\"innerMorph\"").await;
    assert!(unknown.text().contains(&fresh), "and what it has then");
    // an act that changes nothing rings, and nobody is told anything
    ann.posts(&format!("{chat}/place"), &[("place", "listed")]).await;
    ann.posts(&format!("{chat}/title"), &[("title", "another")]).await;
    let seen = sees_after(&tab, 0, ">another</hx-patch>").await;
    assert_eq!(seen.matches("event: list").count(), 1, "{seen}");
    assert!(seen.len() < 500, "not the whole list: {seen}");
    // whoever comes back with that has nothing to be told
    let now = between(&seen, "value=\"", "\"").unwrap();
    let back = follows_list(&ann, "/feed", &now).await;
    ann.posts(&format!("{chat}/title"), &[("title", "a third")]).await;
    let seen = sees_after(&back, 0, ">a third</hx-patch>").await;
    assert_eq!(seen.matches("event: list").count(), 1, "{seen}");
}

#[tokio::test]
async fn chats_that_are_moved_deleted_and_brought_back_elsewhere() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let (one, two) = (ann.asks("number one").await, ann.asks("number two").await);
    for chat in [&one, &two] {
        ann.sees(chat, "data-state=\"completed\"").await;
    }
    let tab = follows_list(&ann, "/feed", &stamp(&ann.opens("/").await.html)).await;
    let place = |to| [("place", to)];
    let row_goes = |chat: &str| format!("#c-{}\" hx-swap=\"delete\"", chat.trim_start_matches("/chats/"));
    for (path, fields, there, gone) in [
        (format!("{one}/place"), place("pinned"), ">Pinned<".to_owned(), ""),
        (format!("{one}/place"), place("listed"), "number two".to_owned(), ">Pinned<"),
        (format!("{one}/place"), place("archived"), row_goes(&one), "number one"),
        (format!("{one}/place"), place("listed"), "number one".to_owned(), ""),
        (format!("{two}/place"), place("deleted"), row_goes(&two), "number two"),
        (format!("{two}/restore"), place(""), "number two".to_owned(), ""),
    ] {
        let seen = tab.text().len();
        ann.posts(&path, &fields).await;
        let news = sees_after(&tab, seen, "list-stamp").await;
        assert!(news.contains(&there), "{path} {fields:?}: {news}");
        assert!(gone.is_empty() || !news.contains(gone), "{path} {fields:?}: {news}");
    }
    // what is copied or comes in from a file is there as well
    let seen = tab.text().len();
    let answer = ann.last_answer(&one).await;
    let fork = ann.posts(&format!("/messages/{answer}/fork"), &[]).await.location.unwrap();
    let fork = fork.split('#').next().unwrap().trim_start_matches("/chats/").to_owned();
    sees_after(&tab, seen, &format!("id=\"c-{fork}\"")).await;
}

/// The page was opened a while ago: what it shows has an end, and stays as long as that.
#[tokio::test]
async fn a_page_keeps_its_end_while_its_list_grows() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.execute(
        "with made as (
             insert into chats (user_id, title, active_at)
             select u.id, 'chat ' || n || '.', now() - interval '1 minute' * n from users u, generate_series(1, 60) n returning id)
         insert into feed_heads (chat_id) select id from made",
    )
    .await;
    let page = ann.opens("/").await.html;
    assert!(page.contains(">chat 50.<") && !page.contains(">chat 51.<"));
    let tab = follows_list(&ann, "/feed", &stamp(&page)).await;
    test.execute("update chats set active_at = now() where title = 'chat 55.'").await;
    ann.asks("new").await;
    sees_after(&tab, 0, ">new<").await;
    let text = tab.text();
    let rows: Vec<_> = text.split("dir=\"auto\">").skip(1).map(|row| row.split('<').next().unwrap()).collect();
    assert_eq!(rows, ["new", "chat 55."], "only what came up");
    // each is taken away first, lest it be there twice; none fell off
    assert_eq!(text.matches("hx-swap=\"delete\"").count(), 2);
    let end = stamp(&page).split('~').next().unwrap().to_owned();
    assert!(!end.is_empty() && text.contains(&format!("value=\"{end}~")), "it ends where it ended");
    // when it has become too long it is cut, and says where it goes on
    test.execute(
        "insert into chats (user_id, title) select u.id, 'more ' || n from users u, generate_series(1, 200) n",
    )
    .await;
    let back = follows_list(&ann, "/feed", &stamp(&page)).await;
    back.sees("hx-target=\"#older-chats\" hx-swap=\"innerHTML\"><a class=\"list__older").await;
    assert!(back.text().matches("class=\"chat-row\"").count() < 210);
}

#[tokio::test]
async fn a_session_that_ended_has_no_feed() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    ann.posts("/logout", &[]).await;
    let response = ann.request(Method::GET, "/feed").header("accept", "text/event-stream").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(response.text().await.unwrap().starts_with("event: gone\n"));
}

/// The page hangs on one process, the chat is written to in another one; and the page's is ended in between.
#[tokio::test]
async fn across_processes_and_a_restart() {
    let house = House::make().await;
    let (here, mut there, _worker) = (house.web(), house.web(), house.worker());
    let ann = Person::new(&here.address().await);
    let elsewhere = Person::new(&there.address().await);
    ann.registers("ann").await;
    elsewhere.signs_in("ann", PASSWORD).await;
    eventually("there is a model", || async { ann.opens("/").await.html.contains("fake-1") }).await;
    let tab = follows_list(&elsewhere, "/feed", &stamp(&elsewhere.opens("/").await.html)).await;
    house.provider.does([Step::Hold, Step::Text("Done.".into()), Step::Finish("stop"), Step::Done]);
    let chat = ann.asks("across").await;
    tab.sees("across").await;
    assert!(tab.text().contains("<i class=\"pulse\""));
    let had = between(tab.text().rsplit("list-stamp\"").next().unwrap(), "value=\"", "\"").unwrap();

    there.signal("TERM");
    tab.ends().await;
    assert!(tab.text().contains("retry: "), "it is told to come back");
    there.ends().await;
    house.provider.release();
    ann.sees(&chat, "data-state=\"completed\"").await;
    let there = house.web();
    let elsewhere = Person::new(&there.address().await);
    elsewhere.signs_in("ann", PASSWORD).await;
    let tab = follows_list(&elsewhere, "/feed", &had).await;
    tab.sees("across").await;
    assert!(!tab.text().contains("<i class=\"pulse\""), "it missed the end, and has it now: {}", tab.text());
    ann.posts(&format!("{chat}/title"), &[("title", "renamed here")]).await;
    tab.sees(">renamed here</hx-patch>").await;
}
