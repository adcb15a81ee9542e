#!/usr/bin/env bash
# PostgreSQL in a cluster of its own: for tests of a store on PostgreSQL and as the database of other services.
#
# Durable as in production (fsync, full_page_writes and synchronous_commit are on), SCRAM passwords
# over TCP and over the socket. POSTGRES_URL names a superuser, so that a test can create databases.
# Server settings for one run: TIDEGATE_POSTGRES_OPTIONS='-c max_connections=300'.
NAME=postgres
. "$(dirname "$0")/lib.sh"

bindir() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1; }

# The server refuses to run as root.
AS_OWNER=()
if [ "$(id -u)" = 0 ]; then AS_OWNER=(setpriv --reuid postgres --regid postgres --clear-groups --); fi

install() { [ -x "$(bindir)/initdb" ] || apt_need postgresql; }

# The path of a socket is limited to about 100 bytes.
socket_dir() {
  local dir=$STATE/run
  [ ${#dir} -le 80 ] || dir=/tmp/tidegate-pg-$(printf %s "$STATE" | cksum | cut -d' ' -f1)
  echo "$dir"
}

configure() {
  local data=$STATE/data password_file=$STATE/kept.password
  kept password secret >/dev/null
  rm -rf "$data"
  mkdir -p "$data" "$(socket_dir)"
  if [ "$(id -u)" = 0 ]; then chown postgres: "$data" "$(socket_dir)" "$password_file"; fi
  chmod 700 "$data"
  "${AS_OWNER[@]}" "$(bindir)/initdb" -D "$data" -U tidegate --pwfile "$password_file" -A scram-sha-256 \
    -E UTF8 --locale C.UTF-8 --data-checksums >"$STATE/initdb.log" 2>&1 ||
    { cat "$STATE/initdb.log" >&2; die "initdb failed"; }
}

# After a crash the children need a moment to notice; until then a new server refuses to start, and
# it takes a dead server that nobody has collected yet for a living one.
clear_crash() {
  local tries=0
  while readlink /proc/[0-9]*/cwd 2>/dev/null | grep -qxF "$STATE/data"; do
    [ $((tries += 1)) -le 100 ] || die "another server runs in $STATE/data"
    sleep 0.1
  done
  rm -f "$STATE/data/postmaster.pid" "$(socket_dir)"/.s.PGSQL.*.lock
}

launch() {
  clear_crash
  # shellcheck disable=SC2086
  spawn postgres "${AS_OWNER[@]}" "$(bindir)/postgres" -D "$STATE/data" -p "$(port)" -h 127.0.0.1 -k "$(socket_dir)" \
    -c fsync=on -c full_page_writes=on -c synchronous_commit=on -c max_connections=200 \
    -c shared_buffers=128MB -c log_min_duration_statement=1s -c "log_line_prefix=%m %p %d " \
    ${TIDEGATE_POSTGRES_OPTIONS:-}
}

ready() { PGPASSWORD=$(kept password secret) PGCONNECT_TIMEOUT=2 "$(bindir)/psql" -h 127.0.0.1 -p "$(port)" -U tidegate -d postgres -qAtc 'select 1'; }

seed() {
  PGPASSWORD=$(kept password secret) "$(bindir)/psql" -h 127.0.0.1 -p "$(port)" -U tidegate -d postgres -qc 'create database tidegate'
}

# A fast shutdown: open transactions are rolled back, nothing committed is lost.
shutdown() { halt postgres INT; }

settings() {
  local password
  password=$(kept password secret)
  cat <<END
POSTGRES_URL=postgres://tidegate:$password@127.0.0.1:$(port)/tidegate
POSTGRES_HOST=127.0.0.1
POSTGRES_PORT=$(port)
POSTGRES_SOCKET_DIR=$(socket_dir)
POSTGRES_USER=tidegate
POSTGRES_PASSWORD=$password
POSTGRES_DATABASE=tidegate
POSTGRES_BIN_DIR=$(bindir)
POSTGRES_PID=$(pid_of postgres)
END
}

service "$@"
