//! The list of chats: on top, by day, page by page, the archive; and what was put away comes back.

use crate::support::{TestApp, people::Person};
use reqwest::{Method, StatusCode};

/// Chats with these titles, the first the newest, without anything said in them.
async fn chats(test: &TestApp, name: &str, count: i32) {
    sqlx::query(
        "with made as (
             insert into chats (user_id, title, active_at)
             select u.id, 'chat ' || n || ' of ' || u.name, now() - interval '1 second' * n
             from users u, generate_series(1, $2) n where u.name = $1 returning id)
         insert into feed_heads (chat_id) select id from made",
    )
    .bind(name)
    .bind(count)
    .execute(&test.app.pools.http)
    .await
    .unwrap();
}

/// A form that htmx sends from that page.
async fn sends(person: &Person, path: &str, from: &str, fields: &[(&str, &str)]) -> reqwest::Response {
    let request = person.request(Method::POST, path).header("hx-request", "true");
    let request = request.header("sec-fetch-site", "same-origin");
    request.header("hx-current-url", format!("{}{from}", person.address)).form(fields).send().await.unwrap()
}

#[tokio::test]
async fn what_is_pinned_stands_on_top() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let old = ann.asks("The old one").await;
    ann.sees(&old, "unscripted").await;
    let new = ann.asks("The new one").await;
    ann.sees(&new, "unscripted").await;
    let at = |html: &str, words: &str| html.find(&format!("dir=\"auto\">{words}<")).expect(words);
    let html = ann.opens("/").await.html;
    assert!(at(&html, "The new one") < at(&html, "The old one") && !html.contains(">Pinned<"));
    let pinned = ann.posts(&format!("{old}/place"), &[("place", "pinned")]).await;
    assert_eq!((pinned.status, pinned.location.as_deref()), (StatusCode::SEE_OTHER, Some(&*old)));
    let html = ann.opens("/").await.html;
    assert!(
        html.find(">Pinned<").unwrap() < at(&html, "The old one")
            && at(&html, "The old one") < at(&html, "The new one")
    );
    assert!(html.find(">Today<").unwrap() > at(&html, "The old one"));
    ann.posts(&format!("{old}/place"), &[("place", "listed")]).await;
    assert!(!ann.opens("/").await.html.contains(">Pinned<"));
    let refused = ann.posts(&format!("{old}/place"), &[("place", "nowhere")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn the_archive_keeps_chats_out_of_the_list_until_something_is_said() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let chat = ann.asks("Put me away").await;
    ann.sees(&chat, "unscripted").await;
    let away = ann.posts(&format!("{chat}/place"), &[("place", "archived")]).await;
    let page = ann.opens(&away.location.unwrap()).await;
    assert!(page.html.contains("In the archive:") && page.html.contains("Put me away"), "the page offers to undo it");
    assert!(!ann.opens("/").await.html.contains("Put me away"));
    assert!(ann.opens("/archive").await.html.contains("Put me away"));
    assert_eq!(ann.opens(&chat).await.status, StatusCode::OK, "it is there to be read");
    let back = ann.posts(&format!("{chat}/place"), &[("place", "listed"), ("back", "archive")]).await;
    assert_eq!(back.location.as_deref(), Some("/archive"));
    assert!(ann.opens("/archive").await.html.contains("Nothing is in the archive"));
    assert!(ann.opens("/").await.html.contains("Put me away"));
    ann.posts(&format!("{chat}/place"), &[("place", "archived")]).await;
    ann.says(&chat, "And again").await;
    assert!(ann.opens("/").await.html.contains("Put me away"), "writing in it brings it back");
}

#[tokio::test]
async fn deleting_is_undone() {
    let test = TestApp::start().await;
    let (ann, bob) = (test.person("ann").await, test.person("bob").await);
    let chat = ann.asks("A <b>slip</b>").await;
    ann.sees(&chat, "unscripted").await;
    for path in [format!("{chat}/delete"), format!("{chat}/place")] {
        let gone = ann.posts(&path, if path.ends_with("place") { &[("place", "deleted")] } else { &[] }).await;
        assert_eq!(ann.opens(&chat).await.status, StatusCode::NOT_FOUND);
        let page = ann.opens(&gone.location.unwrap()).await.html;
        assert!(page.contains("Deleted:") && page.contains(&format!("action=\"{chat}/restore\"")), "{page}");
        assert!(!page.contains("<b>slip"), "the title is escaped");
        assert_eq!(bob.posts(&format!("{chat}/restore"), &[]).await.status, StatusCode::NOT_FOUND);
        let back = ann.posts(&format!("{chat}/restore"), &[]).await;
        assert_eq!(back.location.as_deref(), Some(&*chat));
        assert!(ann.opens(&chat).await.html.contains("unscripted"), "with everything said in it");
    }
    // the word that offers it is for the moment after, and for its owner
    ann.posts(&format!("{chat}/delete"), &[]).await;
    let id = chat.trim_start_matches("/chats/");
    assert!(!bob.opens(&format!("/?deleted={id}")).await.html.contains("Deleted:"));
    sqlx::query("update chats set deleted_at = now() - interval '2 minutes'")
        .execute(&test.app.pools.http)
        .await
        .unwrap();
    assert!(!ann.opens(&format!("/?deleted={id}")).await.html.contains("Deleted:"));
    for nothing in ["/?deleted=x", "/?archived=", "/archive?deleted=01890a5d-ac96-774b-bcce-b302099a8057"] {
        assert_eq!(ann.opens(nothing).await.status, StatusCode::OK, "{nothing}");
    }
}

/// From the list itself, on a page that stays: the list comes anew, and a word that offers to undo it.
#[tokio::test]
async fn the_list_answers_in_place() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let here = ann.asks("Here I am").await;
    ann.sees(&here, "unscripted").await;
    let other = ann.asks("Another").await;
    ann.sees(&other, "unscripted").await;
    let html = sends(&ann, &format!("{other}/place"), &here, &[("place", "deleted")]).await.text().await.unwrap();
    assert!(html.contains("<hx-patch hx-target=\"#newest-chats\"") && html.contains("Here I am"), "{html}");
    assert!(html.contains("aria-current=\"page\"") && html.contains(&format!("hx-post=\"{other}/restore\"")), "{html}");
    let html = sends(&ann, &format!("{other}/restore"), &here, &[]).await.text().await.unwrap();
    assert!(html.contains("Another") && !html.contains("Undo"), "{html}");
    let gone = sends(&ann, &format!("{here}/place"), &here, &[("place", "deleted")]).await;
    assert!(gone.headers()["hx-redirect"].to_str().unwrap().starts_with("/?deleted="), "its own page goes elsewhere");
    let html = sends(&ann, &format!("{other}/title"), "/", &[("title", "A & B")]).await.text().await.unwrap();
    assert!(html.contains(">A &amp; B</hx-patch>") && !html.contains("<title>"), "{html}");
    let html = sends(&ann, &format!("{other}/title"), &other, &[("title", "C")]).await.text().await.unwrap();
    assert!(html.contains("<title>C"), "{html}");
}

