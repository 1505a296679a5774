//! Finding chats and messages by their words.

use crate::support::{TestApp, people::Person};
use reqwest::{Method, StatusCode};

/// The part of a page of results that holds them.
async fn finds(person: &Person, q: &str) -> String {
    let url = person.request(Method::GET, "/search").query(&[("q", q)]);
    let response = url.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{q:?}");
    let html = response.text().await.unwrap();
    html.split("<main").nth(1).unwrap().split("</main>").next().unwrap().to_owned()
}

async fn palette(person: &Person, q: &str) -> String {
    let request = person.request(Method::GET, "/search").query(&[("q", q)]).header("hx-request", "true");
    request.send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn messages_and_titles_are_found() {
    let test = TestApp::start().await;
    let (ann, bob) = (test.person("ann").await, test.person("bob").await);
    test.provider.streams(["A heron is a <script>alert(1)</script> *wading* bird."]);
    let chat = ann.asks("Tell me about the grey bird at the pond").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    ann.posts(&format!("{chat}/title"), &[("title", "Ornithology")]).await;
    let answer = ann.last_answer(&chat).await;

    let html = finds(&ann, "wading heron").await;
    assert!(html.contains("<mark>heron</mark>") && html.contains("<mark>wading</mark>"), "{html}");
    assert!(!html.contains("<script"), "what is found is escaped: {html}");
    assert!(html.contains(&format!("href=\"{chat}?at={answer}#m-{answer}\"")), "{html}");
    assert!(html.contains("Found once."), "{html}");
    // both are near the end of the shown path
    assert!(finds(&ann, "bird").await.contains("Found 2 times."));
    assert!(finds(&ann, "ornitho").await.contains("<mark>Ornithology</mark>"), "also by the beginning of a word");
    assert!(finds(&ann, "\"grey bird\"").await.contains("Found once."));
    assert!(finds(&ann, "\"bird grey\"").await.contains("Nothing was found."));
    assert!(finds(&ann, "bird -heron").await.contains("Found once."));
    for q in ["heron", "ornithology", "pond"] {
        assert!(finds(&bob, q).await.contains("Nothing was found."), "{q} is ann's");
    }
    ann.posts(&format!("{chat}/delete"), &[]).await;
    assert!(finds(&ann, "heron").await.contains("Nothing was found."), "not in a deleted chat");
    ann.posts(&format!("{chat}/restore"), &[]).await;
    ann.posts(&format!("{chat}/place"), &[("place", "archived")]).await;
    assert!(finds(&ann, "heron").await.contains("Found once."), "but in the archive");
}

/// What is found beside the shown path opens on a path of its own.
#[tokio::test]
async fn a_message_beside_the_shown_path_is_linked_to() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.streams(["The first is crimson."]);
    let chat = ann.asks("A colour?").await;
    ann.sees(&chat, "crimson").await;
    let first = ann.last_answer(&chat).await;
    test.provider.streams(["The second is teal."]);
    ann.posts(&format!("/messages/{first}/regenerations"), &[]).await;
    ann.sees(&chat, "teal").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    let html = finds(&ann, "crimson").await;
    let link = format!("{chat}?at={first}#m-{first}");
    assert!(html.contains(&link), "{html}");
    let page = ann.opens(&link).await;
    assert!(page.html.contains("The first is crimson") && !page.html.contains("The second is teal"), "{}", page.html);
    ann.posts(&format!("/messages/{first}/delete"), &[]).await;
    assert!(!finds(&ann, "crimson").await.contains(&first), "what is deleted is not found");
}

#[tokio::test]
async fn any_words_are_a_query() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let long = "long ".repeat(2000);
    for q in [
        "",
        " ",
        "'",
        "\"",
        "\\",
        "a:*",
        "!",
        "& |",
        "<->",
        "a & | !",
        "\u{0}",
        "\u{1}",
        "((",
        "it's",
        ":",
        "-",
        "- -a",
        "or",
        "a or",
        "\"a",
        "%",
        "https://example.org/it's?a=b&c=d",
        "日本語",
        "🙂",
        "x'':*",
        &long,
    ] {
        finds(&ann, q).await;
        palette(&ann, q).await;
    }
    assert_eq!(ann.opens("/search?q=a&before=x").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn results_go_on_page_by_page() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let chat = ann.asks("needle").await;
    ann.sees(&chat, "unscripted").await;
    let sql = "insert into messages (chat_id, parent_id, author, text)
               select chat_id, id, 'person', 'needle number ' || n from messages, generate_series(1, 64) n
               where author = 'person'";
    sqlx::query(sql).execute(&test.app.pools.http).await.unwrap();
    let mut path = Some("/search?q=needle".to_owned());
    let mut counts = Vec::new();
    while let Some(at) = path {
        let html = ann.opens(&at).await.html;
        counts.push(html.matches("class=\"found__one\"").count());
        path = crate::support::people::between(&html, "href=\"/search?q=needle&#38;before=", "\"")
            .map(|id| format!("/search?q=needle&before={id}"));
    }
    // a title, and 65 messages
    assert_eq!(counts, [31, 30, 5]);
}

