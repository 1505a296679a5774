//! Many stored chats: does anything slow down?

use crate::{
    measure::{median, percentile},
    report::{Report, round},
    shape::Shape,
    wave::Taken,
    world::World,
};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// One person's chats with a question and an answer each, put into the tables directly. Returns the newest ones' paths.
pub async fn fill(world: &World, visitor: usize, count: usize) -> anyhow::Result<Vec<String>> {
    let chats: Vec<Uuid> = sqlx::query_scalar(
        "with made as (
             insert into chats (user_id, title, model, created_at, active_at)
             select u.id, 'A stored chat, number ' || n, 'openai/none', now() - n * interval '1 min', now() - n * interval '1 min'
             from users u, generate_series(1, $2) n where u.email_key = $1 returning id),
         heads as (insert into feed_heads (chat_id) select id from made)
         select id from made",
    )
    .bind(format!("visitor{visitor}@example.org"))
    .bind(i32::try_from(count)?)
    .fetch_all(&world.db)
    .await?;
    for some in chats.chunks(10_000) {
        sqlx::query(
            "with asked as (
                 insert into messages (chat_id, author, text, html)
                 select c, 'person', 'What is a lamp?', '<p>What is a lamp?</p>' from unnest($1::uuid[]) c
                 returning id, chat_id),
             said as (
                 insert into messages (chat_id, parent_id, author, text, html)
                 select chat_id, id, 'model', t, '<p>' || t || '</p>'
                 from asked, repeat('A lamp is a light that somebody keeps. ', 25) t returning id, chat_id),
             made as (
                 insert into generations (message_id, chat_id, user_id, model, state, from_seq, ended_at)
                 select s.id, s.chat_id, c.user_id, 'openai/none', 'completed', 0, now()
                 from said s join chats c on c.id = s.chat_id)
             update chats c set leaf_id = s.id from said s where c.id = s.chat_id",
        )
        .bind(some)
        .execute(&world.db)
        .await?;
    }
    Ok(chats.iter().take(1000.max(count.min(5000))).map(|id| format!("/chats/{id}")).collect())
}

/// The same with few and with many chats of the same person: pages, and answers.
pub async fn stored(world: &World, report: &mut Report) -> anyhow::Result<()> {
    for (before, count) in [(0, 100), (100, 100_000)] {
        let chats = fill(world, 0, count - before).await?;
        sqlx::query("analyze").execute(&world.db).await?;
        let shape = Shape::new(200, 20, 0);
        let (front, chat) = (pages(world, &["/".to_owned()]).await?, pages(world, &chats).await?);
        let mut talks = Vec::new();
        while talks.len() < 5 {
            talks.push(world.talk(0).await?);
        }
        let mut taken = Taken::default();
        for _ in 0..4 {
            taken.add(world.wave(&mut talks, &shape, Duration::ZERO).await?);
        }
        taken.errors.iter().for_each(|e| report.wrong(e));
        let pair = |v: &[f64]| format!("{} / {} ms", round(median(v)), round(percentile(v, 0.99)));
        report.say(format!("{count} stored chats: front page, p50 / p99"), pair(&front));
        report.say(format!("{count} stored chats: a chat's page, p50 / p99"), pair(&chat));
        report
            .say(format!("{count} stored chats: added time to first token, 5 at once, p50 / p99"), pair(&taken.first));
        report.say(
            format!("{count} stored chats: CPU per chunk, 5 at once"),
            format!("{} µs", round(taken.per_chunk(&shape))),
        );
    }
    Ok(())
}

/// Milliseconds of each of a hundred pages.
async fn pages(world: &World, paths: &[String]) -> anyhow::Result<Vec<f64>> {
    let mut times = Vec::new();
    for n in 0..100 {
        let began = Instant::now();
        world.visitors[0].page(&paths[n * paths.len() / 100]).await?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
    }
    Ok(times)
}
