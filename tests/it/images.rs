//! Images that people send along: what is taken, who sees it, what a model is shown, and that nothing is left behind.

use crate::support::{
    TestApp, eventually,
    images::{png, png_size},
    people::Person,
};
use parlor::domain::{chats, files};
use reqwest::{Method, StatusCode};
use std::path::Path;

/// The names of all files in a folder and below.
fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut all = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() { all.extend(names(&path)) } else { all.push(path.display().to_string()) }
    }
    all
}

/// An administrator says that the model cannot see.
async fn fake_1_is_blind(test: &TestApp) {
    let root = test.person("root").await;
    test.execute("update users set role = 'administrator' where name = 'root'").await;
    let fields = [("model", "openai/fake-1"), ("audience", "everyone"), ("images", "no")];
    assert_eq!(root.posts("/admin/models/edit", &fields).await.status, StatusCode::SEE_OTHER);
}

async fn size_of(person: &Person, path: &str) -> (u32, u32) {
    let response = person.request(Method::GET, path).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    png_size(&response.bytes().await.unwrap())
}

#[tokio::test]
async fn an_image_goes_along_and_stays_with_its_message() {
    let test = TestApp::start().await;
    let (ann, bob) = (test.person("ann").await, test.person("bob").await);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    let file = ann.adds("my <cat>.png", &png(2400, 30)).await;
    assert_eq!(size_of(&ann, &format!("/files/{file}")).await, (2400, 30), "as it came");
    assert_eq!(size_of(&ann, &format!("/files/{file}/view")).await, (2000, 25));

    // S19: to be drawn or kept, never a page
    let response = ann.request(Method::GET, &format!("/files/{file}/view")).send().await.unwrap();
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!((header("content-type").as_str(), header("x-content-type-options").as_str()), ("image/png", "nosniff"));
    assert!(header("content-disposition").starts_with("attachment; filename=\"my-cat.png\""));
    assert!(header("cache-control").contains("private"));

    // a word is not needed
    test.provider.streams(["A cat."]);
    let tab = ann.follows(&chat, ann.opens(&chat).await.after()).await;
    assert_eq!(ann.says_with(&chat, "", &[&file, &file]).await.status, StatusCode::SEE_OTHER);
    let page = ann.sees(&chat, "A cat.").await;
    assert_eq!(page.html.matches(&format!("<img src=\"/files/{file}/view\"")).count(), 2, "small and large, once each");
    assert!(page.html.contains("my &#60;cat&#62;.png"));
    eventually("the other tab has it too", || async { tab.text().contains(&format!("/files/{file}/view")) }).await;
    let asked = test.provider.asked().pop().unwrap();
    assert_eq!(asked.images().iter().map(|(_, bytes)| png_size(bytes)).collect::<Vec<_>>(), [(2000, 25)]);

    // it is there again in the next question, an edited one, and a fork
    ann.says(&chat, "Which kind?").await;
    eventually("it was asked", || async { test.provider.asked().len() == 3 }).await;
    assert_eq!(test.provider.asked()[2].images().len(), 1);
    ann.sees(&chat, "unscripted").await;
    let question: String = test.value("select message_id::text from attachments").await;
    ann.posts(&format!("/messages/{question}/edits"), &[("content", "And this?"), ("act", "ask")]).await;
    eventually("it was asked", || async { test.provider.asked().len() == 4 }).await;
    assert_eq!(test.provider.asked()[3].images().len(), 1);
    ann.sees(&chat, "data-state=\"completed\"").await;
    let answer = ann.last_answer(&chat).await;
    let fork = ann.posts(&format!("/messages/{answer}/fork"), &[]).await.location.unwrap();
    assert!(ann.opens(&fork).await.html.contains(&format!("/files/{file}/view")));
    let paper = ann.opens(&format!("{chat}/print")).await.html;
    assert!(paper.contains(&format!("/files/{file}/view")));
    let words = ann.opens(&format!("{chat}/export")).await.html;
    assert!(words.contains("my <cat>.png"), "{words}");

    // S2: it is hers alone
    for path in [format!("/files/{file}"), format!("/files/{file}/view")] {
        assert_eq!(bob.opens(&path).await.status, StatusCode::NOT_FOUND);
    }
    let own = bob.asks("hi").await;
    bob.sees(&own, "data-state=\"completed\"").await;
    let page = bob.says_with(&own, "What is it?", &[&file]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.html.contains("no longer there") && page.html.contains("What is it?"), "the words are kept");
    assert!(!page.html.contains(&file));
    test.check_tree().await;
}

