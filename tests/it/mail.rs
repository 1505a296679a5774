//! Letters on their way: to a mail server that speaks SMTP for real, to one that is down, slow or mad, and to none.

use crate::support::{
    TestApp, eventually,
    letters::Letter,
    people::{PASSWORD, Page, Person, between},
    postman::Postman,
    process,
};
use reqwest::StatusCode;
use std::{
    process::Command,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const OUTBOX: &str = "/admin/outbox";

/// With an administrator, and these settings.
async fn house(settings: &[(&str, &str)]) -> (TestApp, Person) {
    let mut all = vec![("ADMIN_EMAIL", "root@example.org"), ("ADMIN_PASSWORD", PASSWORD)];
    all.extend(settings);
    let test = TestApp::with(&all).await;
    parlor::domain::accounts::first_administrator(&test.app).await.unwrap();
    let root = test.stranger();
    assert_eq!(root.signs_in("root", PASSWORD).await.status, StatusCode::SEE_OTHER);
    (test, root)
}

async fn forgets(test: &TestApp) -> Page {
    test.stranger().posts("/password/forgot", &[("email", "root@example.org")]).await
}

async fn fails(test: &TestApp) -> String {
    eventually("the letter failed", || async {
        test.value::<i64>("select count(*) from mail where state = 'failed'").await == 1
    })
    .await;
    test.value("select last_error from mail").await
}

#[tokio::test]
async fn letters_arrive_whichever_way_they_are_sent() {
    for (how, url, secure) in [
        ("plain", "smtp://127.0.0.1:{port}", false),
        ("starttls", "smtp://ann:p%40ss%2Fword@localhost:{port}?tls=required", true),
        ("tls", "smtps://ann:p%40ss%2Fword@localhost:{port}", true),
    ] {
        let postman = if secure { Postman::guarded(how) } else { Postman::plain() };
        let url = url.replace("{port}", &postman.port.to_string());
        let ca = postman.ca();
        let from = ("MAIL_FROM", "Our Parlor <parlor@example.org>");
        let ca = ("PARLOR__MAIL__CA_FILE", if secure { ca.to_str().unwrap() } else { "" });
        let (test, root) = house(&[("SMTP_URL", &url), ca, from]).await;
        forgets(&test).await;
        let Letter { to, subject, text, html, raw } = postman.takes(1).await.remove(0);
        assert_eq!((to.as_str(), subject.as_str()), ("root@example.org", "Choose another password"), "{how}");
        assert!(text.contains("/password/reset?token=") && html.contains("/password/reset?token="), "{text}");
        assert!(raw.contains("Parlor\" <parlor@example.org>") && raw.contains("multipart/alternative"), "{raw}");
        let envelope = &postman.taken()[0];
        assert_eq!(envelope["secure"], secure, "{how}");
        assert_eq!(envelope["user"], if secure { "ann" } else { "" }, "{how}");
        assert_eq!(envelope["from"], "parlor@example.org");
        eventually("what it said is forgotten", || async {
            test.value::<bool>("select bool_and(state = 'sent' and body is null) from mail").await
        })
        .await;
        let page = root.opens(OUTBOX).await;
        assert!(page.html.contains("link for a forgotten password") && page.html.contains("sent"), "{}", page.html);
        assert!(!page.html.contains(&format!("{OUTBOX}/")), "nothing to read, nothing to try");
    }
}

/// Nothing goes out in the clear, or to somebody else, because TLS did not come about.
#[tokio::test]
async fn without_tls_nothing_is_said() {
    let once = ("PARLOR__MAIL__RETRY", "");
    // no STARTTLS is offered
    let plain = Postman::plain();
    let url = format!("smtp://localhost:{}?tls=required", plain.port);
    let (test, _root) = house(&[("SMTP_URL", &url), once]).await;
    forgets(&test).await;
    fails(&test).await;
    assert!(plain.taken().is_empty());
    // a certificate that nobody here trusts
    let stranger = Postman::guarded("tls");
    let url = format!("smtps://ann:p%40ss%2Fword@localhost:{}", stranger.port);
    let (test, root) = house(&[("SMTP_URL", &url), once]).await;
    forgets(&test).await;
    let error = fails(&test).await;
    assert!(error.to_lowercase().contains("certificate"), "{error}");
    assert!(stranger.taken().is_empty());
    // a password that is wrong: said to administrators, the password is not
    let guarded = Postman::guarded("tls");
    let (url, ca) = (format!("smtps://ann:wrong-password@localhost:{}", guarded.port), guarded.ca());
    let (test, root2) = house(&[("SMTP_URL", &url), ("PARLOR__MAIL__CA_FILE", ca.to_str().unwrap()), once]).await;
    forgets(&test).await;
    let error = fails(&test).await;
    assert!(error.contains("535") && !error.contains("wrong-password"), "{error}");
    assert!(root2.opens(OUTBOX).await.html.contains("535") && root.opens(OUTBOX).await.html.contains("failed"));
}

/// F22: a mail server that is down, or says nothing, or garbage: pages do not notice, and the letter is tried again until it
/// has failed; then an administrator sends it once more.
#[tokio::test]
async fn f22_a_mail_server_that_is_down_slow_or_mad() {
    for how in ["down", "slow", "mad", "hangs up"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = if how == "down" {
            drop(listener);
            tokio::spawn(async {})
        } else {
            tokio::spawn(is(how, listener))
        };
        let settings = [("SMTP_URL", format!("smtp://127.0.0.1:{port}"))];
        let settings =
            [("SMTP_URL", settings[0].1.as_str()), ("PARLOR__MAIL__RETRY", "0.2"), ("PARLOR__MAIL__TIMEOUT", "1")];
        let (test, root) = house(&settings).await;
        let began = Instant::now();
        assert_eq!(forgets(&test).await.status, StatusCode::OK);
        assert_eq!(root.opens("/").await.status, StatusCode::OK);
        assert!(began.elapsed() < Duration::from_millis(900), "{how}: a page waited {:?}", began.elapsed());
        let error = fails(&test).await;
        assert!(!error.is_empty() && !error.contains("token"), "{how}: {error}");
        assert_eq!(test.value::<i32>("select attempts from mail").await, 2, "{how}: once, and once again");
        let page = root.opens(OUTBOX).await;
        assert!(page.html.contains("failed") && page.html.contains("Try again"), "{how}");
        task.abort();

        // another attempt by hand, to a server that is well again
        let id = between(&page.html, &format!("action=\"{OUTBOX}/"), "/retry").unwrap();
        let retry = format!("{OUTBOX}/{id}/retry");
        assert_eq!(root.posts(&retry, &[]).await.location.as_deref(), Some("/admin/outbox?tried"), "{how}");
        assert_eq!(root.posts(&retry, &[]).await.status, StatusCode::CONFLICT, "{how}: it is on its way");
        let noted: String = test.value("select action || ' ' || details from audit order by id desc limit 1").await;
        assert_eq!(noted, "letter.tried_again reset, to root@example.org");
        assert!(!fails(&test).await.is_empty());
    }
}

/// A server that is no good.
async fn is(how: &'static str, listener: TcpListener) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            match how {
                "mad" => {
                    let _ = stream.write_all(&[b'\xff', 0, b'\r', b'\n'].repeat(4000)).await;
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n<html>").await;
                }
                "hangs up" => return,
                _ => {}
            }
            let mut rest = [0; 64];
            while stream.read(&mut rest).await.is_ok_and(|n| n > 0) {}
        });
    }
}

