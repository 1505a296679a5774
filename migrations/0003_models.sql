-- The catalog: models that may be asked, as the providers list them.
create table models (
    provider text not null,                             -- the name in the configuration's [providers]
    name     text not null,                             -- what the provider calls it
    seen_at  timestamptz not null default now(),        -- when the provider last listed it
    primary key (provider, name)
);
