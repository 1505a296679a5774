-- What every capability stands on: ids, the queue's tables, the sessions' table, settings of the installation.

-- A UUIDv7 by the database's clock (RFC 9562, method 3: twelve bits of the millisecond's fraction, so that ids of one
-- backend rise within a millisecond too). Ids are minted here and nowhere else, so a process with a wrong clock cannot
-- put a row into the wrong month.
create function uuid7() returns uuid language sql volatile parallel safe as $$
    with clock as (select (extract(epoch from clock_timestamp()) * 1000000)::bigint as micros)
    select (lpad(to_hex(micros / 1000), 12, '0')
         || to_hex(28672 + (micros % 1000) * 4096 / 1000)
         || right(replace(gen_random_uuid()::text, '-', ''), 16))::uuid
    from clock
$$;

-- The smallest UUIDv7 of an instant: the bound of a month's partition.
create function uuid7_floor(at timestamptz) returns uuid language sql immutable parallel safe as $$
    select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid
$$;

-- The installation's own facts, e.g. the fingerprint of PARLOR_SECRET.
create table settings (
    key   text primary key,
    value text not null
);

-- The queue, in the shape that apalis-sql 0.7 reads and writes. base/queue.rs is the only code that knows it.
create schema apalis;

create table apalis.workers (
    id           text primary key,
    worker_type  text not null,
    storage_name text not null,
    layers       text not null default '',
    last_seen    timestamptz not null default now()
);

create table apalis.jobs (
    job          jsonb not null,
    id           text primary key,
    job_type     text not null,
    status       text not null default 'Pending',
    attempts     integer not null default 0,
    max_attempts integer not null default 25,
    run_at       timestamptz not null default now(),
    last_error   text,
    lock_at      timestamptz,
    lock_by      text references apalis.workers (id) on delete set null,
    done_at      timestamptz,
    priority     integer not null default 0
);

create index jobs_due on apalis.jobs (job_type, priority desc, run_at) where status in ('Pending', 'Failed');
create index jobs_running on apalis.jobs (job_type) where status = 'Running';
create index jobs_lock_by on apalis.jobs (lock_by);

create function apalis.get_jobs(worker text, v_job_type text, v_job_count integer) returns setof apalis.jobs
language plpgsql volatile as $$
begin
    return query
    update apalis.jobs set status = 'Running', lock_by = worker, lock_at = now()
    where id in (
        select j.id from apalis.jobs j
        where (j.status = 'Pending' or (j.status = 'Failed' and j.attempts < j.max_attempts))
          and j.run_at <= now() and j.job_type = v_job_type
        order by j.priority desc, j.run_at limit v_job_count
        for update skip locked)
    returning *;
end
$$;

-- Browser sessions, in the shape that tower-sessions-sqlx-store reads and writes.
create schema tower_sessions;

create table tower_sessions.session (
    id          text primary key,
    data        bytea not null,
    expiry_date timestamptz not null
);

create index session_expiry on tower_sessions.session (expiry_date);