/// F22: a letter that was put off goes out when the server is back.
#[tokio::test]
async fn f22_a_server_that_comes_back_gets_the_letter() {
    let refuses =
        serde_json::json!({ "how": "plain", "refuses": { "status": 451, "sentence": "451 come back later" } });
    let busy = Postman::start(refuses);
    let url = format!("smtp://127.0.0.1:{}", busy.port);
    let (test, root) = house(&[("SMTP_URL", &url), ("PARLOR__MAIL__RETRY", "60")]).await;
    forgets(&test).await;
    eventually("it was put off", || async {
        test.value::<i64>("select count(*) from mail where state = 'queued' and last_error <> ''").await == 1
    })
    .await;
    let page = root.opens(OUTBOX).await;
    assert!(page.html.contains("tried once, again at") && page.html.contains("come back later"), "{}", page.html);
    assert!(test.value::<bool>("select next_attempt_at > now() + interval '50 s' from mail").await);
    drop(busy);
}

/// A refusal for good is not tried again.
#[tokio::test]
async fn what_is_refused_for_good_fails_at_once() {
    let refuses = serde_json::json!({ "how": "plain", "refuses": { "status": 550, "sentence": "no such mailbox" } });
    let strict = Postman::start(refuses);
    let url = format!("smtp://127.0.0.1:{}", strict.port);
    let (test, _root) = house(&[("SMTP_URL", &url)]).await;
    forgets(&test).await;
    assert!(fails(&test).await.contains("no such mailbox"));
    assert_eq!(test.value::<i32>("select attempts from mail").await, 1);
}

/// A sender that was lost in the middle: somebody else sends it, and the lost one changes nothing.
#[tokio::test]
async fn a_lost_sender_is_followed_by_another() {
    let postman = Postman::plain();
    let url = format!("smtp://127.0.0.1:{}", postman.port);
    let (test, _root) = house(&[("SMTP_URL", &url)]).await;
    test.execute(
        "create function hold() returns trigger language plpgsql as $$ begin
             new.state = 'sending'; new.epoch = 7; new.attempts = 1; new.lease_until = now() - interval '1 s'; return new;
         end $$;
         create trigger hold before insert on mail for each row execute function hold()",
    )
    .await;
    forgets(&test).await;
    postman.takes(1).await;
    eventually("it is settled", || async {
        test.value::<i64>("select count(*) from mail where state = 'sent' and epoch = 8").await == 1
    })
    .await;
}

