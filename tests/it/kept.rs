//! Providers that administrators keep: added, changed and removed while everything runs, their keys sealed and never told.

use crate::support::{
    TestApp, eventually,
    people::{Page, Person},
    process::{House, Process},
    provider::Provider,
};
use parlor::domain::providers::kept;
use reqwest::StatusCode;

const FIRST: &str = "sk-lab-number-one-0001";
const SECOND: &str = "sk-lab-number-two-0002";

async fn administrator(test: &TestApp) -> Person {
    let root = test.person("root").await;
    test.execute("update users set role = 'administrator' where name = 'root'").await;
    root
}

fn lab<'a>(url: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let fields = [
        ("name", "lab"),
        ("kind", "openai"),
        ("base_url", url),
        ("models", ""),
        ("requests_per_minute", "0"),
        ("tokens_per_minute", "0"),
        ("enabled", "on"),
    ];
    let said = fields.into_iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
    said.chain(more.iter().copied().filter(|(_, value)| *value != "(none)")).collect()
}

async fn asks_lab(person: &Person, content: &str) -> Page {
    let key = person.opens("/").await.field("key").unwrap();
    person.posts("/chats", &[("content", content), ("model", "lab/fake-1"), ("key", &key)]).await
}

fn leads_to(page: &Page, done: &str) {
    assert_eq!(
        page.location.as_deref(),
        Some(format!("/admin/providers/edit?name=lab&done={done}").as_str()),
        "{}",
        page.html
    );
}

#[tokio::test]
async fn one_is_added_used_changed_and_removed() {
    let test = TestApp::start().await;
    let (ann, root) = (test.person("ann").await, administrator(&test).await);
    let (server, elsewhere) = (Provider::start().await, Provider::start().await);
    server.takes_only(FIRST);
    let url = server.url();

    // a key that is not taken is said before anything is kept, and not shown again
    let page = root.posts("/admin/providers/new", &lab(&url, &[("key", SECOND)])).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.html.contains("does not accept this key") && !page.html.contains(SECOND), "{}", page.html);
    assert!(!page.html.contains("internal words"));
    assert_eq!(test.value::<i64>("select count(*) from providers").await, 0);

    leads_to(&root.posts("/admin/providers/new", &lab(&url, &[("key", FIRST)])).await, "answered");
    assert!(root.opens("/admin/providers").await.html.contains("/admin/providers/edit?name=lab"));
    assert!(ann.opens("/").await.html.contains("value=\"lab/fake-1\""), "it is in the picker at once");
    server.streams(["From the lab"]);
    let chat = asks_lab(&ann, "hi").await.location.unwrap();
    ann.sees(&chat, "From the lab").await;
    assert_eq!(server.asked()[0].key, FIRST);

    // another key, and the first one goes
    server.takes_only(SECOND);
    leads_to(&root.posts("/admin/providers/keys", &[("name", "lab"), ("key", SECOND)]).await, "answered");
    let again = root.posts("/admin/providers/keys", &[("name", "lab"), ("key", SECOND)]).await;
    assert!(again.html.contains("This key is there already"), "{}", again.html);
    let first: String = test.value("select id::text from sealed_keys where hint = '0001'").await;
    leads_to(&root.posts(&format!("/admin/providers/keys/{first}/remove"), &[]).await, "removed");
    asks_lab(&ann, "again").await;
    eventually("it was asked", || async { server.asked().len() == 2 }).await;
    assert_eq!(server.asked()[1].key, SECOND);

    // S23: nobody reads a key, neither on a page nor in the database
    for path in ["/admin/providers", "/admin/providers/edit?name=lab", "/admin/audit"] {
        let html = root.opens(path).await.html;
        assert!(html.contains("lab") && !html.contains(FIRST) && !html.contains(SECOND), "{path}");
    }
    assert!(test.value::<bool>("select bool_and(position('sk-lab'::bytea in sealed) = 0) from sealed_keys").await);

    // switched off: nobody can ask, and nothing is lost
    leads_to(&root.posts("/admin/providers/edit", &lab(&url, &[("enabled", "(none)")])).await, "saved");
    assert!(!ann.opens("/").await.html.contains("lab/fake-1"));
    assert_eq!(asks_lab(&ann, "still there?").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(root.opens("/admin/providers").await.html.contains("switched off"));
    leads_to(&root.posts("/admin/providers/edit", &lab(&url, &[])).await, "answered");
    asks_lab(&ann, "and again").await;
    eventually("it was asked", || async { server.asked().len() == 3 }).await;
    assert_eq!(server.asked()[2].key, SECOND);

    // S7: at another host a key is worth nothing, and removed
    let other = elsewhere.url();
    leads_to(&root.posts("/admin/providers/edit", &lab(&other, &[])).await, "answered");
    assert_eq!(test.value::<i64>("select count(*) from sealed_keys").await, 0);
    asks_lab(&ann, "elsewhere").await;
    eventually("it was asked", || async { elsewhere.asked().len() == 1 }).await;
    assert!(!elsewhere.asked()[0].key.contains("sk-lab"));

    assert_eq!(root.posts("/admin/providers/remove", &[("name", "lab")]).await.status, StatusCode::SEE_OTHER);
    assert!(!ann.opens("/").await.html.contains("lab/fake-1"));
    assert_eq!(root.posts("/admin/providers/remove", &[("name", "lab")]).await.status, StatusCode::NOT_FOUND);
    let acts: String =
        test.value("select string_agg(action, ' ' order by id) from audit where action like 'provider%'").await;
    assert_eq!(
        acts,
        "provider.added provider_key.added provider_key.removed provider.changed provider.changed provider.changed provider.removed"
    );
}

