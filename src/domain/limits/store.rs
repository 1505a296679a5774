//! The SQL of limits. Taking is a function of the database (migrations/0018_limits.sql): one round trip.

use super::calls::Granted;
use crate::base::{
    error::Allowance,
    ids::{CallId, GenerationId, MessageId, UserId},
};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// What a role or a person was given. Null: as before it; 0: no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Given {
    pub messages_per_minute: Option<i32>,
    pub messages_per_day: Option<i32>,
    /// Of models, by programs.
    pub calls_per_hour: Option<i32>,
    /// Of a month, in whole units of the currency.
    pub budget: Option<i32>,
}

/// One window as it is now.
pub struct Window {
    period: i32,
    most: i32,
    used: i32,
    reset_in: Option<f64>,
    /// Seconds until there is room again, if there is none.
    pub again_in: Option<f64>,
}

impl Window {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a day of seconds, never below nothing"
    )]
    pub fn allowance(&self) -> Allowance {
        let number = |n: i32| u32::try_from(n).unwrap_or(0);
        Allowance {
            most: number(self.most),
            left: number(self.most - self.used),
            period: number(self.period),
            reset: self.reset_in.unwrap_or(0.).max(0.).ceil() as u32,
        }
    }
}

pub async fn take(
    conn: &mut PgConnection,
    user: UserId,
    role: &str,
    (per_minute, per_day): (i32, i32),
    answer: MessageId,
) -> sqlx::Result<Vec<Window>> {
    sqlx::query_as!(
        Window,
        r#"select period as "period!", most as "most!", used as "used!", reset_in, again_in
           from take_message($1, $2, $3, $4, $5)"#,
        user.0,
        role,
        per_minute,
        per_day,
        answer.0
    )
    .fetch_all(conn)
    .await
}

pub async fn windows(
    db: &PgPool,
    user: UserId,
    role: &str,
    (per_minute, per_day): (i32, i32),
) -> sqlx::Result<Vec<Window>> {
    sqlx::query_as!(
        Window,
        r#"select period as "period!", most as "most!", used as "used!", reset_in, again_in
           from message_windows($1, $2, $3, $4)"#,
        user.0,
        role,
        per_minute,
        per_day
    )
    .fetch_all(db)
    .await
}

/// How much this person may spend in a month, in micro-units (0: no limit), and whether one of their groups has a budget.
pub async fn budgets(conn: &mut PgConnection, user: UserId, role: &str, by_settings: i64) -> sqlx::Result<(i64, bool)> {
    let row = sqlx::query!(
        r#"select budget_of($1, $2, $3) as "own!",
                  exists (select from group_members m join groups g on g.id = m.group_id
                          where m.user_id = $1 and g.budget is not null) as "of_groups!""#,
        user.0,
        role,
        by_settings
    );
    let row = row.fetch_one(conn).await?;
    Ok((row.own, row.of_groups))
}

/// Which budget has no room: whose (empty: the person's own), how much it is, and what of it is spent and reserved.
pub struct Full {
    pub whose: String,
    pub most: i64,
    pub spent: i64,
    pub reserved: i64,
}

/// What came of reserving.
struct Reserving {
    took: bool,
    whose: String,
    most: i64,
    spent: i64,
    reserved: i64,
}

impl Reserving {
    fn full(self) -> Option<Full> {
        let Self { took, whose, most, spent, reserved } = self;
        (!took).then_some(Full { whose, most, spent, reserved })
    }
}

/// Reserves so much for an answer, in this person's own budget (0: none) and in those of their groups.
pub async fn reserve(
    conn: &mut PgConnection,
    generation: GenerationId,
    user: UserId,
    own: i64,
    amount: i64,
) -> sqlx::Result<Option<Full>> {
    let row = sqlx::query_as!(
        Reserving,
        r#"select took as "took!", whose as "whose!", most as "most!", coalesce(already_spent, 0) as "spent!",
                  coalesce(already_reserved, 0) as "reserved!"
           from reserve_in_all($1, $2, $3, $4)"#,
        generation.0,
        user.0,
        own,
        amount
    );
    Ok(row.fetch_one(conn).await?.full())
}

