//! Taking connections. Our own few lines instead of `axum::serve`, because thousands of readers hold theirs open: HTTP/1
//! alone needs no guessing of the version, which costs each connection 8 kB; and a head that does not come ends it.

use crate::base::config;
use axum::{Extension, Router, extract::ConnectInfo};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use socket2::SockRef;
use std::{net::SocketAddr, pin::pin, time::Duration};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Layer as _;

/// How long the head of a request may take, also that of the next one on an open connection.
const HEAD: Duration = Duration::from_secs(75);
/// After a connection could not be taken, e.g. because there are too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop`; then no more connections are taken, and those that are open end with the answer they are at.
/// Returns when the last one has.
pub async fn serve(listener: TcpListener, router: Router, config: config::Server, stop: CancellationToken) {
    let connections = TaskTracker::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((connection, peer)) => {
                prepare(&connection, &config);
                connections.spawn(follow(http.clone(), connection, peer, router.clone(), stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener); // who comes now is refused, and finds another process
    connections.close();
    connections.wait().await;
}

async fn follow(
    http: http1::Builder,
    connection: TcpStream,
    peer: SocketAddr,
    router: Router,
    stop: CancellationToken,
) {
    let service = TowerToHyperService::new(Extension(ConnectInfo(peer)).layer(router));
    let mut connection = pin!(http.serve_connection(TokioIo::new(connection), service).with_upgrades());
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::trace!(%error, "a connection ended early");
    }
}

/// A piece of an answer is small and must not wait for the next one; and a guest who takes nothing of what waits for him
/// is cut off by the kernel, because nobody above it would notice.
fn prepare(connection: &TcpStream, config: &config::Server) {
    let stalled = Duration::from_secs(config.stalled);
    let prepared =
        connection.set_nodelay(true).and_then(|()| SockRef::from(connection).set_tcp_user_timeout(Some(stalled)));
    if let Err(error) = prepared {
        tracing::debug!(%error, "a connection could not be prepared");
    }
}
