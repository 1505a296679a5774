//! Answers in the making, for stories of what lies below the pages.

use super::{TestApp, eventually, provider::Step};
use parlor::domain::feed::Stream;

impl TestApp {
    /// Ann's answers in the making, each in a chat of its own, which say nothing by themselves; by their chats.
    pub async fn silent_answers(&self, count: usize) -> Vec<Stream> {
        let ann = self.person("ann").await;
        for _ in 0..count {
            self.provider.does([Step::Hold]);
            ann.asks("hi").await;
        }
        let streaming =
            "select chat_id, id, epoch, message_id from generations where state = 'streaming' order by chat_id";
        let rows = async || sqlx::query_as(streaming).fetch_all(&self.app.pools.http).await.unwrap();
        eventually("they are taken up", || async { rows().await.len() == count }).await;
        let stream = |(chat, generation, epoch, message)| Stream { chat, generation, epoch, message };
        rows().await.into_iter().map(stream).collect()
    }

    /// The text in the logs of all chats.
    pub async fn text_in_logs(&self) -> String {
        self.value(
            "select coalesce(string_agg(body, '' order by chat_id, seq), '') from feed_events where kind = 'text'",
        )
        .await
    }
}
