#!/usr/bin/env bash
# Tryton 8.0, a real ERP: parties, products, price lists, sales, stock, invoices, over JSON-RPC.
#
# What is in it: tryton_seed.py. In short: POST $TRYTON_RPC_URL, content type application/json, HTTP basic or session log-in, body
# {"id": 1, "method": "model.party.party.search_read", "params": [[["code", "=", "CUST-001"]], 0, null, null, ["name"], {}]}.
#   party by code     model.party.party.search_read
#   sale              model.sale.sale.create with `reference`, then quote, confirm (which processes it)
#   sale by reference model.sale.sale.search_read on `reference`: look before every create
#   price             model.product.product.get_sale_price in the context of a price list and customer
#   stock             model.product.product.read of `quantity`, location in the context
#   stock change      model.stock.inventory.create with its lines, then confirm
#   changes since     search_read on `write_date` and `create_date`
#
# SQLite by default: one writer at a time. TIDEGATE_TRYTON_DATABASE=postgres takes postgres.sh, for
# tests of concurrency. The filled database is kept as a template beside the programs, so that a new
# directory starts at once.
NAME=tryton
SERIES=8.0
MODULES="account_credit_limit account_invoice_stock carrier product_price_list_dates purchase sale
  sale_credit_limit sale_payment sale_price_list sale_promotion sale_shipment_cost stock_forecast web_shop"
# These come along as dependencies; named so that all are of one series.
REQUIRES="$MODULES account account_invoice account_payment account_payment_clearing account_product company country
  currency party product product_price_list stock stock_shipment_cost web_user"
. "$(dirname "$0")/lib.sh"

BACKEND=${TIDEGATE_TRYTON_DATABASE:-sqlite}
# One for each set of modules: two versions of the project may stand on one machine.
VENV=$TOOLS/tryton-$SERIES-$(echo $REQUIRES | sha256sum | cut -c1-8)
ADMIN_PASSWORD=tidegate-admin-1
CONNECTOR_PASSWORD=tidegate-connector-1

template() {
  local seed
  # The year is in it because the fiscal years are.
  seed=$(cat "$HERE/tryton_seed.py" <(echo $MODULES; date +%Y) | sha256sum | cut -c1-12)
  echo "$TOOLS/tryton-$SERIES-$seed.$([ "$BACKEND" = sqlite ] && echo sqlite || echo dump)"
}

made_of() { basename "$(template)"; }

install() {
  local module requirements=("trytond~=$SERIES.0" "proteus~=$SERIES.0" "psycopg[binary,pool]")
  for module in $REQUIRES; do requirements+=("trytond_$module~=$SERIES.0"); done
  pip_need "$VENV" "${requirements[@]}"
}

database_uri() {
  local url
  [ "$BACKEND" = postgres ] || { echo sqlite://; return; }
  url=${POSTGRES_URL%/*}/
  echo "postgresql${url#postgres}"
}

# Written at each start: the port may have changed.
write_config() {
  # The log-in limits are lifted far enough for tests that fail on purpose.
  cat >"$STATE/trytond.conf" <<END
[database]
uri = $(database_uri)
path = $STATE
[web]
listen = 127.0.0.1:$(port)
[session]
max_attempt = 1000
max_attempt_ip_network = 10000
END
}

configure() {
  if [ "$BACKEND" = postgres ]; then
    needs postgres
    "$POSTGRES_BIN_DIR/psql" -qX "$POSTGRES_URL" -c 'drop database if exists tryton' -c 'create database tryton' 2>/dev/null
  fi
  write_config
  if [ ! -s "$(template)" ]; then
    make_template
  elif [ "$BACKEND" = sqlite ]; then
    # With the journal of an older one beside it, it would be taken for damaged.
    rm -f "$STATE"/tryton.sqlite*
    cp "$(template)" "$STATE/tryton.sqlite"
  else
    "$POSTGRES_BIN_DIR/pg_restore" -d "${POSTGRES_URL%/*}/tryton" --no-owner "$(template)" >"$STATE/restore.log" 2>&1
  fi
}

make_template() {
  say "making the database (about a minute, once)"
  local log=$STATE/seed.log
  [ "$BACKEND" = postgres ] || { rm -f "$STATE"/tryton.sqlite*; touch "$STATE/tryton.sqlite"; }
  echo "$ADMIN_PASSWORD" >"$STATE/password"
  # shellcheck disable=SC2086
  TRYTONPASSFILE=$STATE/password "$VENV/bin/trytond-admin" -c "$STATE/trytond.conf" -d tryton \
    --email admin@tidegate.example -p -u $MODULES --activate-dependencies >"$log" 2>&1 &&
    TRYTOND_DATABASE_URI=$(database_uri) "$VENV/bin/python" "$HERE/tryton_seed.py" "$STATE/trytond.conf" tryton "$CONNECTOR_PASSWORD" >>"$log" 2>&1 ||
    { tail -20 "$log" >&2; die "seeding failed"; }
  if [ "$BACKEND" = sqlite ]; then
    cp "$STATE/tryton.sqlite" "$(template).new.$$"
  else
    "$POSTGRES_BIN_DIR/pg_dump" -Fc -f "$(template).new.$$" "${POSTGRES_URL%/*}/tryton"
  fi
  mv "$(template).new.$$" "$(template)"
}

# The database that this directory began with stays its database.
launch() {
  if grep -q '^uri = postgresql' "$STATE/trytond.conf"; then BACKEND=postgres; needs postgres; else BACKEND=sqlite; fi
  write_config
  spawn tryton "$VENV/bin/trytond" -c "$STATE/trytond.conf" -d tryton
}

# Asked in Python, which is there; curl may not be.
ready() {
  "$VENV/bin/python" - "http://127.0.0.1:$(port)/tryton/rpc/" "tidegate:$CONNECTOR_PASSWORD" <<'END'
import base64, json, sys, urllib.request
url, login = sys.argv[1:]
request = urllib.request.Request(url, b'{"id":1,"method":"model.res.user.get_preferences","params":[true,{}]}', {
    'content-type': 'application/json', 'authorization': 'Basic ' + base64.b64encode(login.encode()).decode()})
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
sys.exit('result' not in json.load(opener.open(request, timeout=5)))
END
}

settings() {
  cat <<END
TRYTON_URL=http://127.0.0.1:$(port)
TRYTON_RPC_URL=http://127.0.0.1:$(port)/tryton/rpc/
TRYTON_DATABASE=tryton
TRYTON_PORT=$(port)
TRYTON_USER=tidegate
TRYTON_PASSWORD=$CONNECTOR_PASSWORD
TRYTON_ADMIN_USER=admin
TRYTON_ADMIN_PASSWORD=$ADMIN_PASSWORD
TRYTON_COMPANY_ID=1
TRYTON_PID=$(pid_of tryton)
END
}

service "$@"
