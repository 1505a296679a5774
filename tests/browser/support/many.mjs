// Many chats, put into the database at once.

/** So many chats of somebody, each with one message, in the list or in the archive: "chat 1" is the newest of them. */
export async function manyChats(ground, email, count, { archived = false } = {}) {
  await ground.sql(`
    with made as (insert into chats (user_id, title, active_at, archived_at)
      select users.id, 'chat ' || n, now() - interval '1 hour' * n, ${archived ? "now()" : "null"} from users, generate_series(1, ${count}) n
      where email = '${email}' returning id),
    said as (insert into messages (chat_id, author, text, html) select id, 'person', 'Hello.', '<p>Hello.</p>' from made)
    insert into feed_heads (chat_id) select id from made`);
  await ground.sql("update chats set leaf_id = (select id from messages where chat_id = chats.id) where leaf_id is null");
}
