//! The commands of the terminal, which ask a running Parlor by its API.

use crate::support::{
    TestApp,
    program::{Program, key_of_new},
    provider::Step,
    proxy::{Proxy, Upstream},
};
use serde_json::json;
use std::{
    process::{Command, Output, Stdio},
    time::Duration,
};
use tempfile::TempDir;

/// Runs a command with a key, and something on its standard input.
async fn run(test: &TestApp, program: &Program, home: &TempDir, args: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
    command.args(args).env("PARLOR_URL", &test.address).env("PARLOR_KEY", program.bearer.as_ref().unwrap());
    command.env("XDG_STATE_HOME", home.path()).env("NO_PROXY", "*");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let input = input.to_owned();
    tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    })
    .await
    .unwrap()
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

const SCOPES: [&str; 3] = ["chats:read", "chats:write", "models"];

#[tokio::test]
async fn talking_saving_and_bringing_back() {
    let test = TestApp::start().await;
    let (ann, bob) = (key_of_new(&test, "ann", &SCOPES).await, key_of_new(&test, "bob", &SCOPES).await);
    let home = TempDir::with_prefix("parlor").unwrap();
    test.provider.streams(["Hel", "lo **Ann**"]);
    assert_eq!(out(&run(&test, &ann, &home, &["chat", "I", "am", "Ann"], "").await), "Hello **Ann**\n");
    // the same conversation, line by line
    test.provider.streams(["Ann."]);
    test.provider.streams(["Bye."]);
    assert_eq!(out(&run(&test, &ann, &home, &["chat"], "Who am I?\n\nBye\n").await), "Ann.\nBye.\n");
    let asked = test.provider.asked();
    assert_eq!(asked[1].body["messages"].as_array().unwrap().len(), 3, "it is remembered");
    // what comes through a pipe is asked about
    test.provider.streams(["Short."]);
    out(&run(&test, &ann, &home, &["chat", "--new", "--model", "openai/fake-2", "Sum up:"], "a long text\n").await);
    let last = &test.provider.asked()[3].body;
    assert_eq!((&last["messages"][0]["content"], &last["model"]), (&json!("Sum up:\n\na long text"), &json!("fake-2")));

    let saved = out(&run(&test, &ann, &home, &["export"], "").await);
    let file = home.path().join("all.json");
    std::fs::write(&file, &saved).unwrap();
    let told = out(&run(&test, &bob, &home, &["import", file.to_str().unwrap()], "").await);
    assert_eq!(told, "2 conversations were made, 0 could not be read.\n");
    let read = out(&run(&test, &bob, &home, &["export", "--markdown"], "").await);
    assert!(read.contains("Who am I?") && read.contains("Short."), "{read}");

    // what is wrong is a sentence
    test.provider.refuses(400, "internal words");
    let failed = run(&test, &ann, &home, &["chat", "hi"], "").await;
    let words = String::from_utf8(failed.stderr).unwrap();
    assert!(
        !failed.status.success() && words.contains("did not accept this request") && !words.contains("internal"),
        "{words}"
    );
    let nobody = run(&test, &test.program().with("nonsense"), &home, &["chat", "hi"], "").await;
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("unknown, has expired or was revoked"));
}

/// Cut, it goes on where it was.
#[tokio::test]
async fn a_broken_wire_costs_no_word() {
    let test = TestApp::start().await;
    let ann = key_of_new(&test, "ann", &SCOPES).await;
    let home = TempDir::with_prefix("parlor").unwrap();
    test.provider.does([
        Step::Text("Hel".into()),
        Step::Hold,
        Step::Text("lo".into()),
        Step::Finish("stop"),
        Step::Done,
    ]);
    let upstream = Upstream::Tcp(test.address.trim_start_matches("http://").parse().unwrap());
    let wire = Proxy::start(upstream).await;
    let cut = async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        wire.cut();
        tokio::time::sleep(Duration::from_millis(300)).await;
        test.provider.release();
    };
    let through = Through { test: &test, url: wire.url() };
    let (said, ()) = tokio::join!(through.run(&ann, &home), cut);
    assert_eq!(said, "Hello\n");
}

struct Through<'a> {
    test: &'a TestApp,
    url: String,
}

impl Through<'_> {
    async fn run(&self, program: &Program, home: &TempDir) -> String {
        out(&run(self.test, program, home, &["chat", "--url", &self.url, "hi"], "").await)
    }
}
