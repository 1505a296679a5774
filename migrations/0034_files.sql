-- Pictures that people send along. What is in here has its bytes in the folder of files, complete (N10): they are written
-- before the row, and removed after it.
create table files (
    id         uuid primary key default uuid7(),
    user_id    uuid references users (id) on delete set null,   -- null: to be removed
    blob       text not null unique,                  -- what its bytes are called in the folder; made by the server
    name       text not null check (name <> ''),      -- as its owner calls it
    media_type text not null,                         -- by its content
    size       bigint not null,                       -- bytes, as it came
    view_type  text not null,                         -- of the copy that is shown and sent to models
    view_size  integer not null,                      -- bytes
    width      integer not null,                      -- of that copy, in pixels
    height     integer not null,
    created_at timestamptz not null default now()
);

create index files_of on files (user_id, created_at);

-- When somebody sent one, whatever came of it; kept for an hour.
create table taken_uploads (
    user_id uuid not null references users (id) on delete cascade,
    at      timestamptz not null default clock_timestamp()
);
create index taken_uploads_of on taken_uploads (user_id, at);

-- Which message has which files. A file without any is removed a day after it came.
create table attachments (
    chat_id    uuid not null,
    message_id uuid not null,
    place      smallint not null,
    file_id    uuid not null references files (id),
    primary key (message_id, place),
    foreign key (chat_id, message_id) references messages (chat_id, id) on delete cascade
);

create index attachments_in on attachments (chat_id);
create index attachments_of on attachments (file_id);
