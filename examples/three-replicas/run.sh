#!/usr/bin/env bash
# Three replicas behind HAProxy, over one PostgreSQL and one Redis, all from Debian's packages and in one folder:
#   apt-get install postgresql redis-server haproxy curl
# Makes a call through each, kills one, goes on, and verifies the decision log. `--stay` leaves it running until Ctrl-C.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
turnward() { node "$here/../../gateway/bin/turnward.mjs" "$@"; }

base="${BASE_PORT:-4100}"
export EDGE_PORT="$base" PORT_A=$((base + 1)) PORT_B=$((base + 2)) PORT_C=$((base + 3))
postgres_port=$((base + 4)) redis_port=$((base + 5))
folder="$(mktemp -d)"
pids=()
declare -A replica_pid

stop() {
  trap - EXIT
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$folder"
}
trap stop EXIT
trap 'exit 130' INT TERM

# PostgreSQL and Redis refuse, or should not, run as root.
as() { # user command...
  local user="$1"; shift
  if [ "$(id -u)" = 0 ]; then setpriv --reuid="$user" --regid="$user" --clear-groups "$@"; else "$@"; fi
}
own() { if [ "$(id -u)" = 0 ]; then chown -R "$1" "$2"; fi; }

wait_for() { # what command...
  local what="$1"; shift
  for _ in $(seq 300); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done
  echo "$what did not come up; see $folder" >&2; tail -n 20 "$folder"/*.log >&2; exit 1
}

echo "== PostgreSQL and Redis"
chmod 755 "$folder"
bin="$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)"
secret() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
admin_password="$(secret)" owner_password="$(secret)" gateway_password="$(secret)" redis_password="$(secret)"
mkdir "$folder/postgres"; printf %s "$admin_password" > "$folder/password"
own postgres "$folder/postgres"; own postgres "$folder/password"
as postgres "$bin/initdb" -D "$folder/postgres" -U admin --pwfile="$folder/password" -A scram-sha-256 -E UTF8 --locale C >"$folder/initdb.log"
as postgres "$bin/postgres" -D "$folder/postgres" -p "$postgres_port" -h 127.0.0.1 -k '' >"$folder/postgres.log" 2>&1 &
pids+=($!)
mkdir "$folder/redis"; own redis "$folder/redis"
as redis redis-server --bind 127.0.0.1 --port "$redis_port" --dir "$folder/redis" --save '' --appendonly yes --maxmemory-policy noeviction \
  --requirepass "$redis_password" >"$folder/redis.log" 2>&1 &
pids+=($!)
wait_for PostgreSQL "$bin/pg_isready" -h 127.0.0.1 -p "$postgres_port"
wait_for Redis redis-cli -p "$redis_port" --no-auth-warning -a "$redis_password" ping

echo "== two roles: one owns the tables, one may add to the decision log and read it, and never change it"
database_url() { echo "postgres://$1:$2@127.0.0.1:$postgres_port/turnward"; }
psql() { PGPASSWORD="$admin_password" "$bin/psql" -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$postgres_port" -U admin "$@"; }
psql -d postgres -c 'create database turnward'
export VALKEY_URL="redis://:$redis_password@127.0.0.1:$redis_port" CLUSTER_SECRET ADA_KEY
CLUSTER_SECRET="$(secret)" ADA_KEY="tw_$(secret)"
start_with() { # replica port: its environment
  export REPLICA="$1" PORT="$2" DATA_DIR="$folder/data-$1"
}
start_with setup "$PORT_A"
turnward store roles --database turnward | psql -d turnward
psql -d turnward -c "alter role turnward_owner password '$owner_password'" -c "alter role turnward_gateway password '$gateway_password'"
DATABASE_URL="$(database_url turnward_owner "$owner_password")" turnward store migrate --config "$here/turnward.yaml"
DATABASE_URL="$(database_url turnward_gateway "$gateway_password")"
export DATABASE_URL

echo "== three replicas and HAProxy"
for replica in a b c; do
  port_name="PORT_${replica^^}"
  start_with "$replica" "${!port_name}"
  node "$here/../../gateway/bin/turnward.mjs" start --config "$here/turnward.yaml" >"$folder/replica-$replica.log" 2>&1 &
  pids+=($!); replica_pid[$replica]=$!
done
for port in "$PORT_A" "$PORT_B" "$PORT_C"; do wait_for "the replica at $port" curl -fsS "http://127.0.0.1:$port/readyz"; done
haproxy -f "$here/haproxy.cfg" >"$folder/haproxy.log" 2>&1 &
pids+=($!)
ask() { # port
  curl -fsS "http://127.0.0.1:$1/v1/chat/completions" -H "authorization: Bearer $ADA_KEY" -H 'content-type: application/json' \
    -H 'x-turnward-session: the-same-everywhere' -d '{"model":"demo","messages":[{"role":"user","content":"Who are you?"}]}'
}
wait_for HAProxy ask "$EDGE_PORT"

turnward cluster status --config "$here/turnward.yaml"
for port in "$PORT_A" "$PORT_B" "$PORT_C"; do ask "$port" | grep -q 'I am the model' && echo "a call through the replica at $port: answered"; done

echo "== one of them is killed"
kill -KILL "${replica_pid[b]}"
answered=0
for _ in $(seq 30); do ask "$EDGE_PORT" | grep -q 'I am the model' && answered=$((answered + 1)); done
echo "30 calls through HAProxy: $answered answered"

echo "== and the decision log of all of them, the dead one included"
turnward audit verify --config "$here/turnward.yaml"
turnward doctor --config "$here/turnward.yaml"

if [ "${1:-}" = --stay ]; then
  echo "== running: http://127.0.0.1:$EDGE_PORT, key $ADA_KEY. Ctrl-C ends it."
  wait
fi