#[tokio::test]
async fn what_is_not_taken() {
    let vars = [("PARLOR__FILES__MAX_MB", "1"), ("PARLOR__LIMITS__UPLOADS_PER_HOUR", "4")];
    let test = TestApp::with(&vars).await;
    let ann = test.person("ann").await;
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>";
    let half = &png(50, 50)[..100];
    let large = vec![7; 1024 * 1024 + 1];
    for (bytes, status, words) in [
        (&svg[..], StatusCode::UNPROCESSABLE_ENTITY, "“a.png” is not an image that can be sent"),
        (half, StatusCode::UNPROCESSABLE_ENTITY, "the image is damaged"),
        (b"", StatusCode::UNPROCESSABLE_ENTITY, "is not an image"),
        (&large, StatusCode::PAYLOAD_TOO_LARGE, "at most 1 MB"),
    ] {
        let page = ann.sends_file("a.png", bytes).await;
        assert_eq!(page.status, status, "{}", page.html);
        assert!(page.html.contains(words) && !page.html.contains('<'), "a sentence: {}", page.html);
    }
    let all =
        [ann.adds("a.png", &png(2, 2)).await, ann.adds("b.png", &png(2, 2)).await, ann.adds("c.png", &png(2, 2)).await];
    let page = ann.sends_file("d.png", &png(2, 2)).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(page.html.contains("4 images were sent within an hour"), "{}", page.html);
    // nothing of what was refused is left
    assert_eq!(names(&test.data.path().join("files")).len(), 6);

    // a model that is known not to see is sent none; what was written is kept
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    fake_1_is_blind(&test).await;
    let page = ann.says_with(&chat, "Look!", &[&all[0]]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.html.contains("fake-1 cannot see images") && page.html.contains("Look!"));
    assert!(page.html.contains(&format!("value=\"{}\" checked", all[0])), "and the image is in the composer");
    let many: Vec<_> = (0..9).map(|_| uuid::Uuid::now_v7().to_string()).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    assert!(ann.says_with(&chat, "Look!", &many).await.html.contains("at most 8 images"));
    assert_eq!(test.value::<i64>("select count(*) from messages").await, 2);
}

/// Earlier images of a chat are told by their names to a model that cannot see; of a question that has one it is not asked.
#[tokio::test]
async fn a_model_that_cannot_see() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    let file = ann.adds("cat.png", &png(2, 2)).await;
    ann.says_with(&chat, "Who is it?", &[&file]).await;
    eventually("it was asked", || async { test.provider.asked().len() == 2 }).await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    let answer = ann.last_answer(&chat).await;
    fake_1_is_blind(&test).await;
    ann.says(&chat, "Sure?").await;
    eventually("it was asked", || async { test.provider.asked().len() == 3 }).await;
    let asked = &test.provider.asked()[2];
    assert!(asked.images().is_empty() && asked.body.to_string().contains("Who is it?\\n\\n[Image: cat.png]"));
    ann.posts(&format!("/messages/{answer}/regenerations"), &[("model", "openai/fake-1")]).await;
    ann.sees(&chat, "fake-1 cannot see images. Ask a model that can").await;
    assert_eq!(test.provider.asked().len(), 3);
}

/// Without scripts the composer leads to a page that takes an image and comes back with it.
#[tokio::test]
async fn an_image_without_scripts() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let page = ann.opens("/").await;
    assert!(page.html.contains("href=\"/files/new\""));
    assert!(ann.opens("/files/new").await.html.contains("enctype=\"multipart/form-data\""));
    let first = ann.adds("one.png", &png(2, 2)).await;
    let send = |kept: String, bytes: Vec<u8>| {
        let ann = ann.clone();
        async move {
            let head = format!(
                "--B\r\nContent-Disposition: form-data; name=\"chat\"\r\n\r\n\r\n\
                 --B\r\nContent-Disposition: form-data; name=\"kept\"\r\n\r\n{kept}\r\n\
                 --B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"two.png\"\r\n\r\n"
            );
            let body = [head.as_bytes(), &bytes, b"\r\n--B--\r\n"].concat();
            let request = ann.request(Method::POST, "/files").header("sec-fetch-site", "same-origin");
            let request = request.header("content-type", "multipart/form-data; boundary=B");
            crate::support::people::Page::of(request.body(body).send().await.unwrap()).await
        }
    };
    let refused = send(first.clone(), b"nothing".to_vec()).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.html.contains("is not an image that can be sent") && refused.html.contains(&first));
    let back = send(first.clone(), png(2, 2)).await.location.unwrap();
    let page = ann.opens(&back).await;
    assert_eq!(page.html.matches("class=\"chip\"").count(), 2, "{back}");
    assert!(page.html.contains(&format!("href=\"/files/new?file={first},")));
    let key = page.field("key").unwrap();
    let second: String = test.value("select id::text from files where name = 'two.png'").await;
    let fields = [("content", "Both"), ("model", "openai/fake-1"), ("key", &key), ("file", &first), ("file", &second)];
    let chat = ann.posts("/chats", &fields).await.location.unwrap();
    ann.sees(&chat, "data-state=\"completed\"").await;
    assert_eq!(test.provider.asked()[0].images().len(), 2);
    // the same form again is the same message
    assert_eq!(ann.posts("/chats", &fields).await.location.unwrap(), chat);
}

