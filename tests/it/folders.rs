//! Folders: they hold chats above the list, each person's own, and nothing that is in one is lost with it.

use crate::support::{
    TestApp,
    people::{Page, Person, Tab, between},
};
use reqwest::{Method, StatusCode};

async fn makes(person: &Person, name: &str) -> String {
    let made = person.posts("/folders", &[("name", name)]).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.html);
    made.location.unwrap()
}

async fn moves(person: &Person, chat: &str, folder: &str) -> Page {
    person.posts(&format!("{chat}/folder"), &[("folder", folder.trim_start_matches("/folders/"))]).await
}

async fn answered(person: &Person, words: &str) -> String {
    let chat = person.asks(words).await;
    person.sees(&chat, "data-state=\"completed\"").await;
    chat
}

/// The list at the side, without the room beside it.
fn list(page: &Page) -> String {
    between(&page.html, "id=\"chats\"", "<div class=\"list__undo\"").expect("a page with a list")
}

/// What the list shows in a folder.
fn shelf(page: &Page, folder: &str) -> String {
    let id = folder.trim_start_matches("/folders/");
    between(&list(page), &format!("id=\"day-folder-{id}\""), "</section>").expect("a folder in the list")
}

#[tokio::test]
async fn a_chat_goes_into_a_folder_and_out_of_it() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let (one, two) = (answered(&ann, "number one").await, answered(&ann, "number two").await);
    let (work, art) = (makes(&ann, "  Work & \n play ").await, makes(&ann, "Art").await);
    let page = ann.opens(&one).await;
    assert!(list(&page).find("Art").unwrap() < list(&page).find("Work &#38; play").unwrap(), "by name");
    assert!(list(&page).find("Work &#38; play").unwrap() < list(&page).find(">Today<").unwrap(), "above the days");
    assert_eq!(moves(&ann, &one, &work).await.location.as_deref(), Some(&*one));
    let page = ann.opens(&one).await;
    assert!(shelf(&page, &work).contains("number one") && !shelf(&page, &work).contains("number two"));
    assert!(shelf(&page, &work).contains("aria-current=\"page\""));
    assert_eq!(list(&page).matches("number one").count(), 1, "it is in no day");
    assert!(ann.opens(&work).await.html.contains(&format!("href=\"{one}\" dir=\"auto\">number one")));
    assert!(!ann.opens("/chats").await.html.split("<main").nth(1).unwrap().contains("number one"));
    // the form knows where it is
    let form = ann.opens(&format!("{one}/folder")).await.html;
    let current = form.split("aria-current=\"true\"").nth(1).unwrap();
    assert!(current.contains("Work &#38; play") && form.contains("Out of its folder"), "{form}");
    // pinned it stands on top, and comes back to where it was; archived it is hidden, and comes back there too
    for (place, back) in [("pinned", "listed"), ("archived", "listed")] {
        ann.posts(&format!("{one}/place"), &[("place", place)]).await;
        assert!(!shelf(&ann.opens("/").await, &work).contains("number one"), "{place}");
        ann.posts(&format!("{one}/place"), &[("place", back)]).await;
        assert!(shelf(&ann.opens("/").await, &work).contains("number one"), "{place}");
    }
    // found as ever
    assert!(ann.opens("/search?q=number").await.html.split("<main").nth(1).unwrap().contains(&one));
    // another folder, then none
    moves(&ann, &one, &art).await;
    assert!(shelf(&ann.opens("/").await, &art).contains("number one"));
    moves(&ann, &one, "").await;
    let page = ann.opens("/").await;
    assert!(list(&page).find("number two").unwrap() > list(&page).find(">Today<").unwrap());
    assert!(list(&page).find("number one").unwrap() > list(&page).find(">Today<").unwrap());
    // one that is made for it
    ann.posts(&format!("{two}/folder"), &[("folder", "new"), ("name", "Letters")]).await;
    let id: String = test.value("select id::text from folders where name = 'Letters'").await;
    assert!(shelf(&ann.opens("/").await, &id).contains("number two"));
    test.check_feeds().await;
}