/// S7: whoever can write the database alone cannot have a key sent to a host of their own.
#[tokio::test]
async fn a_key_goes_nowhere_but_where_it_was_given_for() {
    let test = TestApp::start().await;
    let (ann, root) = (test.person("ann").await, administrator(&test).await);
    let (server, thief) = (Provider::start().await, Provider::start().await);
    leads_to(&root.posts("/admin/providers/new", &lab(&server.url(), &[("key", FIRST)])).await, "answered");
    test.execute(&format!("update providers set base_url = '{}'", thief.url())).await;
    kept::load(&test.app).await.unwrap();
    asks_lab(&ann, "hi").await;
    eventually("it was asked", || async { thief.asked().len() == 1 }).await;
    assert!(!thief.asked()[0].key.contains("sk-lab"));
}

#[tokio::test]
async fn what_cannot_be_kept() {
    let test = TestApp::start().await;
    let root = administrator(&test).await;
    let url = test.provider.url();
    for (field, value, words) in [
        ("name", "", "Small letters, digits and hyphens"),
        ("name", "The Lab", "Small letters, digits and hyphens"),
        ("name", "openai", "The settings have a provider of this name"),
        ("base_url", "ftp://example.org", "An address such as"),
        ("base_url", "https://ann:secret@example.org/v1", "An address such as"),
        ("base_url", "https://example.org/v1?key=1", "An address such as"),
        // S22: where clouds tell each machine its secrets
        ("base_url", "http://169.254.169.254/latest", "An address such as"),
        ("base_url", "http://[fe80::1]/v1", "An address such as"),
        ("base_url", "http://[::ffff:169.254.169.254]/v1", "An address such as"),
        ("base_url", "", "The vendor&#39;s own address wants a key"),
        ("key", "sk with spaces", "and no space"),
        ("requests_per_minute", "many", "A whole number from 0"),
        ("tokens_per_minute", "-1", "A whole number from 0"),
        ("models", &"x".repeat(201), "At most 200 names"),
    ] {
        let page = root.posts("/admin/providers/new", &lab(&url, &[(field, value)])).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}: {value}");
        assert!(page.html.contains(words), "{field}: {value}: {}", page.html);
        assert!(field != "key" || !page.html.contains(value));
    }
    assert_eq!(test.value::<i64>("select count(*) from providers").await, 0);
    // a server that does not answer can be kept: it may be back later
    let page = root.posts("/admin/providers/new", &lab("http://127.0.0.1:9/v1", &[])).await;
    leads_to(&page, "unanswered");
    assert!(root.opens(page.location.as_deref().unwrap()).await.html.contains("It did not answer"));
    let page = root.posts("/admin/providers/new", &lab(&url, &[])).await;
    assert!(page.html.contains("There is a provider of this name already."), "{}", page.html);
    assert_eq!(root.opens("/admin/providers/edit?name=nothing").await.status, StatusCode::NOT_FOUND);
}

/// The demo stands in only where there is nothing else; and every process sees what was done in another one.
#[tokio::test]
async fn every_process_sees_it_and_the_demo_gives_way() {
    let house = House::make().await;
    let bare = || {
        let mut command = house.command(&["serve"]);
        for name in ["OPENAI_BASE_URL", "OPENAI_API_KEY", "PARLOR__PROVIDERS__OPENAI__REQUESTS_PER_MINUTE"] {
            command.env_remove(name);
        }
        Process::spawn(command)
    };
    let (one, two) = (bare(), bare());
    let root = Person::new(&one.address().await);
    root.registers("root").await;
    house.database.execute("update users set role = 'administrator'").await;
    let there = Person { address: two.address().await, ..root.clone() };
    assert!(there.opens("/").await.html.contains("value=\"demo/demo\""));
    leads_to(&root.posts("/admin/providers/new", &lab(&house.provider.url(), &[("key", FIRST)])).await, "answered");
    there.sees("/", "value=\"lab/fake-1\"").await;
    assert!(!there.opens("/").await.html.contains("demo/demo"));
    house.provider.streams(["Hello"]);
    let chat = asks_lab(&there, "hi").await.location.unwrap();
    there.sees(&chat, "Hello").await;
    root.posts("/admin/providers/remove", &[("name", "lab")]).await;
    there.sees("/", "value=\"demo/demo\"").await;
}

/// The settings may get a provider of a name that is kept: theirs counts, and nothing done to the kept one touches it.
#[tokio::test]
async fn of_two_of_one_name_the_settings_counts() {
    let test = TestApp::start().await;
    let (ann, root) = (test.person("ann").await, administrator(&test).await);
    let sealed = "insert into providers (name, kind, base_url, models) values ('openai', 'openai', 'http://127.0.0.1:9/v1', '{mine}')";
    test.execute(sealed).await;
    kept::load(&test.app).await.unwrap();
    let page = root.opens("/admin/providers").await.html;
    assert!(page.contains("the settings have one of this name"), "{page}");
    let fields = lab("http://127.0.0.1:9/v1", &[("name", "openai"), ("models", "mine")]);
    assert_eq!(root.posts("/admin/providers/edit", &fields).await.status, StatusCode::SEE_OTHER);
    assert_eq!(root.posts("/admin/providers/remove", &[("name", "openai")]).await.status, StatusCode::SEE_OTHER);
    let home = ann.opens("/").await.html;
    assert!(home.contains("openai/fake-1") && !home.contains("openai/mine"));
    assert!(
        test.value::<bool>("select exists (select from models where provider = 'openai' and name = 'fake-1')").await
    );
}
