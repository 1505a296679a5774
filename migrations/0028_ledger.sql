-- The ledger: one row for each request to a provider, and what it cost. No row here points at an account or a chat by a
-- constraint: what was spent stays when they go, under ids that then lead nowhere.
create table usage (
    id                uuid primary key default uuid7(),
    at                timestamptz not null default now(),
    user_id           uuid,
    chat_id           uuid,
    generation_id     uuid,
    purpose           text not null check (purpose in ('answer', 'title')),
    provider          text not null,
    model             text not null,
    key_id            uuid,                             -- null: asked without a key
    outcome           text not null,                    -- 'complete', 'stopped', or the kind of the fault
    prompt_tokens     bigint not null,
    cached_tokens     bigint not null,                  -- of them from the provider's cache
    completion_tokens bigint not null,
    reasoning_tokens  bigint not null,                  -- of them thoughts
    estimated         boolean not null,                 -- the provider did not say: counted by us
    cost              bigint,                           -- micro-units of the currency; null: no price was known
    first_token_ms    integer,
    tokens_per_second real
);

create index usage_of_generation on usage (generation_id);
create index usage_at on usage using brin (at);

-- The same, added up for pages: by day (UTC), person and model.
create table usage_days (
    day               date not null,
    user_id           uuid not null,
    provider          text not null,
    model             text not null,
    requests          bigint not null,
    failed            bigint not null,
    prompt_tokens     bigint not null,
    cached_tokens     bigint not null,
    completion_tokens bigint not null,
    reasoning_tokens  bigint not null,
    cost              bigint not null,
    unpriced          bigint not null,                  -- requests of which no price was known
    primary key (user_id, day, provider, model)
) with (fillfactor = 70);

create index usage_days_by_day on usage_days (day);

-- What somebody has spent in a month (UTC) on answers, and what is reserved for those that have not ended: what a budget is held
-- against. Titles, which nobody asks for, are in the ledger alone.
create table spending (
    user_id  uuid not null references users (id) on delete cascade,
    month    date not null,                             -- its first day
    spent    bigint not null default 0,                 -- micro-units of the currency, as in the ledger
    reserved bigint not null default 0,
    primary key (user_id, month)
) with (fillfactor = 50);

-- Writes a request down, in all three. The person and the chat are those of the generation.
create function note_usage(of_generation uuid, for_purpose text, of_provider text, of_model text, with_key uuid, came_to text,
    prompt bigint, cached bigint, completion bigint, reasoning bigint, guessed boolean, costs bigint, first_ms integer, pace real)
returns void language plpgsql volatile as $$ -- plans that are kept, which SQL functions have not
declare
    today constant date := (now() at time zone 'UTC')::date;
    whose uuid;
    place uuid;
begin
    select g.user_id, g.chat_id into whose, place from public.generations g where g.id = of_generation;
    insert into public.usage (user_id, chat_id, generation_id, purpose, provider, model, key_id, outcome, prompt_tokens,
        cached_tokens, completion_tokens, reasoning_tokens, estimated, cost, first_token_ms, tokens_per_second)
    values (whose, place, of_generation, for_purpose, of_provider, of_model, with_key, came_to, prompt, cached, completion,
        reasoning, guessed, costs, first_ms, pace);
    if costs > 0 and for_purpose = 'answer' and whose is not null then
        insert into public.spending as s (user_id, month, spent) values (whose, date_trunc('month', today)::date, costs)
        on conflict (user_id, month) do update set spent = s.spent + excluded.spent;
    end if;
    insert into public.usage_days as d (day, user_id, provider, model, requests, failed, prompt_tokens, cached_tokens,
        completion_tokens, reasoning_tokens, cost, unpriced)
    values (today, coalesce(whose, '00000000-0000-0000-0000-000000000000'), of_provider, of_model, 1,
        (came_to not in ('complete', 'stopped'))::integer, prompt, cached, completion, reasoning, coalesce(costs, 0),
        (costs is null)::integer)
    on conflict (user_id, day, provider, model) do update set requests = d.requests + 1, failed = d.failed + excluded.failed,
        prompt_tokens = d.prompt_tokens + excluded.prompt_tokens, cached_tokens = d.cached_tokens + excluded.cached_tokens,
        completion_tokens = d.completion_tokens + excluded.completion_tokens,
        reasoning_tokens = d.reasoning_tokens + excluded.reasoning_tokens, cost = d.cost + excluded.cost,
        unpriced = d.unpriced + excluded.unpriced;
end
$$;
