-- What is computed once for all processes and may be a while old (base/cache.rs). Unlogged: after a crash it is made anew.
create unlogged table cache (
    key           text primary key,
    value         jsonb,
    expires_at    timestamptz,
    claimed_until timestamptz not null default '-infinity'  -- until then somebody makes it
);
