#!/usr/bin/env bash
# Redis for the peer on BullMQ; Tidegate itself needs none. Installed from Debian where it is missing.
# Append-only file, synced at every write; password; its default user.
NAME=redis
. "$(dirname "$0")/../../services/lib.sh"
PASSWORD=tidegate-redis-1

install() { command -v redis-server >/dev/null || apt_need redis-server; }
configure() {
  mkdir -p "$STATE/data"
  cat >"$STATE/redis.conf" <<END
bind 127.0.0.1
port $(port)
dir $STATE/data
requirepass $PASSWORD
appendonly yes
appendfsync always
save ""
daemonize no
END
}
launch() { spawn redis "$(command -v redis-server)" "$STATE/redis.conf"; }
ready() { REDISCLI_AUTH=$PASSWORD redis-cli -h 127.0.0.1 -p "$(port)" ping | grep -q PONG; }
settings() {
  cat <<END
REDIS_URL=redis://:$PASSWORD@127.0.0.1:$(port)/0
REDIS_HOST=127.0.0.1
REDIS_PORT=$(port)
REDIS_PASSWORD=$PASSWORD
REDIS_PID=$(pid_of redis)
END
}

service "$@"
