//! A provider behind a proxy: a real one of HTTP (tinyproxy) and a real one of SOCKS5 (microsocks), each with a password
//! (`bin/install --tests` brings them).

use crate::support::{
    TestApp, eventually,
    people::Person,
    process::{House, Process},
    provider::Step,
};
use std::{
    net::{TcpListener, TcpStream},
    process::Command,
};
use tempfile::TempDir;

const USER: &str = "parlor";
const PASSWORD: &str = "let-me-through";

/// A proxy of this test's own.
struct Proxy {
    process: Process,
    port: u16,
    _folder: TempDir,
}

impl Proxy {
    async fn start(command: impl FnOnce(u16, &TempDir) -> Command) -> Self {
        let folder = TempDir::with_prefix("parlor-proxy").unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Process::spawn(command(port, &folder));
        eventually("the proxy listens", || async { TcpStream::connect(("127.0.0.1", port)).is_ok() }).await;
        Self { process, port, _folder: folder }
    }

    async fn http() -> Self {
        Self::start(|port, folder| {
            let path = folder.path().join("tinyproxy.conf");
            let settings =
                format!("Port {port}\nListen 127.0.0.1\nTimeout 60\nAllow 127.0.0.1\nBasicAuth {USER} {PASSWORD}\n");
            std::fs::write(&path, settings).unwrap();
            let mut command = Command::new("tinyproxy");
            command.arg("-d").arg("-c").arg(path);
            command
        })
        .await
    }

    async fn socks() -> Self {
        Self::start(|port, _| {
            let mut command = Command::new("microsocks");
            command.args(["-i", "127.0.0.1", "-p", &port.to_string(), "-u", USER, "-P", PASSWORD]);
            command
        })
        .await
    }

    fn url(&self, scheme: &str, password: &str) -> String {
        format!("{scheme}://{USER}:{password}@127.0.0.1:{}", self.port)
    }
}

/// The list of models and a chat go through it, and what the model says arrives as it is said. Stopping closes the
/// connection to the provider too.
async fn all_goes_through(proxy: &str) -> TestApp {
    let test = TestApp::with(&[("PARLOR__PROVIDERS__OPENAI__PROXY", proxy)]).await;
    let ann = test.person("ann").await;
    test.provider.does([Step::Text("By a ".into()), Step::Hold, Step::Text("detour.".into()), Step::Hold]);
    let chat = ann.asks("How do you come here?").await;
    let tab = ann.follows(&chat, 0).await;
    tab.sees("By a").await;
    test.provider.release();
    tab.sees("detour.").await;
    let answer = ann.last_answer(&chat).await;
    ann.posts(&format!("/messages/{answer}/stop"), &[]).await;
    tab.sees("data-state=\"stopped\"").await;
    eventually("the provider's connection is closed", || async { test.provider.hung_up() == 1 }).await;
    test
}

#[tokio::test]
async fn through_a_proxy_of_http() {
    let proxy = Proxy::http().await;
    let test = all_goes_through(&proxy.url("http", PASSWORD)).await;
    let via = test.provider.asked()[0].headers["via"].to_str().unwrap().to_owned();
    assert!(via.contains("tinyproxy"), "{via}");
}

#[tokio::test]
async fn through_a_proxy_of_socks() {
    for scheme in ["socks5", "socks5h"] {
        let proxy = Proxy::socks().await;
        let test = all_goes_through(&proxy.url(scheme, PASSWORD)).await;
        let provider = test.provider.root();
        let port = provider.rsplit(':').next().unwrap();
        proxy.process.says(&format!("connected to 127.0.0.1:{port}")).await;
    }
}

/// Tinyproxy says 401 for it, as a provider does that does not take a key; others say 407, and SOCKS makes no connection.
#[tokio::test]
async fn a_proxy_that_wants_another_password() {
    let proxies = [
        (Proxy::http().await, "http", "openai does not accept the key"),
        (Proxy::socks().await, "socks5", "openai could not be reached"),
    ];
    for (proxy, scheme, sentence) in proxies {
        let url = proxy.url(scheme, "guessed-wrong");
        let test = TestApp::with(&[("PARLOR__PROVIDERS__OPENAI__PROXY", &url), ("OPENAI_MODELS", "fake-1")]).await;
        let ann = test.person("ann").await;
        let chat = ann.asks("Are you there?").await;
        let page = ann.sees(&chat, sentence).await;
        let said: String = test.value("select reason from generations").await;
        assert!(![&page.html, &said].iter().any(|text| text.contains("guessed-wrong")), "{said}");
        assert!(test.provider.asked().is_empty());
    }
}

#[tokio::test]
async fn headers_of_the_settings_go_along() {
    let test = TestApp::with(&[("PARLOR__PROVIDERS__OPENAI__HEADERS__X-TEAM", "blue & green")]).await;
    let ann = test.person("ann").await;
    test.provider.streams(["Yes."]);
    let chat = ann.asks("Whose are you?").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    let asked = test.provider.asked();
    assert_eq!((asked[0].key.as_str(), &asked[0].headers["x-team"]), ("key-1", &"blue & green".parse().unwrap()));
}

/// A proxy of the environment is used, unless the settings say `none`.
#[tokio::test]
async fn a_proxy_of_the_environment() {
    let proxy = Proxy::http().await;
    let house = House::make().await.with("HTTP_PROXY", &proxy.url("http", PASSWORD)).with("NO_PROXY", "");
    for (house, is_by_it) in [(house.with("PARLOR__PROVIDERS__OPENAI__PROXY", "none"), false), (house, true)] {
        let mut process = Process::spawn(house.command(&["serve"]));
        let ann = Person::new(&process.address().await);
        ann.registers(if is_by_it { "ann" } else { "amy" }).await;
        eventually("the catalog has models", || async { ann.opens("/").await.html.contains("openai/fake-1") }).await;
        house.provider.streams(["Yes."]);
        let chat = ann.asks("Are you there?").await;
        ann.sees(&chat, "data-state=\"completed\"").await;
        assert_eq!(house.provider.asked().last().unwrap().headers.contains_key("via"), is_by_it);
        process.kill();
    }
}