/// Reserves so much for a call, as [`reserve`] does for an answer.
pub async fn reserve_call(
    conn: &mut PgConnection,
    call: CallId,
    user: UserId,
    own: i64,
    amount: i64,
) -> sqlx::Result<Option<Full>> {
    let row = sqlx::query_as!(
        Reserving,
        r#"select took as "took!", whose as "whose!", most as "most!", coalesce(already_spent, 0) as "spent!",
                  coalesce(already_reserved, 0) as "reserved!"
           from reserve_call($1, $2, $3, $4)"#,
        call.0,
        user.0,
        own,
        amount
    );
    Ok(row.fetch_one(conn).await?.full())
}

/// Takes calls of several people, each of whom is there once: what they are by the settings, role by role.
pub async fn take_calls(
    db: &PgPool,
    users: &[Uuid],
    roles: &[String],
    per_hour: &[i32],
    wanted: &[i32],
    more: &[i32],
    budgets: &[i64],
) -> sqlx::Result<Vec<Granted>> {
    sqlx::query_as!(
        Granted,
        r#"select whose as "user!: UserId", most as "most!", before as "before!", taken as "taken!", ahead as "ahead!",
                  at as "at!", reset_in as "reset_in!", again_in, own as "own!", of_groups as "of_groups!"
           from take_calls($1, $2, $3, $4, $5, $6)"#,
        users,
        roles,
        per_hour,
        wanted,
        more,
        budgets
    )
    .fetch_all(db)
    .await
}

