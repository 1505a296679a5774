-- Folders: each a person's own. The version before knows nothing of them, and shows their chats in the list.
create table folders (
    id         uuid primary key default uuid7(),
    user_id    uuid not null references users (id) on delete cascade,
    name       text not null,
    opened     boolean not null default true,           -- its chats are shown in the list
    created_at timestamptz not null default now()
);

create index folders_of_user on folders (user_id);

-- When a folder goes, its chats are in the list again.
alter table chats add column folder_id uuid references folders (id) on delete set null;

create index chats_of_folder on chats (folder_id, active_at desc, id) where folder_id is not null and deleted_at is null;