/// N10: what has a row has its bytes; and what nobody has any more leaves nothing behind.
#[tokio::test]
async fn nothing_is_left_behind() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let folder = test.data.path().join("files");
    let (sent, unsent) = (ann.adds("sent.png", &png(2, 2)).await, ann.adds("unsent.png", &png(2, 2)).await);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    ann.says_with(&chat, "Look", &[&sent]).await;
    assert_eq!(names(&folder).len(), 4);
    let shelf = Path::new(&names(&folder)[0]).with_file_name("../07");
    std::fs::create_dir_all(&shelf).unwrap();
    let unknown = shelf.join(format!("{:064x}", 7));
    std::fs::write(&unknown, b"of an upload that was cut off").unwrap();
    files::care(&test.app).await.unwrap();
    assert_eq!(names(&folder).len(), 5, "everything is new");

    test.execute("update files set created_at = now() - interval '25 hours'").await;
    let old = std::time::SystemTime::UNIX_EPOCH;
    std::fs::File::options().write(true).open(&unknown).unwrap().set_modified(old).unwrap();
    files::care(&test.app).await.unwrap();
    assert_eq!(names(&folder).len(), 2, "the one that was sent");
    assert_eq!(ann.opens(&format!("/files/{unsent}")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(ann.opens(&format!("/files/{sent}")).await.status, StatusCode::OK);

    ann.posts(&format!("{chat}/delete"), &[]).await;
    test.execute("update chats set deleted_at = now() - interval '25 hours'").await;
    chats::purge(&test.app).await.unwrap();
    files::care(&test.app).await.unwrap();
    assert_eq!(names(&folder), [""; 0]);
    assert_eq!(test.value::<i64>("select count(*) from files").await, 0);
}

/// F13: a folder that takes nothing is said, and leaves no row.
#[tokio::test]
async fn a_folder_that_takes_nothing() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    std::fs::write(test.data.path().join("files"), b"a file where the folder should be").unwrap();
    let page = ann.sends_file("a.png", &png(2, 2)).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.html.contains("You can send your message without the image."), "{}", page.html);
    assert_eq!(test.value::<i64>("select count(*) from files").await, 0);
}

/// An edited question goes along with the images that are left ticked, and needs a word only without any.
#[tokio::test]
async fn images_of_an_edited_question() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    let (cat, dog) = (ann.adds("cat.png", &png(2, 2)).await, ann.adds("dog.png", &png(3, 2)).await);
    ann.says_with(&chat, "", &[&cat, &dog]).await;
    eventually("it was asked", || async { test.provider.asked().len() == 2 }).await;
    ann.sees(&chat, "unscripted").await;
    let question: String = test.value("select message_id::text from attachments limit 1").await;
    let edits = format!("/messages/{question}/edits");
    let form = ann.opens(&edits).await.html;
    assert!(form.contains(&format!("value=\"{cat}\" checked")) && form.contains(&format!("value=\"{dog}\" checked")));
    let text = crate::support::people::between(&form, "edit__text", ">").unwrap();
    assert!(!text.contains("required"), "{text}");
    ann.posts(&edits, &[("content", ""), ("images", ""), ("file", &dog), ("act", "ask")]).await;
    eventually("it was asked", || async { test.provider.asked().len() == 3 }).await;
    let sizes =
        |n: usize| test.provider.asked()[n].images().iter().map(|(_, bytes)| png_size(bytes)).collect::<Vec<_>>();
    assert_eq!((sizes(1), sizes(2)), (vec![(2, 2), (3, 2)], vec![(3, 2)]));
    let page = ann.posts(&edits, &[("content", ""), ("images", ""), ("act", "ask")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.html.contains("Write something first."), "{}", page.html);
    // S2: what another has cannot be put in
    let bob = test.person("bob").await;
    let foreign = bob.adds("foreign.png", &png(2, 2)).await;
    let page = ann.posts(&edits, &[("content", "this"), ("images", ""), ("file", &foreign), ("act", "ask")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(test.provider.asked().len(), 3);
}

/// A file that is missing takes no answer away, and of very many images the newest are shown.
#[tokio::test]
async fn images_that_cannot_be_shown_are_told() {
    let test = TestApp::with(&[("PARLOR__LIMITS__UPLOADS_PER_HOUR", "0")]).await;
    let ann = test.person("ann").await;
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    for turn in 0..3 {
        let mut files = Vec::new();
        for n in 0..8 {
            files.push(ann.adds(&format!("{turn}-{n}.png"), &png(2, 2)).await);
        }
        let files: Vec<_> = files.iter().map(String::as_str).collect();
        ann.says_with(&chat, "Look", &files).await;
        let asked = turn + 2;
        eventually("it was asked", || async { test.provider.asked().len() == asked }).await;
        ann.sees(&chat, "data-state=\"completed\"").await;
    }
    let asked = &test.provider.asked()[3];
    assert_eq!(asked.images().len(), 20);
    assert!(
        asked.body.to_string().contains("[Image: 0-3.png]") && !asked.body.to_string().contains("[Image: 0-4.png]")
    );
    std::fs::remove_dir_all(test.data.path().join("files")).unwrap();
    ann.says(&chat, "And now?").await;
    eventually("it was asked", || async { test.provider.asked().len() == 5 }).await;
    let asked = &test.provider.asked()[4];
    assert!(asked.images().is_empty() && asked.body.to_string().contains("[Image: 2-7.png]"));
}
