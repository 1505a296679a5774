//! Laws of the tables, as questions whose every answer is a violation. What is compared with the outside (what was sent,
//! asked and seen) is in `checks.rs`.

/// Answers that will move by themselves: also what is in line behind one that lets the line go on.
pub const MOVING: &str =
    "select g.chat_id || ' ' || g.message_id || ' ' || g.state || ' attempt ' || g.attempt || ' lease ' ||
        coalesce((g.lease_until - now())::text, 'none')
    from generations g left join generations b on b.message_id = g.after_id
    where g.state in ('queued', 'streaming', 'waiting')
       or g.state = 'lined' and coalesce(b.state, '') not in ('failed', 'interrupted', 'waiting', 'lined')";

/// Promise, violation, and the query that finds it; its first column says where.
pub const LAWS: [(&str, &str, &str); 24] = [
    ("N2", "a question without an answer", "select q.chat_id || ' ' || q.id from messages q where q.author = 'person'
        and not exists (select 1 from messages a where a.chat_id = q.chat_id and a.parent_id = q.id and a.author = 'model')"),
    ("N2", "an answer without a generation", "select m.chat_id || ' ' || m.id from messages m where m.author = 'model'
        and m.html is null and not exists (select 1 from generations g where g.message_id = m.id)"),
    ("N2", "a generation without its message", "select g.chat_id || ' ' || g.message_id from generations g
        where not exists (select 1 from messages m where m.id = g.message_id and m.chat_id = g.chat_id)"),
    ("N2", "a chat without a message", "select c.id::text from chats c where not exists (select 1 from messages m where m.chat_id = c.id)"),
    ("N4", "a gap in a feed", "select chat_id || ' ' || seq from (select e.chat_id, e.seq, h.first_seq - 1 + row_number()
        over (partition by e.chat_id order by e.seq) as n from feed_events e join feed_heads h using (chat_id)) e where seq <> n"),
    ("N4", "a head that is not the newest event", "select h.chat_id || ' ' || h.seq from feed_heads h
        where h.seq <> (select coalesce(max(seq), h.first_seq - 1) from feed_events e where e.chat_id = h.chat_id)"),
    ("N4", "pieces that do not fit together", "select chat_id || ' ' || seq || ' ' || message_id from (
        select e.*, coalesce(sum(octet_length(body)) over (partition by message_id, kind order by seq
            rows between unbounded preceding and 1 preceding), 0) as before
        from feed_events e where kind in ('text', 'reasoning')) e where offset_at <> before"),
    ("N4", "an answer that is announced twice", "select chat_id || ' ' || message_id from feed_events where kind = 'turn'
        group by chat_id, message_id having count(*) > 1"),
    ("N6", "a stored text that is not what was streamed", "select g.chat_id || ' ' || g.message_id || ' ' || g.state
        from generations g join messages m on m.id = g.message_id cross join lateral (
            select coalesce(string_agg(body, '' order by seq) filter (where kind = 'text'), '') as text,
                   coalesce(string_agg(body, '' order by seq) filter (where kind = 'reasoning'), '') as reasoning
            from feed_events e where e.chat_id = g.chat_id and e.message_id = g.message_id) s
        where g.state in ('completed', 'stopped', 'interrupted', 'failed') and
            (m.text, m.reasoning) is distinct from (s.text, s.reasoning)"),
    ("N6", "an answer with text that failed instead of being interrupted", "select g.chat_id || ' ' || g.message_id
        from generations g join messages m on m.id = g.message_id where g.state = 'failed' and m.text || m.reasoning <> ''"),
    ("N6", "an answer that is cut and does not say why", "select chat_id || ' ' || message_id from generations
        where state in ('interrupted', 'failed') and coalesce(reason, '') = ''"),
    ("N6", "an ended answer without its HTML", "select g.chat_id || ' ' || g.message_id from generations g
        join messages m on m.id = g.message_id where g.state in ('completed', 'stopped', 'interrupted', 'failed') and m.html is null"),
    ("N6", "an answer that goes on with something else than what was cut", "select g.chat_id || ' ' || g.message_id
        from generations g join messages m on m.id = g.message_id where g.prefix > 0 and g.state in ('completed', 'stopped', 'interrupted', 'failed')
        and not exists (select 1 from messages s where s.chat_id = m.chat_id and s.parent_id = m.parent_id and s.id <> m.id
            and convert_to(s.text, 'UTF8') = substr(convert_to(m.text, 'UTF8'), 1, g.prefix))"),
    ("line", "an answer that was begun before the one it follows had ended", "select a.chat_id || ' ' || a.message_id
        from feed_events a join messages m on m.id = a.message_id join messages q on q.id = m.parent_id
        join feed_events e on e.chat_id = a.chat_id and e.message_id = q.parent_id and e.kind = 'end' and e.seq > a.seq
        where a.kind = 'state' and (a.body::json ->> 'streaming')::bool"),
    ("N7", "an event after the removal", "select e.chat_id || ' ' || e.seq || ' ' || e.message_id from feed_events e join feed_events d
        on d.chat_id = e.chat_id and d.message_id = e.message_id and d.kind = 'removed' and e.seq > d.seq"),
    ("N7", "not exactly one end", "select g.chat_id || ' ' || g.message_id || ' ' || g.state from generations g where
        (select count(*) from feed_events e where e.chat_id = g.chat_id and e.message_id = g.message_id and kind = 'end')
        <> case when g.state in ('completed', 'stopped', 'interrupted', 'failed') then 1 else 0 end"),
    ("N7", "an event after the end", "select e.chat_id || ' ' || e.seq || ' ' || e.message_id from feed_events e join feed_events d
        on d.chat_id = e.chat_id and d.message_id = e.message_id and d.kind = 'end' and e.seq > d.seq
        where e.kind <> 'path'"), // what a person does to the tree only names the message
    ("N8", "an answer that had begun was begun again", "select s.chat_id || ' ' || s.seq || ' ' || s.message_id from feed_events s
        join generations g on g.message_id = s.message_id where s.kind = 'state' and exists (select 1 from feed_events t
            where t.chat_id = s.chat_id and t.message_id = s.message_id and t.seq < s.seq
            and (t.kind = 'reasoning' or t.kind = 'text' and t.offset_at >= g.prefix))"),
    ("N9", "a shown leaf that is not of the chat", "select c.id::text from chats c left join messages m on m.id = c.leaf_id
        where m.chat_id is distinct from c.id"),
    ("N9", "a message that does not lead to a root of its chat", "with recursive reached as (
            select id, chat_id from messages where parent_id is null
            union all select m.id, m.chat_id from messages m join reached r on m.parent_id = r.id and m.chat_id = r.chat_id)
        select m.chat_id || ' ' || m.id from messages m where not exists (select 1 from reached r where r.id = m.id)"),
    ("money", "reserved for a person, and for none of their answers", "select s.user_id || ' ' || s.reserved from spending s
        where s.reserved <> (select coalesce(sum(g.reserved), 0) from generations g where g.user_id = s.user_id and g.reserved_in = s.month)"),
    ("money", "reserved for a group, and for none of its answers", "select s.group_id || ' ' || s.reserved from group_spending s
        where s.reserved <> (select coalesce(sum(g.reserved), 0) from generations g
                             where s.group_id = any(g.reserved_groups) and g.reserved_in = s.month)"),
    ("money", "reserved for an answer that has ended", "select chat_id || ' ' || message_id || ' ' || reserved from generations
        where reserved <> 0 and state in ('completed', 'stopped', 'interrupted', 'failed')"),
    ("money", "spent, and not in the ledger", "select s.user_id || ' ' || s.spent from spending s where s.spent <> (
        select coalesce(sum(u.cost), 0) from usage u where u.user_id = s.user_id and u.purpose = 'answer'
            and date_trunc('month', u.at at time zone 'UTC')::date = s.month)"),
];