#[tokio::test]
async fn the_list_goes_on_page_by_page() {
    let test = TestApp::start().await;
    let (ann, _bob) = (test.person("ann").await, test.person("bob").await);
    chats(&test, "ann", 120).await;
    chats(&test, "bob", 70).await;
    let mut seen = Vec::new();
    let mut page = ann.opens("/").await.html;
    let mut pages = 0;
    loop {
        pages += 1;
        seen.extend(page.split("dir=\"auto\">chat ").skip(1).map(|part| part.split('<').next().unwrap().to_owned()));
        let Some(older) = crate::support::people::between(&page, "hx-get=\"/chats?after=", "\"") else { break };
        let path = format!("/chats?after={older}");
        let lines = ann.opens(&path).await.html;
        let lines = lines.split("<main").nth(1).unwrap();
        assert_eq!(lines.matches("class=\"shelf__line\"").count(), if pages == 1 { 50 } else { 20 });
        let request = ann.request(Method::GET, &path).header("hx-request", "true");
        page = request.send().await.unwrap().text().await.unwrap();
        assert!(!page.contains("<html") && !page.contains(">Today<"), "the heading stands above already: {page}");
    }
    let expected: Vec<_> = (1..=120).map(|n| format!("{n} of ann")).collect();
    assert_eq!((pages, seen), (3, expected));
    for wrong in ["/chats?after=x", "/archive?after=1.2"] {
        assert_eq!(ann.opens(wrong).await.status, StatusCode::NOT_FOUND, "{wrong}");
    }
    let page = ann.opens("/chats").await;
    assert_eq!(page.status, StatusCode::OK);
}
