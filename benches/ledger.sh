#!/usr/bin/env bash
# How long the pages of usage take over a ledger of 1,000,000 requests of four people, each time after a restart of PostgreSQL
# and, as root on Linux, with the system's own cache dropped too; nothing is in Parlor's.
#   benches/ledger.sh [PROGRAM]   target/release/parlor by default; bin/postgres lends a server, which is restarted
set -euo pipefail
cd "$(dirname "$0")/.."
program=$(realpath "${1:-target/release/parlor}")
DATABASE_URL=$(bin/postgres start)
folder=$(mktemp -d)
database=ledger_$$
port=${PORT:-3999}
bin/postgres psql -XqAt -c "create database $database"
serve() {
  env -i PATH="$PATH" DATABASE_URL="${DATABASE_URL/\/parlor\?//$database?}" PARLOR_DATA="$folder" PORT="$port" RUST_LOG=error \
    ADMIN_EMAIL=root@example.org ADMIN_PASSWORD=quite-a-long-password PARLOR__CATALOG__OLLAMA= "$program" serve &
  server=$!
  for _ in $(seq 100); do if curl -s -o /dev/null "localhost:$port/up"; then return; fi; sleep 0.1; done
}
finish() {
  kill "$server" 2>/dev/null && wait "$server" 2>/dev/null || true
  bin/postgres psql -XqAt -c "drop database if exists $database with (force)"
  rm -rf "$folder"
}
trap finish EXIT
serve
PGDATABASE=$database bin/postgres psql -XqAt <<'SQL'
insert into users (email, email_key, name, password_hash)
select n || '@example.org', n || '@example.org', 'Somebody', 'x' from generate_series(1, 3) n;
create temp table who as select id, row_number() over () - 1 as n from users;
insert into usage (at, user_id, purpose, provider, model, outcome, prompt_tokens, cached_tokens, completion_tokens,
    reasoning_tokens, estimated, cost)
select now() - make_interval(secs => g * 31), w.id, 'answer', 'openai', 'model-' || g % 12, 'complete', 1000 + g % 977,
       g % 500, g % 800, 0, false, 100 + g % 5000
from generate_series(1, 1000000) g join who w on w.n = g % 4;
insert into usage_days
select (at at time zone 'UTC')::date, user_id, provider, model, count(*), 0, sum(prompt_tokens), sum(cached_tokens),
       sum(completion_tokens), 0, sum(cost), 0 from usage group by 1, 2, 3, 4;
analyze;
SQL
curl -s -o /dev/null -c "$folder/jar" -H "Origin: http://localhost:$port" --data-urlencode email=root@example.org \
  --data-urlencode password=quite-a-long-password "localhost:$port/login"
for _ in 1 2 3; do
  PGDATABASE=$database bin/postgres psql -XqAt -c "truncate cache" # ours, too
  bin/postgres restart
  sync
  echo 3 2>/dev/null >/proc/sys/vm/drop_caches || echo "(the system's cache could not be dropped)"
  sleep 2
  for page in /settings /admin/usage /settings/usage /admin/usage.csv; do
    curl -s -o /dev/null -b "$folder/jar" "localhost:$port$page" -w "$page: %{http_code}, %{time_total} s\n"
  done
done