#[tokio::test]
async fn folders_are_named_folded_and_deleted() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let chat = answered(&ann, "keep me").await;
    let folder = makes(&ann, "Old").await;
    moves(&ann, &chat, &folder).await;
    ann.posts(&folder, &[("name", "New"), ("opened", "true")]).await;
    assert!(shelf(&ann.opens("/").await, &folder).contains(">New</h2>"));
    // folded: its chats are on its page
    ann.posts(&format!("{folder}/open"), &[("open", "false")]).await;
    let page = ann.opens("/").await;
    assert!(!list(&page).contains("keep me") && shelf(&page, &folder).contains(&format!("href=\"{folder}\"")));
    assert!(ann.opens(&folder).await.html.contains("keep me"));
    ann.posts(&folder, &[("name", "New")]).await;
    assert!(!list(&ann.opens("/").await).contains("keep me"), "an empty box says the same");
    ann.posts(&folder, &[("name", "New"), ("opened", "true")]).await;
    assert!(list(&ann.opens("/").await).contains("keep me"));
    // deleted after a question; what was in it is in the list
    let asked = ann.opens(&format!("{folder}/delete")).await;
    assert!(asked.html.contains("its chats stay"));
    assert!(ann.opens(&folder).await.status == StatusCode::OK, "asking is not doing");
    assert_eq!(ann.posts(&format!("{folder}/delete"), &[]).await.location.as_deref(), Some("/folders"));
    let page = ann.opens("/").await;
    assert!(list(&page).contains("keep me") && !list(&page).contains("day-folder-"));
    assert!(ann.opens(&chat).await.html.contains("keep me"));
    assert_eq!(ann.opens(&folder).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn names_and_numbers_have_bounds() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let chat = answered(&ann, "a chat").await;
    for (name, sentence) in [(" \t ", "A folder needs a name."), (&*"ä".repeat(61), "at most 60 characters")] {
        let folder = makes(&ann, "Mine").await;
        for (path, fields) in [
            ("/folders".to_owned(), vec![("name", name)]),
            (folder, vec![("name", name)]),
            (format!("{chat}/folder"), vec![("folder", "new"), ("name", name)]),
        ] {
            let refused = ann.posts(&path, &fields).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
            assert!(refused.html.contains(sentence), "{path}: {}", refused.html);
        }
    }
    makes(&ann, &"ä".repeat(60)).await;
    test.execute("insert into folders (user_id, name) select id, 'f' || n from users, generate_series(4, 100) n").await;
    let refused = ann.posts("/folders", &[("name", "one too many")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.html.contains("There are 100 folders already") && refused.html.contains("value=\"one too many\""));
    // in the sheet over the list the sentence comes as well
    let request = ann.request(Method::POST, &format!("{chat}/folder")).header("hx-request", "true");
    let request = request.header("sec-fetch-site", "same-origin").form(&[("folder", "new"), ("name", "one too many")]);
    let html = request.send().await.unwrap().text().await.unwrap();
    assert!(html.starts_with("<hx-patch hx-target=\"#move-sheet\"") && html.contains("100 folders already"), "{html}");
    assert_eq!(test.value::<i64>("select count(*) from folders").await, 100);
    let wrong = ann.posts(&format!("{chat}/folder"), &[("folder", "nonsense")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn nobody_reaches_into_anothers_folders() {
    let test = TestApp::start().await;
    let (ann, bob) = (test.person("ann").await, test.person("bob").await);
    let (anns, bobs) = (answered(&ann, "of ann").await, answered(&bob, "of bob").await);
    let folder = makes(&ann, "Anns own").await;
    assert_eq!(moves(&bob, &bobs, &folder).await.status, StatusCode::NOT_FOUND, "into her folder");
    assert_eq!(moves(&bob, &anns, "").await.status, StatusCode::NOT_FOUND, "her chat");
    assert_eq!(
        bob.posts(&format!("{anns}/folder"), &[("folder", "new"), ("name", "x")]).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(test.value::<i64>("select count(*) from folders").await, 1, "and none was made for it");
    for page in ["/", "/folders", &bobs] {
        assert!(!bob.opens(page).await.html.contains("Anns own"), "{page}");
    }
    assert_eq!(test.value::<i64>("select count(*) from chats where folder_id is not null").await, 0);
}

/// A folder shows its newest chats in the list, and all of them on its page.
#[tokio::test]
async fn large_folders() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let folder = makes(&ann, "Large").await;
    test.execute(
        "insert into chats (user_id, folder_id, title, active_at)
         select f.user_id, f.id, 'chat ' || n || '.', now() - interval '1 minute' * n from folders f, generate_series(1, 120) n",
    )
    .await;
    let page = ann.opens("/").await;
    let shown = shelf(&page, &folder);
    assert_eq!(shown.matches("class=\"chat-row\"").count(), 30);
    assert!(shown.contains(">chat 1.<") && shown.contains("All its chats"));
    // of many folders each shows less, so that the list stays a list
    test.execute("insert into folders (user_id, name) select id, 'more ' || n from users, generate_series(1, 99) n")
        .await;
    assert_eq!(shelf(&ann.opens("/").await, &folder).matches("class=\"chat-row\"").count(), 5);
    let mut seen = Vec::new();
    let mut path = folder.clone();
    loop {
        let page = ann.opens(&path).await.html;
        let lines = page.split("<main").nth(1).unwrap().to_owned();
        seen.extend(lines.split("dir=\"auto\">chat ").skip(1).map(|part| part.split('.').next().unwrap().to_owned()));
        let Some(older) = between(&lines, &format!("href=\"{folder}?after="), "\"") else { break };
        path = format!("{folder}?after={older}");
    }
    assert_eq!(seen, (1..=120).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn folders_reach_open_pages() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let chat = answered(&ann, "a chat").await;
    answered(&ann, "another").await;
    let stamp = between(&ann.opens("/").await.html, "list-stamp\" value=\"", "\"").unwrap();
    let request = ann.request(Method::GET, "/feed").header("parlor-list", stamp);
    let tab = Tab::read(request.send().await.unwrap());
    let folder = makes(&ann, "Fresh").await;
    tab.sees(">Fresh</h2>").await;
    moves(&ann, &chat, &folder).await;
    let id = folder.trim_start_matches("/folders/");
    tab.sees(&format!("hx-target=\"#day-folder-{id}\" hx-swap=\"outerMorph\"")).await;
    ann.posts(&format!("{folder}/open"), &[("open", "false")]).await;
    tab.sees("data-opened=\"false\"").await;
    ann.posts(&folder, &[("name", "Renamed")]).await;
    tab.sees(">Renamed</h2>").await;
    let seen = tab.text().len();
    ann.posts(&format!("{folder}/delete"), &[]).await;
    crate::support::eventually("its chat is in the list", || async { tab.text()[seen..].contains("a chat") }).await;
    assert!(!tab.text()[seen..].contains("Renamed"));
}
