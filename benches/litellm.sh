#!/usr/bin/env bash
# Whole answers through Parlor's gateway beside LiteLLM's proxy (one worker) and beside the harness's bare pass-through, in turns: all
# on core 0, the provider and the load (ab, of apache2-utils) on core 1. Each counts a key; Parlor counts limits and writes its ledger.
#   benches/litellm.sh LITELLM [PROGRAM]   e.g. `python3 -m venv v && v/bin/pip install 'litellm[proxy]' && benches/litellm.sh v/bin/litellm`
#   needs a release build of both: cargo build --release && cargo bench --bench load --no-run; bin/postgres lends a server
set -euo pipefail
cd "$(dirname "$0")/.."
litellm=$(realpath "$1")
program=$(realpath "${2:-target/release/parlor}")
harness=$(find target/release/deps -maxdepth 1 -name 'load-*' -executable -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d ' ' -f 2)
DATABASE_URL=$(bin/postgres start)
folder=$(mktemp -d)
database=litellm_$$
model=paced-20-0-5-0
started=()
finish() {
  for child in "${started[@]}"; do kill "$child" 2>/dev/null && wait "$child" 2>/dev/null || true; done
  bin/postgres psql -XqAt -c "drop database if exists $database with (force)"
  rm -rf "$folder"
}
trap finish EXIT
wait_for() { for _ in $(seq 300); do if curl -s -o /dev/null "$1"; then return; fi; sleep 0.2; done; echo "$1 does not come" >&2; exit 1; }
port_of() { for _ in $(seq 50); do if [ -s "$1" ]; then head -n 1 "$1"; return; fi; sleep 0.1; done; }

bin/postgres psql -XqAt -c "create database $database"
taskset -c 1 "$harness" provider "$model" >"$folder/provider" & started+=($!)
provider=http://127.0.0.1:$(port_of "$folder/provider")
taskset -c 0 "$harness" passthrough "$provider" >"$folder/bare" & started+=($!)
bare=http://127.0.0.1:$(port_of "$folder/bare")
cat >"$folder/litellm.yaml" <<YAML
model_list:
  - model_name: $model
    litellm_params: { model: openai/$model, api_base: $provider/v1, api_key: k }
general_settings: { master_key: sk-0f7a9c1e5b3d8642aa90 }
YAML
env -u DATABASE_URL taskset -c 0 "$litellm" --config "$folder/litellm.yaml" --port 14000 --num_workers 1 >"$folder/litellm.log" 2>&1 & started+=($!)
settings=(PATH="$PATH" DATABASE_URL="${DATABASE_URL/\/parlor\?//$database?}" PARLOR_DATA="$folder/parlor" PORT=14001
  ADMIN_EMAIL=root@example.org ADMIN_PASSWORD=quite-a-long-password OPENAI_BASE_URL="$provider/v1" OPENAI_API_KEY=k
  PARLOR__PROVIDERS__OPENAI__REQUESTS_PER_MINUTE=0 PARLOR__LIMITS__CALLS_PER_HOUR=1000000)
env -i "${settings[@]}" taskset -c 0 "$program" serve 2>"$folder/parlor.log" & started+=($!)
wait_for http://127.0.0.1:14001/ready
wait_for http://127.0.0.1:14000/health/liveliness
echo quite-a-long-password | env -i "${settings[@]}" "$program" user new member@example.org 2>/dev/null
key=$(env -i "${settings[@]}" "$program" key new member@example.org --scope models 2>/dev/null)

say() { # MODEL
  printf '{"model":"%s","messages":[{"role":"user","content":"Tell me about lamps by the sea: t1"}]}' "$1" >"$folder/ask.json"
}
ask() { # NAME, URL, KEY, MODEL, REQUESTS
  say "$4"
  taskset -c 1 ab -l -q -k -c 32 -n "$5" -T application/json -H "Authorization: Bearer $3" -p "$folder/ask.json" "$2/v1/chat/completions" |
    awk -v name="$1" '/Failed|Non-2xx/ { bad = bad " " $0 } /Requests per second/ { rate = $4 } /50%/ { half = $2 } END { print name ": " rate " requests/s, p50 " half " ms" bad }'
}
for _ in 1 2 3; do
  ask "pass-through" "$bare" none "$model" 40000
  ask "Parlor" http://127.0.0.1:14001 "$key" "openai/$model" 20000
  ask "LiteLLM" http://127.0.0.1:14000 sk-0f7a9c1e5b3d8642aa90 "$model" 1000
done
