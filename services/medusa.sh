#!/usr/bin/env bash
# Medusa 2, a real headless commerce system, in the part of an OMS: stock locations, inventory levels,
# reservations, orders, products, price lists, over an admin REST API. On postgres.sh, with its own
# in-memory cache, event bus and workflow engine.
#
# What is in it: medusa_seed.mjs. How it is spoken to: docs/connectors/medusa.md.
# The filled database is kept as a template beside the programs.
NAME=medusa
VERSION=2.21.2
READY_S_MAX=120
. "$(dirname "$0")/lib.sh"

PROJECT=$TOOLS/medusa-$VERSION
EMAIL=admin@tidegate.example
PASSWORD=tidegate-admin-1

template() { echo "$TOOLS/medusa-$VERSION-$(sha256sum <"$HERE/medusa_seed.mjs" | cut -c1-12)"; }

made_of() { basename "$(template)"; }

install() {
  [ -e "$PROJECT/.installed" ] && return
  NODE=$(node_need 20)
  say "installing (about a minute, 700 MB, once)"
  mkdir -p "$PROJECT"
  cat >"$PROJECT/package.json" <<END
{
  "name": "tidegate-medusa", "version": "1.0.0", "private": true,
  "dependencies": {
    "@medusajs/medusa": "$VERSION", "@medusajs/framework": "$VERSION",
    "@medusajs/cli": "$VERSION", "@medusajs/admin-sdk": "$VERSION"
  }
}
END
  cat >"$PROJECT/medusa-config.js" <<'END'
const { defineConfig } = require("@medusajs/framework/utils")
module.exports = defineConfig({
  admin: { disable: true },
  projectConfig: {
    databaseUrl: process.env.DATABASE_URL,
    databaseDriverOptions: { ssl: false },
    http: {
      storeCors: "http://127.0.0.1", adminCors: "http://127.0.0.1", authCors: "http://127.0.0.1",
      jwtSecret: process.env.JWT_SECRET, cookieSecret: process.env.COOKIE_SECRET,
    },
  },
})
END
  (cd "$PROJECT" && npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps --omit=dev) \
    >"$PROJECT/npm.log" 2>&1 || { tail -20 "$PROJECT/npm.log" >&2; die "npm failed"; }
  touch "$PROJECT/.installed"
}

environment() {
  needs postgres
  export DATABASE_URL=${POSTGRES_URL%/*}/medusa JWT_SECRET=tidegate-test COOKIE_SECRET=tidegate-test
  export MEDUSA_DISABLE_TELEMETRY=true NODE_ENV=development
  cd "$PROJECT"
}

medusa() { "$(node_need 20)" node_modules/@medusajs/cli/cli.js "$@"; }

configure() {
  environment
  "$POSTGRES_BIN_DIR/psql" -qX "$POSTGRES_URL" -c 'drop database if exists medusa' -c 'create database medusa' 2>/dev/null
  if [ -d "$(template)" ]; then
    "$POSTGRES_BIN_DIR/pg_restore" -d "$DATABASE_URL" --no-owner "$(template)/dump"
    cp "$(template)/seed.json" "$STATE/seed.json"
    touch "$STATE/seeded"
  else
    say "making the database (about a minute, once)"
    { medusa db:migrate && medusa user -e "$EMAIL" -p "$PASSWORD"; } >"$STATE/migrate.log" 2>&1 ||
      { tail -20 "$STATE/migrate.log" >&2; die "migrations failed"; }
  fi
}

launch() {
  environment
  spawn medusa "$(node_need 20)" "$PROJECT/node_modules/@medusajs/cli/cli.js" start -H 127.0.0.1 -p "$(port)"
}

# Asked by node, which is there; curl may not be.
ready() {
  "$(node_need 20)" -e 'fetch(process.argv[1], { signal: AbortSignal.timeout(5000) })
    .then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))' "http://127.0.0.1:$(port)/health"
}

seed() {
  "$(node_need 20)" "$HERE/medusa_seed.mjs" "http://127.0.0.1:$(port)" "$EMAIL" "$PASSWORD" >"$STATE/seed.json.new"
  mv "$STATE/seed.json.new" "$STATE/seed.json"
  # The database and the key that fits it, together; whoever comes first.
  local made
  made=$(mktemp -d "$(template).XXXXXX")
  "$POSTGRES_BIN_DIR/pg_dump" -Fc -f "$made/dump" "$DATABASE_URL"
  cp "$STATE/seed.json" "$made/seed.json"
  mv -T "$made" "$(template)" 2>/dev/null || rm -rf "$made"
}

# seeded KEY [INDEX]: a value of what the seed printed, or one of its list.
seeded() {
  "$(node_need 20)" -e 'const [file, key, index] = process.argv.slice(1)
    const value = JSON.parse(require("fs").readFileSync(file))[key]
    console.log(Array.isArray(value) ? value[index ?? 0] : value)' "$STATE/seed.json" "$@"
}

settings() {
  cat <<END
MEDUSA_URL=http://127.0.0.1:$(port)
MEDUSA_PORT=$(port)
MEDUSA_EMAIL=$EMAIL
MEDUSA_PASSWORD=$PASSWORD
MEDUSA_API_KEY=$(seeded api_key)
MEDUSA_SALES_CHANNEL=$(seeded sales_channel)
MEDUSA_REGION=$(seeded region)
MEDUSA_LOCATION=$(seeded locations)
MEDUSA_SECOND_LOCATION=$(seeded locations 1)
MEDUSA_SHIPPING_OPTION=$(seeded shipping_options)
MEDUSA_PID=$(pid_of medusa)
END
}

service "$@"
