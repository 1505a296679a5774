//! Readers that do not read, that are many, that come back at every moment or with a position from nowhere.

use crate::support::{
    TestApp, eventually,
    people::{Person, Tab},
    provider::Step,
};
use reqwest::{Method, StatusCode};
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

fn text(text: &str) -> Step {
    Step::Text(text.to_owned())
}

async fn from(ann: &Person, chat: &str, last: &str) -> Tab {
    let request = ann.request(Method::GET, &format!("{chat}/feed?after=0")).header("last-event-id", last);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{last}");
    Tab::read(response)
}

/// A feed that is opened by hand, with as little room in its socket as can be had, and left alone.
async fn opens_and_sleeps(ann: &Person, cookie: &str, chat: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(ann.address.trim_start_matches("http://").parse().unwrap()).await.unwrap();
    let head = format!("GET {chat}/feed?after=0 HTTP/1.1\r\nhost: parlor\r\ncookie: {cookie}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// F14: a reader that does not read is dropped, costs a bounded amount, and comes back by its position; the others
/// notice nothing.
#[tokio::test]
async fn f14_a_reader_that_does_not_read() {
    let test = TestApp::with(&[("PARLOR__SERVER__STALLED", "2"), ("PARLOR__FEED__GATHER_MS", "0")]).await;
    let ann = test.person("ann").await;
    let page = ann.signs_in("ann", crate::support::people::PASSWORD).await;
    let cookie = page.cookie.unwrap().split(';').next().unwrap().to_owned();
    // every piece is a finished paragraph, so each is a fragment
    let paragraph = "many words of one paragraph ".repeat(80);
    let mut steps = vec![text("The beginning.\n\n"), Step::Hold];
    steps.extend((0..600).map(|n| text(&format!("{n}: {paragraph}\n\n"))));
    steps.extend([text("The very end."), Step::Finish("stop"), Step::Done]);
    test.provider.does(steps);
    let chat = ann.asks("hi").await;
    let reader = ann.follows(&chat, 0).await;
    reader.sees("The beginning.").await;
    let mut asleep = opens_and_sleeps(&ann, &cookie, &chat).await;
    let mut head = [0; 256];
    asleep.read_exact(&mut head).await.unwrap();
    assert!(String::from_utf8_lossy(&head).contains("200 OK"));
    let before = memory();
    test.provider.release();
    reader.sees("data-state=\"completed\"").await;
    let sent = reader.text().len();
    assert!(sent > 1_200_000, "enough was sent to fill every buffer on the way: {sent}");
    let grown = memory().saturating_sub(before);
    assert!(grown < 100_000_000, "{grown} bytes more for an answer of {sent}");
    // its connection is gone although it never says a word
    eventually("the sleeper's connection is gone", || async { !is_open(&asleep) }).await;
    // what had come to it can still be read, and that is not the end of the answer
    let mut rest = Vec::new();
    let reading = tokio::time::timeout(Duration::from_secs(10), asleep.read_to_end(&mut rest));
    let ended = reading.await.expect("nothing more can come");
    let got = String::from_utf8_lossy(&rest).into_owned();
    assert!(rest.len() < sent && !got.contains("The very end."), "{ended:?} {}", rest.len());
    let last = got.lines().filter_map(|l| l.strip_prefix("id: ")).next_back().unwrap_or("1").to_owned();
    let again = from(&ann, &chat, &last).await;
    again.sees("The very end.").await;
    again.sees("data-state=\"completed\"").await;
    test.check_feeds().await;
}

/// Whether the other end of a connection of this machine is still there, as the kernel knows it.
fn is_open(stream: &TcpStream) -> bool {
    let port = |address: std::io::Result<std::net::SocketAddr>| format!(":{:04X}", address.unwrap().port());
    let (theirs, ours) = (port(stream.peer_addr()), port(stream.local_addr()));
    std::fs::read_to_string("/proc/net/tcp").unwrap().lines().skip(1).any(|line| {
        let mut fields = line.split_whitespace().skip(1);
        fields.next().unwrap().ends_with(&theirs) && fields.next().unwrap().ends_with(&ours)
    })
}

/// Resident memory of this process, which is app, provider and readers in one, in bytes.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// F14: a thousand readers on one answer: all get all of it, and what is not about it stays quick.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f14_a_thousand_readers_on_one_answer() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let mut steps = vec![text("The beginning. "), Step::Hold];
    steps.extend((0..12).map(|n| text(&format!("word {n}. "))));
    steps.extend([Step::Hold, text("The end."), Step::Finish("stop"), Step::Done]);
    test.provider.does(steps);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "The beginning.").await;
    let mut tabs = Vec::new();
    for _ in 0..20 {
        tabs.extend(futures::future::join_all((0..50).map(|_| ann.follows(&chat, 0))).await);
    }
    test.provider.release();
    test.provider.streams(["Quick"]);
    let began = Instant::now();
    let other = ann.asks("another").await;
    ann.sees(&other, "Quick").await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    test.provider.release();
    for tab in &tabs {
        tab.sees("data-state=\"completed\"").await;
        assert!(tab.text().contains("The end.") && !tab.is_over());
        assert!(tab.ids().windows(2).all(|w| w[0] <= w[1]));
    }
    assert_eq!(test.app.feed.hub.watched(), 1, "one room for all of them");
    drop(tabs);
    eventually("the room closes behind the last one", || async { test.app.feed.hub.watched() == 0 }).await;
    test.check_feeds().await;
}