/// Without a server: a file that only we can read, shown to administrators as text, its HTML part only to be saved.
#[tokio::test]
async fn without_a_server_letters_lie_in_the_outbox() {
    let (test, root) = house(&[]).await;
    forgets(&test).await;
    let letter = test.letter_to("root@example.org").await;
    let folder = test.data.path().join("outbox");
    let mode = |path: &std::path::Path| {
        std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions()) & 0o777
    };
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
    let page = root.opens(OUTBOX).await;
    assert!(page.html.contains(folder.to_str().unwrap()) && page.html.contains("not sent, lies here"), "{}", page.html);
    let id = between(&page.html, &format!("href=\"{OUTBOX}/"), "\"").unwrap();
    let page = root.opens(&format!("{OUTBOX}/{id}")).await;
    assert!(page.html.contains(&letter.token()) && page.html.contains("Choose another password"), "{}", page.html);
    for (part, words) in [("eml", "multipart/alternative"), ("html", "<!doctype html>")] {
        let response = root.request(reqwest::Method::GET, &format!("{OUTBOX}/{id}/{part}")).send().await.unwrap();
        let disposition = response.headers()["content-disposition"].to_str().unwrap().to_owned();
        assert!(disposition.starts_with("attachment"), "S19: {disposition}");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert!(response.text().await.unwrap().contains(words), "{part}");
    }
    // it grows old: then there is nothing left to read
    test.execute("update mail set created_at = now() - interval '9 days'").await;
    parlor::domain::mail::care(&test.app).await.unwrap();
    assert!(!test.value::<bool>("select body is not null from mail").await);
    assert!(root.opens(&format!("{OUTBOX}/{id}")).await.html.contains("kept no longer"));
    assert_eq!(root.opens(&format!("{OUTBOX}/{id}/eml")).await.status, StatusCode::NOT_FOUND);
}

/// What goes out by a server is for whom it is written to alone, also while it has not got there.
#[tokio::test]
async fn a_letter_that_is_on_its_way_is_not_shown() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("smtp://127.0.0.1:{closed}");
    let (test, root) = house(&[("SMTP_URL", &url), ("PARLOR__MAIL__RETRY", "")]).await;
    forgets(&test).await;
    fails(&test).await;
    let id: String = test.value("select id::text from mail").await;
    let page = root.opens(&format!("{OUTBOX}/{id}")).await;
    assert!(page.status == StatusCode::OK && !page.html.contains("token="), "{}", page.html);
    assert_eq!(root.opens(&format!("{OUTBOX}/{id}/html")).await.status, StatusCode::NOT_FOUND);
    // and a day later nobody can send it either
    test.execute("update mail set created_at = now() - interval '25 hours'").await;
    parlor::domain::mail::care(&test.app).await.unwrap();
    assert_eq!(root.posts(&format!("{OUTBOX}/{id}/retry"), &[]).await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn the_doctor_sends_a_letter() {
    let database = crate::support::database::Database::make().await;
    let doctor = |settings: &[(&str, &str)], args: &[&str]| {
        let data = process::data_folder();
        let mut command: Command = process::parlor(&data);
        command.env("DATABASE_URL", &database.url).arg("doctor").args(args);
        for (name, value) in settings {
            command.env(name, value);
        }
        let output = process::run(command, "");
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let postman = Postman::guarded("starttls");
    let url = format!("smtp://ann:p%40ss%2Fword@localhost:{}?tls=required", postman.port);
    let ca = postman.ca();
    let settings = [("SMTP_URL", url.as_str()), ("PARLOR__MAIL__CA_FILE", ca.to_str().unwrap())];
    let (well, said) = doctor(&settings, &["--mail", "ann@example.org"]);
    assert!(well && said.contains("the server can be spoken to") && said.contains("the server took it"), "{said}");
    assert_eq!(postman.takes(1).await[0].subject, "A test letter");
    let (well, said) = doctor(&settings[..1], &[]);
    assert!(!well && said.contains("WRONG mail") && !said.contains("p@ss") && !said.contains("p%40ss"), "{said}");
    let (well, said) = doctor(&[], &["--mail", "ann@example.org"]);
    assert!(well && said.contains("SMTP_URL is not set") && said.contains(".eml"), "{said}");
    let (well, said) = doctor(&settings, &["--mail", "no address"]);
    assert!(!well && said.contains("cannot be written to"), "{said}");
}
