//! Hears the bells of other processes. A bell carries `sender|chat:seq,…` and only wakes: the log tells what happened.
//! A lost connection is made anew; what rang meanwhile is found by looking at all watched chats.

use super::hub::Hub;
use sqlx::{PgPool, postgres::PgListener};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

pub(super) async fn listen(db: PgPool, hub: Arc<Hub>, me: String, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            result = follow(&db, &hub, &me) => {
                if let Err(error) = result {
                    tracing::warn!(%error, "the feed's bell was lost; connecting again");
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn follow(db: &PgPool, hub: &Hub, me: &str) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(db).await?;
    listener.listen("parlor_feed").await?;
    hub.ring_all();
    loop {
        // `try_recv` tells of a lost connection, during which bells were missed
        let Some(notification) = listener.try_recv().await? else {
            hub.ring_all();
            continue;
        };
        match parse(notification.payload()) {
            Some((sender, _)) if sender == me => {} // delivered from memory
            Some((_, chats)) if chats.is_empty() => hub.ring_all(),
            Some((_, chats)) => chats.into_iter().for_each(|(chat, seq)| hub.hear(chat, seq)),
            None => hub.ring_all(),
        }
    }
}

type Bell<'a> = (&'a str, Vec<(crate::base::ids::ChatId, i64)>);

fn parse(payload: &str) -> Option<Bell<'_>> {
    let (sender, list) = payload.split_once('|')?;
    let mut chats = Vec::new();
    for entry in list.split(',').filter(|e| !e.is_empty()) {
        let (chat, seq) = entry.split_once(':')?;
        chats.push((chat.parse().ok()?, seq.parse().ok()?));
    }
    Some((sender, chats))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn bells() {
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        assert_eq!(parse(&format!("ab|{id}:7")), Some(("ab", vec![(id.parse().unwrap(), 7)])));
        assert_eq!(parse("ab|"), Some(("ab", vec![])));
        assert_eq!(parse("nonsense"), None);
        assert_eq!(parse("ab|nonsense"), None);
    }
}