#[tokio::test]
async fn the_palette_has_commands_and_what_is_found() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let chat = ann.asks("Chats with herons").await;
    ann.sees(&chat, "unscripted").await;
    let html = palette(&ann, "").await;
    assert!(html.find("New chat").unwrap() < html.find("Chats with herons").unwrap(), "{html}");
    assert!(!html.contains("/admin/jobs") && !html.contains("<html"), "{html}");
    let html = palette(&ann, "herons").await;
    assert!(!html.contains("New chat") && html.contains(&chat) && html.contains("<mark>herons</mark>"), "{html}");
    assert!(palette(&ann, "keyboard").await.contains("popovertarget=\"keys\""));
    assert!(palette(&ann, "nothing like it").await.contains("Nothing was found."));
}

/// Chooses a language in the settings.
async fn chooses(person: &Person, language: &str) {
    let fields =
        [("instructions", ""), ("model", ""), ("temperature", ""), ("theme", "system"), ("language", language)];
    let page = person.posts("/settings", &fields).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.html);
}

/// A chat with this question, whose title says something else.
async fn asked(person: &Person, words: &str) -> String {
    let chat = person.asks(words).await;
    person.sees(&chat, "data-state=\"completed\"").await;
    person.posts(&format!("{chat}/title"), &[("title", "untitled")]).await;
    chat
}

#[tokio::test]
async fn words_are_found_in_the_readers_language() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    assert!(ann.opens("/settings").await.html.contains("<option value=\"english\" selected>English</option>"));
    let chat = asked(&ann, "The chat was running along the houses, not the horse").await;
    for (q, hit) in
        [("chats", "chat"), ("run", "running"), ("house", "houses"), ("\"running along\"", "running"), ("the", "The")]
    {
        let html = finds(&ann, q).await;
        assert!(html.contains("Found once.") && html.contains(&format!("<mark>{hit}</mark>")), "{q}: {html}");
    }
    // what is not typed to its end, and what must not be there in any form
    assert!(finds(&ann, "runni").await.contains("<mark>running</mark>"));
    assert!(finds(&ann, "chat -horses").await.contains("Nothing was found."));
    assert!(finds(&ann, "chats -cows").await.contains("Found once."));
    ann.posts(&format!("{chat}/title"), &[("title", "Running shoes")]).await;
    assert!(finds(&ann, "shoe runs").await.contains("<mark>Running</mark> <mark>shoes</mark>"), "titles too");
    assert!(finds(&ann, "shoe -run").await.contains("Nothing was found."));

    // another language, for what is written from now on
    assert!(finds(&ann, "Haus").await.contains("Nothing was found."));
    chooses(&ann, "german").await;
    assert!(ann.opens("/settings").await.html.contains("<option value=\"german\" selected>German</option>"));
    let german = asked(&ann, "Die Häuser stehen am Wald").await;
    let html = finds(&ann, "Haus").await;
    assert!(html.contains("<mark>Häuser</mark>") && html.contains(&german), "{html}");
    assert!(finds(&ann, "Wälder").await.contains("<mark>Wald</mark>"));
    assert!(finds(&ann, "chats").await.contains("Found once."), "what was English still is");

    // any language: as it is written
    chooses(&ann, "simple").await;
    asked(&ann, "Many geese").await;
    assert!(finds(&ann, "geeses").await.contains("Nothing was found."));
    assert!(finds(&ann, "gees").await.contains("<mark>geese</mark>"));
    assert!(finds(&ann, "Haus").await.contains("<mark>Häuser</mark>"));
    let kept: String = test.value("select string_agg(distinct lang, ',') from messages where author = 'person'").await;
    assert_eq!(kept, "english,german,simple");
    assert_eq!(test.value::<i64>("select count(*) from messages where lang = 'german'").await, 2, "the answer too");

    // nobody else's, and not what is deleted
    let bob = test.person("bob").await;
    assert!(finds(&bob, "houses").await.contains("Nothing was found."));
    ann.posts(&format!("{german}/delete"), &[]).await;
    assert!(finds(&ann, "Haus").await.contains("Nothing was found."));
    sqlx::query("update messages set removed_at = now()").execute(&test.app.pools.http).await.unwrap();
    assert!(finds(&ann, "houses").await.contains("Nothing was found."), "nor what was removed");
}

#[tokio::test]
async fn every_language_of_the_settings_can_be_searched_in() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let page = ann.opens("/settings").await;
    let languages: Vec<_> = page.html.split("<option value=\"").filter_map(|part| part.split_once('"')).collect();
    let known = parlor::domain::own::LANGUAGES;
    assert!(known.iter().all(|known| languages.iter().any(|(name, _)| name == known)), "{}", page.html);
    for language in known {
        chooses(&ann, language).await;
        ann.asks(&format!("needle {language}")).await;
        assert!(
            finds(&ann, &format!("needle {language}")).await.contains(&format!("<mark>{language}</mark>")),
            "{language}"
        );
    }
    let fields =
        [("instructions", ""), ("model", ""), ("temperature", ""), ("theme", "light"), ("language", "klingon")];
    let page = ann.posts("/settings", &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.html.contains("Choose one of the list."), "{}", page.html);
}
