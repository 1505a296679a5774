-- Providers that administrators keep, beside those of the settings (of two of one name the settings' counts).
create table providers (
    name                text primary key,
    kind                text not null check (kind in ('openai', 'anthropic', 'gemini')),
    base_url            text not null default '',             -- empty: the vendor's
    models              text[] not null default '{}',         -- empty: asked from the provider
    requests_per_minute integer not null default 10 check (requests_per_minute >= 0),   -- of each key; 0: no limit
    tokens_per_minute   integer not null default 0 check (tokens_per_minute >= 0),
    enabled             boolean not null default true,
    created_at          timestamptz not null default now()
);

-- Their keys, sealed with the installation's secret for this provider at this address: nowhere else can they be opened.
create table sealed_keys (
    id         uuid primary key,                              -- as in provider_keys
    provider   text not null references providers (name) on delete cascade,
    hint       text not null,                                 -- its last four characters, or none of a short one
    sealed     bytea not null,
    created_at timestamptz not null default now()
);

create index sealed_keys_of on sealed_keys (provider);

-- One row: how often anything of the two was changed, so that every process sees soon that it was.
create table provider_changes (
    id      boolean primary key default true check (id),
    version bigint not null default 0
);
insert into provider_changes default values;