/// Of the calls of this second so many were not made.
pub async fn give_back_calls(db: &PgPool, user: UserId, second: i64, calls: i32) -> sqlx::Result<()> {
    sqlx::query!(
        "update call_seconds set calls = calls - $3 where user_id = $1 and second = $2",
        user.0,
        second,
        calls
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The budgets of this person's groups, and what of them is spent and reserved this month.
pub async fn of_groups(conn: &mut PgConnection, user: UserId) -> sqlx::Result<Vec<Full>> {
    sqlx::query_as!(
        Full,
        r#"select g.name as whose, g.budget as "most!", coalesce(s.spent, 0) as "spent!", coalesce(s.reserved, 0) as "reserved!"
           from group_members m join groups g on g.id = m.group_id
           left join group_spending s
             on s.group_id = g.id and s.month = date_trunc('month', now() at time zone 'UTC')::date
           where m.user_id = $1 and g.budget is not null order by lower(g.name)"#,
        user.0
    )
    .fetch_all(conn)
    .await
}

/// What this person has spent this month, and what is reserved.
pub async fn spending(conn: &mut PgConnection, user: UserId) -> sqlx::Result<(i64, i64)> {
    let row = sqlx::query!(
        "select spent, reserved from spending
         where user_id = $1 and month = date_trunc('month', now() at time zone 'UTC')::date",
        user.0
    );
    Ok(row.fetch_optional(conn).await?.map_or((0, 0), |row| (row.spent, row.reserved)))
}

pub async fn give_back(conn: &mut PgConnection, user: UserId, answers: &[MessageId]) -> sqlx::Result<()> {
    let ids: Vec<_> = answers.iter().map(|answer| answer.0).collect();
    sqlx::query!("delete from taken_messages where user_id = $1 and message_id = any($2)", user.0, &ids)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn of_role(db: &PgPool, role: &str) -> sqlx::Result<Given> {
    let row = sqlx::query_as!(
        Given,
        r#"select messages_per_minute, messages_per_day, calls_per_hour, (budget / 1000000)::integer as budget from role_limits where role = $1"#,
        role
    );
    Ok(row.fetch_optional(db).await?.unwrap_or_default())
}

pub async fn of_user(db: &PgPool, user: UserId) -> sqlx::Result<Given> {
    let row = sqlx::query_as!(
        Given,
        "select messages_per_minute, messages_per_day, calls_per_hour, (budget / 1000000)::integer as budget from user_limits where user_id = $1",
        user.0
    );
    Ok(row.fetch_optional(db).await?.unwrap_or_default())
}

/// Returns what it was before.
pub async fn set_of_role(conn: &mut PgConnection, role: &str, given: &Given) -> sqlx::Result<Given> {
    let before = sqlx::query_as!(
        Given,
        "select messages_per_minute, messages_per_day, calls_per_hour, (budget / 1000000)::integer as budget from role_limits
         where role = $1 for update",
        role
    );
    let before = before.fetch_optional(&mut *conn).await?.unwrap_or_default();
    sqlx::query!(
        "insert into role_limits (role, messages_per_minute, messages_per_day, budget, calls_per_hour)
         values ($1, $2, $3, $4::integer::bigint * 1000000, $5)
         on conflict (role) do update
         set messages_per_minute = excluded.messages_per_minute, messages_per_day = excluded.messages_per_day,
             budget = excluded.budget, calls_per_hour = excluded.calls_per_hour",
        role,
        given.messages_per_minute,
        given.messages_per_day,
        given.budget,
        given.calls_per_hour
    )
    .execute(conn)
    .await?;
    Ok(before)
}

pub async fn set_of_user(conn: &mut PgConnection, user: UserId, given: &Given) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into user_limits (user_id, messages_per_minute, messages_per_day, budget, calls_per_hour)
         values ($1, $2, $3, $4::integer::bigint * 1000000, $5)
         on conflict (user_id) do update
         set messages_per_minute = excluded.messages_per_minute, messages_per_day = excluded.messages_per_day,
             budget = excluded.budget, calls_per_hour = excluded.calls_per_hour",
        user.0,
        given.messages_per_minute,
        given.messages_per_day,
        given.budget,
        given.calls_per_hour
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The requests of an hour and of the one before, by all processes.
pub struct Requests {
    pub address: String,
    pub now: i64,
    pub before: i64,
}

/// Adds requests to those of this hour. Addresses are locked in their order, so that two processes do not wait for each
/// other. Returns also which second of the epoch it is.
pub async fn add_requests(db: &PgPool, addresses: &[String], requests: &[i32]) -> sqlx::Result<(f64, Vec<Requests>)> {
    let rows = sqlx::query!(
        r#"with written as (
               insert into address_requests as r (hour, address, requests)
               select date_trunc('hour', now(), 'UTC'), n.address::inet, n.requests
               from unnest($1::text[], $2::integer[]) n (address, requests) order by n.address::inet
               on conflict (address, hour) do update set requests = r.requests + excluded.requests
               returning r.address, r.requests)
           select host(w.address) as "address!", w.requests::bigint as "now!", coalesce(b.requests, 0)::bigint as "before!",
                  extract(epoch from now())::float8 as "at!"
           from written w
           left join address_requests b on b.address = w.address and b.hour = date_trunc('hour', now(), 'UTC') - interval '1 hour'"#,
        addresses,
        requests
    )
    .fetch_all(db)
    .await?;
    let at = rows.first().map_or(0., |row| row.at);
    let all = rows.into_iter().map(|r| Requests { address: r.address, now: r.now, before: r.before });
    Ok((at, all.collect()))
}

/// Forgets what is older than every window.
pub async fn care(db: &PgPool) -> sqlx::Result<()> {
    sqlx::query!("delete from taken_messages where at < now() - interval '25 hours'").execute(db).await?;
    sqlx::query!("delete from call_seconds where second < extract(epoch from now()) - 3700").execute(db).await?;
    sqlx::query!("delete from address_requests where hour < now() - interval '3 hours'").execute(db).await?;
    Ok(())
}
