-- What sessions and programs hang on, when it is another than the password's hash: a hash that is made anew with higher
-- costs is not another password. Nothing: the hash itself.
alter table users add column password_mark text;

-- A key that was made with a key goes with it.
alter table api_keys add column made_by uuid references api_keys (id) on delete cascade;
create index api_keys_made_by on api_keys (made_by);
