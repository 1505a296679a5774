//! Providers that misbehave on the wire, and what the person sees of it: the state, the text that is kept, a sentence, no
//! internal text, and never a second request behind her back. The names are those of the table of faults (F16 to F18).

use crate::support::{
    TestApp, eventually,
    people::{Page, Person},
    process::House,
    wire::{Act, EVENTS, Wire, done, event, finish, piece, send},
};
use futures::StreamExt;
use parlor::{
    base::config::Config,
    outside::llm::{self, Ask, Chunk, FaultKind, Said},
};
use std::time::{Duration, Instant};

const JSON: &str = "content-type: application/json\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

const UNREACHABLE: &str = "openai could not be reached";
const BROKEN: &str = "openai had an error of its own";
const CUT: &str = "The connection to openai broke before the answer was complete";
const SILENT: &str = "openai stopped sending";
const GARBLED: &str = "openai sent something that is no answer";

/// Ann, and a provider on a wire.
struct Scene {
    test: TestApp,
    wire: Wire,
    ann: Person,
}

impl Scene {
    async fn set() -> Self {
        Self::with(&[]).await
    }

    async fn with(settings: &[(&str, &str)]) -> Self {
        let wire = Wire::start().await;
        let url = wire.url();
        // one key and no schedule, so that every request is seen to be the only one
        let mut all =
            vec![("OPENAI_BASE_URL", url.as_str()), ("OPENAI_API_KEY", "key-1"), ("PARLOR__GENERATION__RETRY", "")];
        all.extend(settings);
        let test = TestApp::with(&all).await;
        let ann = test.person("ann").await;
        Self { test, wire, ann }
    }

    /// Ann asks, and this is how it ends; `words` is what she reads.
    async fn ends(&self, state: &str, words: &str) -> Page {
        let before = self.wire.asked();
        self.test.uses_keys_again().await;
        let chat = self.ann.asks("hi").await;
        let page = self.ann.sees(&chat, &format!("data-state=\"{state}\"")).await;
        assert!(page.html.contains(words), "`{words}` is missing in {}", page.html);
        for internal in ["internal", "JSON", "bytes", "finish_reason", "127.0.0.1", "reset", "Cut", "Garbled"] {
            assert!(!page.html.contains(internal), "an internal text: {internal}");
        }
        assert_eq!(self.wire.asked(), before + 1, "asked once, and never again behind her back");
        self.test.check_feeds().await;
        page
    }

    async fn completes(&self, text: &str) {
        self.ends("completed", text).await;
    }

    /// It ends in mid-answer: the text is kept, and labelled.
    async fn is_interrupted(&self, text: &str, words: &str) {
        let page = self.ends("interrupted", words).await;
        assert!(page.html.contains(text), "`{text}` is not kept: {}", page.html);
        assert!(page.html.contains("Try again"), "with what to do");
    }
}

/// The text of the newest answer, as it is stored.
async fn stored(test: &TestApp) -> String {
    test.value("select m.text from messages m join generations g on g.message_id = m.id order by g.id desc limit 1")
        .await
}

#[tokio::test]
async fn f16_a_status_instead_of_an_answer() {
    let scene = Scene::set().await;
    let body = r#"{"error":{"message":"internal words of the provider"}}"#;
    for (status, headers, words) in [
        ("429 Too Many Requests", "retry-after: 7\r\n", "openai takes no more requests"),
        ("401 Unauthorized", JSON, "openai does not accept the key"),
        ("500 Internal Server Error", JSON, BROKEN),
        ("503 Service Unavailable", "content-type: text/html\r\n", BROKEN),
        ("302 Found", "location: http://127.0.0.1:9/internal\r\n", UNREACHABLE),
    ] {
        scene.wire.replies(status, headers, body);
        scene.ends("failed", words).await;
    }
}

/// The status is enough: nobody waits for the end of the page that explains it.
#[tokio::test]
async fn f16_an_error_that_never_ends() {
    let scene = Scene::set().await;
    scene.wire.will("HTTP/1.1 500 Oops\r\ncontent-length: 1000000000\r\n\r\ninternal", [Act::Stall]);
    let began = Instant::now();
    scene.ends("failed", BROKEN).await;
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    eventually("the connection is closed", || async { scene.wire.hung_up() == 1 }).await;
}

