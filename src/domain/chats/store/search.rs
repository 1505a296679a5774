//! The SQL of searching. The words go through `search_query` (0008_finding.sql, 0014_language.sql), which takes anything, as
//! they are and in the language of what is searched; what it found comes back between two marks, which are taken out of
//! the text before.

use crate::{
    base::ids::{ChatId, MessageId, UserId},
    domain::chats::{FoundChat, FoundMessage, search::pieces},
};
use sqlx::PgConnection;
use time::OffsetDateTime;

/// The marks before and after what was found.
pub const BEGIN: char = '\u{1}';
pub const END: char = '\u{2}';

struct Named {
    id: ChatId,
    marked: String,
    at: OffsetDateTime,
}

/// Chats by their titles, the last active first.
pub async fn titles(conn: &mut PgConnection, user: UserId, words: &str, limit: i64) -> sqlx::Result<Vec<FoundChat>> {
    let rows = sqlx::query_as!(
        Named,
        r#"select c.id as "id: ChatId", c.active_at as at,
               case when f.by_stems then ts_headline(words_in(u.language), translate(c.title, E'\x01\x02', ''),
                   search_query(u.language, $2), E'HighlightAll=true, StartSel="\x01", StopSel="\x02"')
               else ts_headline('simple', translate(c.title, E'\x01\x02', ''), search_query($2),
                   E'HighlightAll=true, StartSel="\x01", StopSel="\x02"') end as "marked!"
           from chats c join users u on u.id = c.user_id
           cross join lateral (select stems(u.language, c.title) @@ search_query(u.language, $2) as by_stems,
               to_tsvector('simple', c.title) @@ search_query($2) and $2 !~ '(^|\s)-' as by_words) f
           where c.user_id = $1 and c.deleted_at is null and (f.by_stems or f.by_words)
           order by c.active_at desc, c.id limit $3"#,
        user.0,
        words,
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| FoundChat { id: row.id, title: pieces(&row.marked), at: row.at }).collect())
}

struct Row {
    id: MessageId,
    chat: ChatId,
    title: String,
    by_model: bool,
    snippet: String,
    at: OffsetDateTime,
}

/// Messages by their words, the newest first. Snippets are taken from the first 20,000 characters: what is later is
/// found, but not shown.
pub async fn messages(
    conn: &mut PgConnection,
    user: UserId,
    words: &str,
    before: Option<MessageId>,
    limit: i64,
) -> sqlx::Result<Vec<FoundMessage>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select m.id as "id: MessageId", m.chat_id as "chat: ChatId", c.title,
               m.author = 'model' as "by_model!", m.created_at as at,
               case when stems(m.lang, left(m.text, 20000)) @@ search_query(m.lang, $2)
               then ts_headline(words_in(m.lang), translate(left(m.text, 20000), E'\x01\x02', ''), search_query(m.lang, $2), o.how)
               else ts_headline('simple', translate(left(m.text, 20000), E'\x01\x02', ''), search_query($2), o.how) end
                   as "snippet!"
           from find_messages($1, $2, $3, $4) f (id)
           join messages m on m.id = f.id
           cross join (values (E'StartSel="\x01", StopSel="\x02", MaxFragments=2, MaxWords=24, MinWords=10, FragmentDelimiter=" … "'))
               o (how)
           join chats c on c.id = m.chat_id
           order by m.id desc"#,
        user.0,
        words,
        before.map(|id| id.0),
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(found).collect())
}

fn found(row: Row) -> FoundMessage {
    let Row { id, chat, title, by_model, snippet, at } = row;
    FoundMessage { id, chat, title, by_model, snippet: pieces(&snippet), at }
}
