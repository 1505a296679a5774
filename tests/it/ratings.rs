//! What people think of answers: marked, taken back, with a note; their own, and gone with the chat.

use crate::support::{TestApp, people::Page, people::Person, people::between, provider::Step};
use reqwest::{Method, StatusCode};

/// A chat with one answer, and the answer's address.
async fn answered(test: &TestApp, ann: &Person) -> (String, String) {
    test.provider.streams(["Hello Ann"]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    let path = format!("/messages/{}/rating", ann.last_answer(&chat).await);
    (chat, path)
}

/// Which of the two buttons are pressed, and what each would say.
fn pressed(page: &Page) -> Vec<(String, String, String)> {
    let form = between(&page.html, "<form class=\"rating\"", "</form>").expect("an answer that can be rated");
    let buttons = form.split("<button").skip(1);
    buttons
        .map(|button| {
            let of = |name: &str| between(button, &format!(" {name}=\""), "\"").unwrap_or_default();
            (of("aria-label"), of("value"), of("aria-pressed"))
        })
        .collect()
}

fn buttons(like: (&str, &str), dislike: (&str, &str)) -> Vec<(String, String, String)> {
    let button = |name: &str, (value, pressed): (&str, &str)| (name.to_owned(), value.to_owned(), pressed.to_owned());
    vec![button("Like", like), button("Dislike", dislike)]
}

#[tokio::test]
async fn an_answer_is_liked_disliked_and_neither() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let (chat, path) = answered(&test, &ann).await;
    let page = ann.opens(&chat).await;
    assert_eq!(pressed(&page), buttons(("like", "false"), ("dislike", "false")));
    assert_eq!(page.html.matches("class=\"rating\"").count(), 1, "a question is not rated");
    assert_eq!(ann.opens(&path).await.status, StatusCode::NOT_FOUND, "no note about nothing");

    let done = ann.posts(&path, &[("rating", "like")]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert!(done.location.as_deref().is_some_and(|to| to.starts_with(&format!("{chat}?at="))), "{:?}", done.location);
    let page = ann.opens(&chat).await;
    assert_eq!(pressed(&page), buttons(("none", "true"), ("dislike", "false")));
    assert!(page.html.contains("aria-label=\"Say why\""), "{}", page.html);

    // with a note, which is about that and goes with it
    let page = ann.opens(&path).await;
    assert!(page.html.contains("You like this answer") && page.html.contains("maxlength=\"1000\""), "{}", page.html);
    ann.posts(&path, &[("rating", "like"), ("note", " Short & clear\r\n ")]).await;
    assert!(ann.opens(&path).await.html.contains("\nShort &#38; clear</textarea>"));
    assert!(ann.opens(&chat).await.html.contains("aria-label=\"Change why\""));
    ann.posts(&path, &[("rating", "like")]).await;
    assert_eq!(test.value::<String>("select note from ratings").await, "Short & clear", "said again, it stays");
    ann.posts(&path, &[("rating", "dislike")]).await;
    assert_eq!(pressed(&ann.opens(&chat).await), buttons(("like", "false"), ("none", "true")));
    assert_eq!(test.value::<String>("select note from ratings").await, "", "it was about the contrary");

    for _ in 0..2 {
        assert_eq!(ann.posts(&path, &[("rating", "none")]).await.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(pressed(&ann.opens(&chat).await), buttons(("like", "false"), ("dislike", "false")));
    assert_eq!(test.value::<i64>("select count(*) from ratings").await, 0);
}

#[tokio::test]
async fn scripts_get_the_buttons_alone() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let (_, path) = answered(&test, &ann).await;
    let request = ann.request(Method::POST, &path).header("hx-request", "true").header("sec-fetch-site", "same-origin");
    let page = Page::of(request.form(&[("rating", "dislike")]).send().await.unwrap()).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.html.starts_with("<form class=\"rating\" id=\"o-"), "{}", page.html);
    assert_eq!(pressed(&page), buttons(("like", "false"), ("none", "true")));
}

#[tokio::test]
async fn what_cannot_be_rated_is_refused() {
    let test = TestApp::start().await;
    let (ann, bob) = (test.person("ann").await, test.person("bob").await);
    let (chat, path) = answered(&test, &ann).await;
    assert_eq!(bob.posts(&path, &[("rating", "like")]).await.status, StatusCode::NOT_FOUND, "it is ann's");
    assert_eq!(ann.posts(&path, &[("rating", "love")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let long = "é".repeat(1001);
    let page = ann.posts(&path, &[("rating", "like"), ("note", &long)]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.html.contains("This note has 1001 characters") && page.html.contains(&long), "what was typed stays");
    let question: String = test.value("select id::text from messages where author = 'person'").await;
    let refused = ann.posts(&format!("/messages/{question}/rating"), &[("rating", "like")]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    // an answer that is being written
    test.provider.does([Step::Text("So far".to_owned()), Step::Hold]);
    ann.says(&chat, "more").await;
    let page = ann.sees(&chat, "So far").await;
    assert_eq!(page.html.matches("class=\"rating\"").count(), 1, "that one alone");
    let running = format!("/messages/{}/rating", ann.last_answer(&chat).await);
    assert_eq!(ann.posts(&running, &[("rating", "like")]).await.status, StatusCode::CONFLICT);
    assert_eq!(test.value::<i64>("select count(*) from ratings").await, 0);
    // one that was cut can be
    test.provider.release();
    ann.sees(&chat, "data-state=\"interrupted\"").await;
    assert_eq!(ann.posts(&running, &[("rating", "dislike")]).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn ratings_go_with_the_chat_and_never_into_its_feed() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let (chat, path) = answered(&test, &ann).await;
    let before = ann.opens(&chat).await.after();
    ann.posts(&path, &[("rating", "like"), ("note", "why not")]).await;
    assert_eq!(ann.opens(&chat).await.after(), before, "no event");
    test.execute("delete from chats").await;
    assert_eq!(test.value::<i64>("select count(*) from ratings").await, 0);
}
