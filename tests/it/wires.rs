//! The fault proxy itself: every fault is seen by both ends as the real one would be.

use crate::support::{
    eventually,
    proxy::{Direction, Proxy, Upstream},
};
use std::{io::ErrorKind, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::Instant,
};

/// A wire to somebody who waits at the other end.
async fn wire() -> (Proxy, TcpListener) {
    let far = TcpListener::bind("127.0.0.1:0").await.unwrap();
    (Proxy::start(Upstream::Tcp(far.local_addr().unwrap())).await, far)
}

async fn connect(proxy: &Proxy, far: &TcpListener) -> (TcpStream, TcpStream) {
    let near = TcpStream::connect(proxy.address).await.unwrap();
    (near, far.accept().await.unwrap().0)
}

async fn hears(stream: &mut TcpStream, words: &str) {
    let mut heard = vec![0; words.len()];
    tokio::time::timeout(Duration::from_secs(5), stream.read_exact(&mut heard)).await.expect("in time").unwrap();
    assert_eq!(heard, words.as_bytes());
}

async fn hears_nothing(stream: &mut TcpStream) {
    let heard = tokio::time::timeout(Duration::from_millis(100), stream.read(&mut [0])).await;
    assert!(heard.is_err(), "{heard:?}");
}

async fn is_reset(stream: &mut TcpStream) {
    let heard = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut [0])).await.expect("in time");
    assert_eq!(heard.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_wire_passes_and_ends_in_order() {
    let (proxy, far) = wire().await;
    let (mut near, mut there) = connect(&proxy, &far).await;
    near.write_all(b"hello").await.unwrap();
    hears(&mut there, "hello").await;
    there.write_all(b"you too").await.unwrap();
    near.shutdown().await.unwrap();
    assert_eq!(there.read(&mut [0]).await.unwrap(), 0, "its end arrives");
    drop(there);
    hears(&mut near, "you too").await;
    assert_eq!(near.read(&mut [0]).await.unwrap(), 0);
    eventually("the connection is over", || async { proxy.open() == 0 }).await;
    assert_eq!((proxy.made(), proxy.broken()), (1, 0));
    assert_eq!(proxy.url(), format!("http://127.0.0.1:{}", proxy.address.port()));
    assert_eq!((proxy.bytes(Direction::Up), proxy.bytes(Direction::Down)), (5, 7));
}

#[tokio::test]
async fn a_cut_is_a_reset_for_both_and_new_connections_pass() {
    let (proxy, far) = wire().await;
    let (mut near, mut there) = connect(&proxy, &far).await;
    near.write_all(b"x").await.unwrap();
    hears(&mut there, "x").await;
    proxy.cut();
    is_reset(&mut near).await;
    is_reset(&mut there).await;
    let (mut near, mut there) = connect(&proxy, &far).await;
    near.write_all(b"again").await.unwrap();
    hears(&mut there, "again").await;
    assert_eq!((proxy.open(), proxy.broken()), (1, 1));
}

#[tokio::test]
async fn a_half_closed_wire_ends_for_one_side_only() {
    let (proxy, far) = wire().await;
    let (mut near, mut there) = connect(&proxy, &far).await;
    near.write_all(b"x").await.unwrap();
    hears(&mut there, "x").await;
    proxy.half_close(Direction::Up);
    assert_eq!(there.read(&mut [0]).await.unwrap(), 0);
    near.write_all(b"lost").await.unwrap();
    there.write_all(b"still here").await.unwrap();
    hears(&mut near, "still here").await;
    assert_eq!(proxy.bytes(Direction::Up), 1);
}

#[tokio::test]
async fn a_frozen_wire_holds_everything_and_then_brings_it() {
    let (proxy, far) = wire().await;
    let (mut near, mut there) = connect(&proxy, &far).await;
    proxy.freeze(Direction::Up);
    near.write_all(b"slow").await.unwrap();
    there.write_all(b"fast").await.unwrap();
    hears(&mut near, "fast").await;
    hears_nothing(&mut there).await;
    proxy.freeze_all();
    there.write_all(b"slow as well").await.unwrap();
    hears_nothing(&mut near).await;
    let (mut late, mut late_there) = connect(&proxy, &far).await;
    late.write_all(b"also a new one").await.unwrap();
    hears_nothing(&mut late_there).await;
    proxy.pass();
    hears(&mut there, "slow").await;
    hears(&mut near, "slow as well").await;
    hears(&mut late_there, "also a new one").await;
}

#[tokio::test]
async fn a_stranded_wire_is_silent_for_ever_and_new_ones_pass() {
    let (proxy, far) = wire().await;
    let (mut near, mut there) = connect(&proxy, &far).await;
    near.write_all(b"x").await.unwrap();
    hears(&mut there, "x").await;
    proxy.strand();
    near.write_all(b"nobody hears").await.unwrap();
    there.write_all(b"this").await.unwrap();
    let (mut other, mut other_there) = connect(&proxy, &far).await;
    other.write_all(b"this passes").await.unwrap();
    hears(&mut other_there, "this passes").await;
    proxy.pass();
    hears_nothing(&mut there).await;
    hears_nothing(&mut near).await;
}

#[tokio::test]
async fn a_wire_refuses_and_takes_again() {
    let (proxy, far) = wire().await;
    let (mut near, mut there) = connect(&proxy, &far).await;
    proxy.refuse();
    eventually("it refuses", || async {
        TcpStream::connect(proxy.address).await.is_err_and(|e| e.kind() == ErrorKind::ConnectionRefused)
    })
    .await;
    near.write_all(b"the old one goes on").await.unwrap();
    hears(&mut there, "the old one goes on").await;
    proxy.pass();
    eventually("it takes again", || async { TcpStream::connect(proxy.address).await.is_ok() }).await;
}

#[tokio::test]
async fn a_wire_is_slow_and_then_quick() {
    let (proxy, far) = wire().await;
    let (mut near, mut there) = connect(&proxy, &far).await;
    proxy.delay(Duration::from_millis(300));
    let began = Instant::now();
    near.write_all(b"x").await.unwrap();
    hears(&mut there, "x").await;
    assert!(began.elapsed() >= Duration::from_millis(290), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_wire_is_cut_after_so_many_bytes() {
    let (proxy, far) = wire().await;
    let (mut near, mut there) = connect(&proxy, &far).await;
    there.write_all(b"before ").await.unwrap();
    hears(&mut near, "before ").await;
    proxy.cut_after(Direction::Down, 4);
    near.write_all(b"the other direction does not count").await.unwrap();
    hears(&mut there, "the other direction does not count").await;
    there.write_all(b"four and more").await.unwrap();
    let mut heard = Vec::new();
    let error = near.read_to_end(&mut heard).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(b"four".starts_with(&heard), "{heard:?}"); // a reset may overtake what is not read yet
    assert_eq!(proxy.bytes(Direction::Down), 11);
}

#[tokio::test]
async fn a_wire_leads_to_a_unix_socket_and_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(".s.PGSQL.5432");
    let (proxy, far) = wire().await;
    let there = tokio::net::UnixListener::bind(&path).unwrap();
    proxy.lead_to(Upstream::postgres(dir.path()));
    let mut near = TcpStream::connect(proxy.address).await.unwrap();
    let (mut other, _) = there.accept().await.unwrap();
    other.write_all(b"by the socket").await.unwrap();
    hears(&mut near, "by the socket").await;
    proxy.cut();
    is_reset(&mut near).await;
    drop(far);
    drop(there);
    std::fs::remove_file(path).unwrap();
    let mut near = TcpStream::connect(proxy.address).await.unwrap();
    is_reset(&mut near).await; // nobody is there
}
