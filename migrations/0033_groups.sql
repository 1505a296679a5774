-- Groups of people: they may have a budget together, and models of their own.
create table groups (
    id         uuid primary key default uuid7(),
    name       text not null check (name <> ''),
    budget     bigint check (budget > 0),                 -- of a month (UTC), in micro-units of the currency; null: no limit
    created_at timestamptz not null default now()
);

create unique index groups_name on groups (lower(name));

create table group_members (
    group_id uuid not null references groups (id) on delete cascade,
    user_id  uuid not null references users (id) on delete cascade,
    primary key (group_id, user_id)
);

create index group_members_of on group_members (user_id);

-- Which groups may ask a model that is for groups.
alter table model_edits drop constraint model_edits_audience_check;
alter table model_edits add constraint model_edits_audience_check
    check (audience in ('everyone', 'groups', 'administrators', 'nobody'));

create table model_groups (
    provider text not null,
    name     text not null,
    group_id uuid not null references groups (id) on delete cascade,
    primary key (provider, name, group_id)
);

-- As `spending` of a person: of all members of a group together, while they are in it.
create table group_spending (
    group_id uuid not null references groups (id) on delete cascade,
    month    date not null,                             -- its first day
    spent    bigint not null default 0,                 -- micro-units of the currency, as in the ledger
    reserved bigint not null default 0,
    primary key (group_id, month)
) with (fillfactor = 50);

-- The groups in which an answer is reserved for, beside its person.
alter table generations add column reserved_groups uuid[];

-- Reserves the most that an answer may cost in the budget of its person (0: none) and in those of all their groups. What lacks
-- the room is told: an empty name is the person's own. Then nothing was taken, if the caller rolls back. Rows are locked in one
-- order: the person's, then the groups' by their ids.
create function reserve_in_all(generation uuid, who uuid, own bigint, amount bigint)
returns table (took boolean, whose text, most bigint, already_spent bigint, already_reserved bigint)
language plpgsql volatile as $$
declare
    this_month constant date := date_trunc('month', now() at time zone 'UTC');
    one        record;
    mine       uuid[] := '{}';
begin
    took := false;
    whose := '';
    most := own;
    insert into public.spending as s (user_id, month, reserved) select who, this_month, amount where own = 0 or amount <= own
    on conflict (user_id, month) do update set reserved = s.reserved + amount
        where own = 0 or s.spent + s.reserved + amount <= own;
    if not found then
        select coalesce(max(s.spent), 0), coalesce(max(s.reserved), 0) into already_spent, already_reserved
            from public.spending s where s.user_id = who and s.month = this_month;
        return next;
        return;
    end if;
    for one in select g.id, g.name, g.budget from public.group_members m join public.groups g on g.id = m.group_id
               where m.user_id = who and g.budget is not null order by g.id loop
        insert into public.group_spending as s (group_id, month, reserved)
            select one.id, this_month, amount where amount <= one.budget
        on conflict (group_id, month) do update set reserved = s.reserved + amount
            where s.spent + s.reserved + amount <= one.budget;
        if not found then
            whose := one.name;
            most := one.budget;
            select coalesce(max(s.spent), 0), coalesce(max(s.reserved), 0) into already_spent, already_reserved
                from public.group_spending s where s.group_id = one.id and s.month = this_month;
            return next;
            return;
        end if;
        mine := mine || one.id;
    end loop;
    update public.generations g set reserved = amount, reserved_in = this_month, reserved_groups = mine
        where g.id = generation;
    took := true;
    return next;
end
$$;

-- However an answer ends, and whoever ends it: nothing stays reserved.
create or replace function release_reservation() returns trigger language plpgsql as $$
begin
    update public.spending s set reserved = s.reserved - old.reserved
        where s.user_id = old.user_id and s.month = old.reserved_in;
    if cardinality(old.reserved_groups) > 0 then
        perform from public.group_spending s
            where s.group_id = any(old.reserved_groups) and s.month = old.reserved_in order by s.group_id for update;
        update public.group_spending s set reserved = s.reserved - old.reserved
            where s.group_id = any(old.reserved_groups) and s.month = old.reserved_in;
    end if;
    if tg_op = 'DELETE' then
        return old;
    end if;
    new.reserved := 0;
    return new;
end
$$;

-- Writes a request down, in all of them. The person and the chat are those of the generation.
create or replace function note_usage(of_generation uuid, for_purpose text, of_provider text, of_model text, with_key uuid, came_to text,
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
        insert into public.group_spending as s (group_id, month, spent)
        select m.group_id, date_trunc('month', today)::date, costs from public.group_members m where m.user_id = whose
            order by m.group_id
        on conflict (group_id, month) do update set spent = s.spent + excluded.spent;
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