#[tokio::test]
async fn f16_reset_before_the_first_byte() {
    let scene = Scene::set().await;
    scene.wire.will("", [Act::Reset]);
    scene.ends("failed", UNREACHABLE).await;
    scene.wire.will("", []);
    scene.ends("failed", UNREACHABLE).await;
    scene.wire.will(EVENTS, [Act::Reset]);
    scene.ends("failed", CUT).await;
}

#[tokio::test]
async fn f16_a_refused_connection() {
    // nobody listens there any more
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/v1");
    let settings = [("OPENAI_BASE_URL", url.as_str()), ("OPENAI_MODELS", "fake-1"), ("PARLOR__GENERATION__RETRY", "")];
    let test = TestApp::with(&settings).await;
    let ann = test.person("ann").await;
    let chat = ann.asks("hi").await;
    let page = ann.sees(&chat, "data-state=\"failed\"").await;
    assert!(page.html.contains(UNREACHABLE) && !page.html.contains("127.0.0.1"), "{}", page.html);
}

#[tokio::test]
async fn f17_an_error_after_tokens() {
    let scene = Scene::set().await;
    scene.wire.will(EVENTS, [piece("Half of it"), event(r#"{"error":{"message":"internal words","code":500}}"#)]);
    scene.is_interrupted("Half of it", BROKEN).await;
    scene.wire.will(EVENTS, [piece("Half of it"), send("event: error\ndata: internal words\n\n")]);
    scene.is_interrupted("Half of it", BROKEN).await;
    scene.wire.will(EVENTS, [piece("Half of it"), event(r#"{"choices":[{"delta":{"content":"cut"#)]);
    scene.is_interrupted("Half of it", GARBLED).await;
}

#[tokio::test]
async fn f17_a_connection_that_breaks_after_tokens() {
    let scene = Scene::set().await;
    let pause = || Act::Pause(Duration::from_millis(300)); // a reset throws away what was not read yet
    scene.wire.will(EVENTS, [piece("Half of it"), pause(), Act::Reset]);
    scene.is_interrupted("Half of it", CUT).await;
    scene.wire.will(EVENTS, [piece("Half of it")]);
    scene.is_interrupted("Half of it", CUT).await;
    scene.wire.will(EVENTS, [piece("Half of it"), Act::HalfClose]);
    scene.is_interrupted("Half of it", CUT).await;
    // and where HTTP itself says that something is missing
    let framed = "data: {\"choices\":[{\"delta\":{\"content\":\"Half of it\"}}]}\n\n";
    scene.wire.will(CHUNKED, [send(format!("{:x}\r\n{framed}\r\n", framed.len()))]);
    scene.is_interrupted("Half of it", CUT).await;
}

#[tokio::test]
async fn f17_a_stall_is_given_up_and_the_connection_closed() {
    let scene = Scene::with(&[("PARLOR__GENERATION__IDLE", "1"), ("PARLOR__GENERATION__FIRST_TOKEN", "1")]).await;
    scene.wire.will(EVENTS, [piece("Half of it"), Act::Stall]);
    scene.is_interrupted("Half of it", SILENT).await;
    // before the first token, and before the head
    scene.wire.will(EVENTS, [Act::Stall]);
    scene.ends("failed", SILENT).await;
    scene.wire.will("", [Act::Stall]);
    scene.ends("failed", SILENT).await;
    // comments are no tokens
    let comment = [send(": still here\n\n"), Act::Pause(Duration::from_millis(100))];
    scene.wire.will(EVENTS, [piece("Half of it")].into_iter().chain((0..100).flat_map(|_| comment.clone())));
    scene.is_interrupted("Half of it", SILENT).await;
    // nor do they keep anybody from looking at the clock, however fast they come
    scene.wire.will(EVENTS, [piece("Half of it"), Act::Repeat(b": still here\n\n".repeat(1000), usize::MAX)]);
    scene.is_interrupted("Half of it", SILENT).await;
    eventually("every connection is closed", || async { scene.wire.hung_up() == 5 }).await;
}

/// The deadline is on silence, not on the whole.
#[tokio::test]
async fn f17_slow_but_steady_is_no_stall() {
    let scene = Scene::with(&[("PARLOR__GENERATION__IDLE", "1"), ("PARLOR__GENERATION__FIRST_TOKEN", "1")]).await;
    let words = ["One ", "two ", "three ", "four ", "five ", "six"];
    let acts = words.iter().flat_map(|w| [piece(w), Act::Pause(Duration::from_millis(500))]);
    scene.wire.will(EVENTS, acts.chain([finish(), done()]));
    let began = Instant::now();
    scene.completes("One two three four five six").await;
    assert!(began.elapsed() > Duration::from_secs(2), "longer in all than any silence may be");
}

/// A `finish_reason` is the end, whatever follows; nothing else is.
#[tokio::test]
async fn f17_done_missing_or_without_finish() {
    let scene = Scene::set().await;
    scene.wire.will(EVENTS, [piece("All of it"), finish()]);
    scene.completes("All of it").await;
    scene.wire.will(EVENTS, [piece("All of it"), finish(), Act::HalfClose]);
    scene.completes("All of it").await;
    scene.wire.will(EVENTS, [piece("All of it"), finish(), Act::Pause(Duration::from_millis(300)), Act::Reset]);
    scene.completes("All of it").await;
    scene.wire.will(EVENTS, [piece("All of it"), finish(), event("junk")]);
    scene.completes("All of it").await;
    scene.wire.will(EVENTS, [piece("All of it"), finish(), Act::Stall]);
    scene.completes("All of it").await;
    scene.wire.will(EVENTS, [piece("Half of it"), done()]);
    scene.is_interrupted("Half of it", CUT).await;
    scene.wire.will(EVENTS, [done()]);
    scene.ends("failed", CUT).await;
}

/// All that the standard allows, and what servers do beside it.
#[tokio::test]
async fn f18_streams_of_every_spelling() {
    let scene = Scene::set().await;
    let hello = |end: &str| {
        let piece = |text: &str| format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}{end}{end}");
        let finish = "data:{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}";
        format!(": comment{end}{}id: 1\0{end}event: x{end}{}{finish}{end}{end}", piece("Hello "), piece("読書室"))
    };
    for (what, stream) in [
        ("LF", hello("\n")),
        ("CR", hello("\r")),
        ("CRLF", hello("\r\n")),
        ("a BOM", format!("\u{feff}{}", hello("\n"))),
        ("a mix", hello("\n").replace("\n\n", "\r\n\r").replace("comment\n", "comment\r")),
        ("data over lines", hello("\n").replace("\"delta\"", "\ndata:\"delta\"")),
        ("names and unknown fields", hello("\n").replace("data:", "event: chunk\nretry: 5\nfoo: bar\nbaz\ndata:")),
    ] {
        scene.wire.will(EVENTS, [send(stream)]);
        scene.ends("completed", "Hello 読書室").await;
        assert_eq!(stored(&scene.test).await, "Hello 読書室", "{what}");
    }
    // byte by byte, so that every character and every line's end is split somewhere
    let slowly = hello("\r\n").into_bytes().into_iter().flat_map(|b| [send([b]), Act::Pause(Duration::from_millis(1))]);
    scene.wire.will(EVENTS, slowly.collect::<Vec<_>>());
    scene.completes("Hello 読書室").await;
    scene.wire.will(EVENTS, [piece("a\0b"), finish()]);
    scene.completes("a\u{fffd}b").await;
    let invalid = b"data: {\"choices\":[{\"delta\":{\"content\":\"a\xffb\xf0\x9f\xaa\"}}]}\n\n";
    scene.wire.will(EVENTS, [send(invalid), finish()]);
    scene.completes("a\u{fffd}b\u{fffd}").await;
}

#[tokio::test]
async fn f18_what_is_no_answer_is_said_to_be_none() {
    let scene = Scene::set().await;
    scene.wire.replies("200 OK", "content-type: text/html\r\n", "<h1>internal page</h1>");
    scene.ends("failed", GARBLED).await;
    scene.wire.replies("200 OK", JSON, "{\"choices\":[{\"mess");
    scene.ends("failed", GARBLED).await;
    scene.wire.will(EVENTS, [event("{\"choices\":[{\"delta\":{\"content\":\"cut")]);
    scene.ends("failed", GARBLED).await;
    scene.wire.replies("200 OK", JSON, r#"{"error":{"message":"internal words","code":429}}"#);
    scene.ends("failed", "openai takes no more requests").await;
    scene.wire.replies("200 OK", JSON, r#"{"error":"internal words"}"#);
    scene.ends("failed", BROKEN).await;
}

/// A server that takes no notice of `stream`: its answer is one.
#[tokio::test]
async fn f18_an_answer_that_comes_whole() {
    let scene = Scene::set().await;
    let answer = r#"{"choices":[{"message":{"content":"Hello at once"},"finish_reason":"stop"}]}"#;
    scene.wire.replies("200 OK", JSON, answer);
    scene.completes("Hello at once").await;
}

#[tokio::test]
async fn f18_a_line_of_2_mb() {
    let scene = Scene::set().await;
    scene.wire.will(EVENTS, [piece("Half of it"), piece(&"x".repeat(2_000_000)), finish()]);
    scene.is_interrupted("Half of it", GARBLED).await;
    scene.wire.will(EVENTS, [piece(&"x".repeat(2_000_000)), finish()]);
    scene.ends("failed", GARBLED).await;
    // and one of 900 kB is none of anybody's business
    scene.wire.will(EVENTS, [piece(&"word ".repeat(180_000)), finish()]);
    scene.completes("word word").await;
    assert_eq!(stored(&scene.test).await.len(), 900_000);
}

/// A line of 1 GB, sent as fast as it goes: given up after the first MB, and never in memory.
#[tokio::test]
async fn f18_a_line_of_1_gb() {
    let (house, wire) = (House::make().await, Wire::start().await);
    let worker = house.worker_with(&[("OPENAI_BASE_URL", &wire.url())]);
    let web = house.web();
    let ann = Person::new(&web.address().await);
    ann.registers("ann").await;
    worker.says("working").await;
    eventually("the catalog has models", || async { ann.opens("/").await.html.contains("openai/fake-1") }).await;
    for _ in 0..2 {
        let (sent, asked, memory) = (wire.sent(), wire.asked(), worker.peak_memory());
        let mb = vec![b'x'; 1024 * 1024];
        wire.will(EVENTS, [piece("Half of it"), send("data: "), Act::Repeat(mb, 1024), finish()]);
        let chat = ann.asks("hi").await;
        let page = ann.sees(&chat, "data-state=\"interrupted\"").await;
        assert!(page.html.contains(GARBLED) && page.html.contains("Half of it"), "{}", page.html);
        let grown = worker.peak_memory() - memory;
        assert!(grown < 50_000, "{grown} kB more in memory");
        eventually("the connection is closed", || async { wire.hung_up() == wire.asked() }).await;
        assert!(wire.sent() - sent < 64 * 1024 * 1024, "{} bytes were taken", wire.sent() - sent);
        assert_eq!(wire.asked(), asked + 1);
    }
}

/// 64 MB of ordinary tokens: what one answer may hold is kept, and then it ends.
#[tokio::test]
async fn f18_an_answer_without_end() {
    let scene = Scene::set().await;
    let Act::Send(event) = piece(&"word ".repeat(2000)) else { unreachable!() };
    scene.wire.will(EVENTS, [Act::Repeat(event, 6400), finish()]);
    scene.is_interrupted("word word", "openai sent more than one answer may hold").await;
    assert_eq!(stored(&scene.test).await.len(), 4 * 1024 * 1024 / 10_000 * 10_000);
    eventually("the connection is closed", || async { scene.wire.hung_up() == 1 }).await;
}

fn ask() -> Ask {
    Ask {
        model: "fake-1".into(),
        system: String::new(),
        messages: vec![Said::words(false, "hi")],
        max_tokens: 10,
        temperature: None,
    }
}

/// The provider of these settings, with nothing of Parlor around it.
async fn provider(wire: &Wire) -> llm::Provider {
    crate::support::crypto_provider();
    let vars = [("OPENAI_BASE_URL".to_owned(), wire.url()), ("OPENAI_API_KEY".to_owned(), "key-1".to_owned())];
    let config = Config::load(None, vars.into_iter()).unwrap();
    llm::providers(&config, b"").await.unwrap().remove(0)
}

async fn open(provider: &llm::Provider) -> Result<llm::Chunks, llm::Fault> {
    provider.open(&ask(), &provider.keys[0]).await
}

/// What we do not read waits at the provider, not in our memory.
#[tokio::test]
async fn f14_a_stream_that_is_not_read_pushes_back() {
    let wire = Wire::start().await;
    let Act::Send(event) = piece(&"x".repeat(1000)) else { unreachable!() };
    wire.will(EVENTS, [Act::Repeat(event, 256 * 1024), finish()]);
    let mut chunks = open(&provider(&wire).await).await.unwrap();
    assert!(matches!(chunks.next().await, Some(Ok(Chunk::Text(_)))));
    // the network takes what its buffers hold, and then no more
    eventually("the provider is held up", || async {
        let before = wire.sent();
        tokio::time::sleep(Duration::from_millis(300)).await;
        wire.sent() == before
    })
    .await;
    let held = wire.sent();
    assert!(held < 32 * 1024 * 1024, "{held} bytes were taken");
    // and when we read on, it goes on
    for _ in 0..50_000 {
        assert!(matches!(chunks.next().await, Some(Ok(Chunk::Text(_)))));
    }
    assert!(wire.sent() > held);
}

/// Dropping an answer closes its connection at once: this is what Stop is made of.
#[tokio::test]
async fn f19_a_dropped_stream_closes_the_connection() {
    let wire = Wire::start().await;
    wire.will(EVENTS, [piece("Half of it"), Act::Stall]);
    let mut chunks = open(&provider(&wire).await).await.unwrap();
    assert_eq!(chunks.next().await.unwrap().unwrap(), Chunk::Text("Half of it".into()));
    assert_eq!(wire.hung_up(), 0);
    let began = Instant::now();
    drop(chunks);
    eventually("the connection is closed", || async { wire.hung_up() == 1 }).await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

/// Faults keep what the operator needs to know.
#[tokio::test]
async fn f16_a_fault_keeps_retry_after_and_never_the_key() {
    let wire = Wire::start().await;
    wire.replies("429 Slow down", "retry-after: 7\r\n", r#"{"error":{"message":"no credit left"}}"#);
    let fault = open(&provider(&wire).await).await.err().unwrap();
    assert_eq!((fault.kind, fault.retry_after), (FaultKind::Busy, Some(Duration::from_secs(7))));
    assert!(fault.detail.contains("no credit left"), "{}", fault.detail);
    wire.replies("401 Unauthorized", JSON, r#"{"error":{"message":"Incorrect API key: key-1"}}"#);
    let fault = open(&provider(&wire).await).await.err().unwrap();
    assert_eq!(fault.kind, FaultKind::Key);
    assert!(!fault.detail.contains("key-1"), "{}", fault.detail);
    // a body that comes in parts is read whole, and a long one only as far as it could matter
    let head = "HTTP/1.1 500 Oops\r\nconnection: close\r\n\r\n{\"message\":";
    wire.will(head, [Act::Pause(Duration::from_millis(100)), send("\"out of memory\"}")]);
    let fault = open(&provider(&wire).await).await.err().unwrap();
    assert!(fault.detail.contains("out of memory"), "{}", fault.detail);
    wire.will("HTTP/1.1 500 Oops\r\nconnection: close\r\n\r\n", [Act::Repeat(b"x".repeat(10_000), 10)]);
    let fault = open(&provider(&wire).await).await.err().unwrap();
    assert!(fault.detail.contains("16384 bytes that are not JSON"), "{}", fault.detail);
}
