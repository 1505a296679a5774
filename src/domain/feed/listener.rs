//! Hears the bells of other processes. A bell carries `sender|chat:seq,…` and only wakes: the log tells what happened.
//! With 0 for its `seq`, an entry names a person whose list changed. A lost connection is made anew; what rang meanwhile
//! is found by looking at all watched chats and lists.

use super::hub::Hub;
use crate::base::ids::{ChatId, UserId};
use sqlx::{PgPool, postgres::PgListener};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(super) async fn listen(db: PgPool, hub: Arc<Hub>, me: Arc<str>, stop: CancellationToken) {
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
    let everything = || {
        hub.ring_all();
        hub.lists.ring_all();
    };
    everything();
    loop {
        // `try_recv` tells of a lost connection, during which bells were missed
        let Some(notification) = listener.try_recv().await? else {
            everything();
            continue;
        };
        match parse(notification.payload()) {
            // a batch of answers' pieces, which are in no list
            Some((sender, ids)) if ids.is_empty() => {
                if sender != me {
                    hub.ring_all();
                }
            }
            Some((sender, ids)) => ids.into_iter().for_each(|(id, seq)| match seq {
                0 => hub.lists.ring(UserId(id)),
                _ if sender == me => {} // delivered from memory
                _ => hub.hear(ChatId(id), seq),
            }),
            None => everything(),
        }
    }
}

type Bell<'a> = (&'a str, Vec<(Uuid, i64)>);

fn parse(payload: &str) -> Option<Bell<'_>> {
    let (sender, list) = payload.split_once('|')?;
    let mut ids = Vec::new();
    for entry in list.split(',').filter(|e| !e.is_empty()) {
        let (id, seq) = entry.split_once(':')?;
        ids.push((id.parse().ok()?, seq.parse().ok()?));
    }
    Some((sender, ids))
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