/// F15: a reader that hangs up and comes back all the time misses nothing and sees one end.
#[tokio::test]
async fn f15_coming_back_at_every_moment() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    let mut steps: Vec<Step> = Vec::new();
    for n in 0..40 {
        steps.push(text(&format!("Paragraph {n}.\n\n")));
        if n % 4 == 0 {
            steps.push(Step::Hold);
        }
    }
    steps.extend([Step::Finish("stop"), Step::Done]);
    test.provider.does(steps);
    let chat = ann.asks("hi").await;
    let answer = ann.last_answer(&chat).await;
    let mut last = 0;
    let mut ends = 0;
    let deadline = Instant::now() + Duration::from_secs(30);
    while ends == 0 {
        assert!(Instant::now() < deadline, "no end came");
        let tab = from(&ann, &chat, &last.to_string()).await;
        eventually("a position is told", || async { !tab.ids().is_empty() }).await;
        test.provider.release();
        let text = tab.text();
        let ids = tab.ids();
        assert!(ids[0] >= last && ids.windows(2).all(|w| w[0] <= w[1]), "{last}: {ids:?}");
        ends += text.matches("data-state=\"completed\"").count();
        last = *ids.last().unwrap();
    }
    let page = ann.opens(&chat).await;
    for n in 0..40 {
        assert!(page.html.contains(&format!("Paragraph {n}.")), "{n} is missing");
    }
    let end: i64 = test.value("select seq from feed_events where kind = 'end'").await;
    // just before the end, at the end: the end itself, and silence that is a position
    let before = from(&ann, &chat, &(end - 1).to_string()).await;
    before.sees("data-state=\"completed\"").await;
    assert!(before.text().contains(&answer) && before.text().contains("Paragraph 39."), "whole");
    let at = from(&ann, &chat, &end.to_string()).await;
    eventually("the position is told", || async { at.ids() == [end] }).await;
    assert!(!at.text().contains("data-state"), "{}", at.text());
    test.check_feeds().await;
}

/// F15: positions from nowhere: a reset or an error, never silence, and never somebody else's words.
#[tokio::test]
async fn f15_positions_that_are_unknown_future_foreign_or_garbage() {
    let test = TestApp::start().await;
    let (ann, eve) = (test.person("ann").await, test.person("eve").await);
    test.provider.streams(["Hello"]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    let future = i64::MAX.to_string();
    for last in ["4711", future.as_str(), "99999999999999999999", "-1", "garbage", "1.5", "", " ", "7; drop"] {
        let tab = from(&ann, &chat, last).await;
        tab.sees("event: reset").await;
        tab.ends().await;
        assert!(!tab.text().contains("Hello"), "{last:?}");
    }
    // a position in the address that is no number is an error of whoever wrote the address
    for after in ["garbage", "99999999999999999999", ""] {
        let status = ann.opens(&format!("{chat}/feed?after={after}")).await.status;
        assert!(status.is_client_error(), "{after:?}: {status}");
    }
    for after in ["-1", "4711"] {
        ann.follows(&chat, after.parse().unwrap()).await.sees("event: reset").await;
    }
    // another chat's position, longer than this one's log, and another person's chat
    let long = ann.asks("a longer one").await;
    ann.sees(&long, "unscripted").await;
    ann.says(&long, "more").await;
    eventually("it is over", || async { !ann.opens(&long).await.html.contains("http-equiv") }).await;
    let foreign = ann.opens(&long).await.after();
    assert!(foreign > ann.opens(&chat).await.after());
    from(&ann, &chat, &foreign.to_string()).await.sees("event: reset").await;
    let request = eve.request(Method::GET, &format!("{chat}/feed?after=0")).header("accept", "text/event-stream");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let said = response.text().await.unwrap();
    assert!(said.starts_with("event: gone") && !said.contains("Hello"), "{said}");
}

/// A process that was away for longer than the log is kept drops its readers, who come back and load anew.
#[tokio::test]
async fn what_was_trimmed_before_it_was_read_is_a_reset() {
    let test = TestApp::start().await;
    let ann = test.person("ann").await;
    test.provider.streams(["Hello"]);
    let chat = ann.asks("hi").await;
    ann.sees(&chat, "data-state=\"completed\"").await;
    let page = ann.opens(&chat).await;
    let tab = ann.follows(&chat, page.after()).await;
    eventually("the position is told", || async { !tab.ids().is_empty() }).await;
    // ten events of another process, of which only the last two are still there
    test.database
        .execute(
            "with head as (update feed_heads set seq = seq + 10, first_seq = seq + 9 returning chat_id, seq)
             , gone as (delete from feed_events)
             insert into feed_events (chat_id, seq, message_id, kind, body)
             select chat_id, seq - n, chat_id, 'of the future', '{}' from head, generate_series(0, 1) n",
        )
        .await;
    tab.ends().await;
    assert!(tab.text().contains("retry: "), "{}", tab.text());
    let again = from(&ann, &chat, &tab.ids().last().unwrap().to_string()).await;
    again.sees("event: reset").await;
    // somebody who reads the log itself is told too, and never gets a gap
    let id = chat.trim_start_matches("/chats/").parse().unwrap();
    let mut reader = test.app.feed.hub.subscribe(id, page.after()).await.unwrap();
    assert_eq!(reader.next().await.unwrap(), Err(parlor::domain::feed::Lagged));
    let mut reader = test.app.feed.hub.subscribe(id, page.after() + 8).await.unwrap();
    assert_eq!(reader.next().await.unwrap().unwrap().len(), 2);
}
