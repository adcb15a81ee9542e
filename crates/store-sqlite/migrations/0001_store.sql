-- The store's first schema. Shop first in every key; names as small numbers (table `names`); times in nanoseconds
-- since 1970; payloads and what is derived from them sealed under the data key of their root.

CREATE TABLE installation (
  one         INTEGER PRIMARY KEY CHECK (one = 1),
  id          TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  epoch       INTEGER NOT NULL,
  key_check   BLOB NOT NULL,      -- tells a wrong master key
  master      INTEGER NOT NULL,   -- raised by each rotation of the master key
  revision    TEXT,
  place       TEXT
) STRICT;

-- Shops, systems, flows, domains, topics, kinds, steps, revisions, fingerprints.
CREATE TABLE names (
  id    INTEGER PRIMARY KEY,
  name  TEXT NOT NULL UNIQUE
) STRICT;

-- Running sums, so that nobody counts rows.
CREATE TABLE counters (
  name   TEXT PRIMARY KEY,
  value  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counters VALUES ('payload_bytes', 0);

-- Root subjects; never dropped by age. A key that is a whole number is stored as one: new ones lie together.
CREATE TABLE roots (
  id            INTEGER PRIMARY KEY,
  shop          INTEGER NOT NULL,
  kind          INTEGER NOT NULL,
  number        INTEGER NOT NULL,           -- of the key; negative: hash of `key`
  key           TEXT NOT NULL DEFAULT '',
  data_key      INTEGER,                    -- in force; absent after a redaction
  label         TEXT,
  label_number  INTEGER,
  customer        TEXT,
  customer_number INTEGER,
  created_at    INTEGER,
  updated_at    INTEGER
) STRICT;
CREATE UNIQUE INDEX roots_by_key ON roots (shop, kind, number, key);
CREATE INDEX roots_by_label ON roots (label_number) WHERE label_number IS NOT NULL;
CREATE INDEX roots_by_customer ON roots (shop, customer_number) WHERE customer_number IS NOT NULL;

-- The same of subjects below a root.
CREATE TABLE abouts (
  shop        INTEGER NOT NULL,
  root        INTEGER NOT NULL,
  child       TEXT NOT NULL,
  label       TEXT NOT NULL,
  label_number INTEGER NOT NULL,
  customer    TEXT,
  created_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL,
  PRIMARY KEY (shop, root, child)
) STRICT, WITHOUT ROWID;
CREATE INDEX abouts_by_label ON abouts (label_number);

-- One for each root, wrapped by the master key. The root with the empty path: what belongs to no root.
CREATE TABLE data_keys (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  shop     INTEGER NOT NULL,
  root     INTEGER NOT NULL,
  master   INTEGER NOT NULL,
  wrapped  BLOB NOT NULL
) STRICT;
CREATE INDEX data_keys_by_root ON data_keys (shop, root);

CREATE TABLE envelopes (
  position     INTEGER PRIMARY KEY,
  shop         INTEGER NOT NULL,
  root         INTEGER NOT NULL,
  child        TEXT NOT NULL,
  domain       INTEGER NOT NULL,
  source       INTEGER NOT NULL,
  topic        INTEGER NOT NULL,
  kind         INTEGER NOT NULL,
  via          INTEGER NOT NULL,
  version      BLOB,
  occurred_at  INTEGER NOT NULL,
  received_at  INTEGER NOT NULL,
  trace        BLOB NOT NULL,
  raw_hash     BLOB NOT NULL,
  raw_bytes    INTEGER NOT NULL,
  routed_at    INTEGER
) STRICT;
CREATE INDEX envelopes_unrouted ON envelopes (position) WHERE routed_at IS NULL;
CREATE INDEX envelopes_by_root ON envelopes (shop, root);

CREATE TABLE payloads (
  position  INTEGER PRIMARY KEY,
  data_key  INTEGER NOT NULL,
  codec     INTEGER NOT NULL,
  body      BLOB NOT NULL
) STRICT;

-- Webhook ids by day, in eight tables that are emptied whole. The key is a hash over (shop, topic, id).
CREATE TABLE webhook_days (slot INTEGER PRIMARY KEY, day INTEGER NOT NULL) STRICT;
CREATE TABLE webhook_ids_0 (id BLOB PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE webhook_ids_1 (id BLOB PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE webhook_ids_2 (id BLOB PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE webhook_ids_3 (id BLOB PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE webhook_ids_4 (id BLOB PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE webhook_ids_5 (id BLOB PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE webhook_ids_6 (id BLOB PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE webhook_ids_7 (id BLOB PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE topics (
  shop   INTEGER NOT NULL,
  topic  INTEGER NOT NULL,
  last   INTEGER NOT NULL,
  count  INTEGER NOT NULL,
  PRIMARY KEY (shop, topic)
) STRICT, WITHOUT ROWID;

CREATE TABLE deliveries (
  id          INTEGER PRIMARY KEY,
  shop        INTEGER NOT NULL,
  root        INTEGER NOT NULL,
  child       TEXT NOT NULL,
  position    INTEGER NOT NULL,
  flow        INTEGER NOT NULL,
  system      INTEGER NOT NULL,
  kind        INTEGER NOT NULL,
  phase       INTEGER NOT NULL,   -- 0 waiting, 1 unknown, 2 dead, 3 ended
  due_at      INTEGER,
  wait        INTEGER NOT NULL,   -- what it waits for, or how it ended, as a number
  detail      TEXT,               -- the rest of that
  secret      BLOB,               -- what of that comes from a payload, sealed
  version     BLOB,
  priority    INTEGER NOT NULL,
  spent       INTEGER NOT NULL,
  failures    INTEGER NOT NULL,
  calls       INTEGER NOT NULL,
  created_at  INTEGER NOT NULL,
  changed_at  INTEGER NOT NULL,
  ended_at    INTEGER,
  touched     INTEGER NOT NULL DEFAULT 0   -- 1: by a person, 2: released by triage
) STRICT;
CREATE INDEX deliveries_by_root ON deliveries (shop, root, phase);

-- Lanes with a delivery that has not ended. The row is gone when the lane is idle.
CREATE TABLE lanes (
  shop      INTEGER NOT NULL,
  root      INTEGER NOT NULL,
  system    INTEGER NOT NULL,
  flow      INTEGER NOT NULL,   -- 0: of several flows
  priority  INTEGER NOT NULL,
  due_at    INTEGER,
  waiting   INTEGER NOT NULL,
  unknown   INTEGER NOT NULL,
  dead      INTEGER NOT NULL,
  oldest    INTEGER,            -- when the change was made that has waited longest
  PRIMARY KEY (shop, root, system)
) STRICT, WITHOUT ROWID;
CREATE INDEX lanes_due ON lanes (system, flow, priority, due_at) WHERE due_at IS NOT NULL;

CREATE TABLE attempts (
  id          INTEGER PRIMARY KEY,
  shop        INTEGER NOT NULL,
  root        INTEGER NOT NULL,
  delivery    INTEGER NOT NULL,
  step        INTEGER NOT NULL,
  revision    INTEGER NOT NULL,
  call_key    TEXT NOT NULL,
  started_at  INTEGER NOT NULL,
  ended_at    INTEGER,
  by_look_up  INTEGER,
  fault       BLOB               -- sealed
) STRICT;
CREATE INDEX attempts_by_delivery ON attempts (delivery);

-- Frozen calls of attempts without an answer.
CREATE TABLE frozen_calls (
  attempt  INTEGER PRIMARY KEY,
  call     BLOB NOT NULL         -- sealed
) STRICT;

CREATE TABLE dead_letters (
  delivery     INTEGER PRIMARY KEY,
  shop         INTEGER NOT NULL,
  root         INTEGER NOT NULL,
  fingerprint  INTEGER NOT NULL,
  open         INTEGER NOT NULL,   -- 1 while the delivery is dead
  kind         INTEGER NOT NULL,
  code         TEXT NOT NULL,
  field        TEXT,
  fault        BLOB NOT NULL,      -- sealed
  awaits       INTEGER,            -- the missing reference
  dead_at      INTEGER NOT NULL,
  closed_at    INTEGER,
  closed_who   TEXT,
  closed_why   TEXT
) STRICT;
CREATE INDEX dead_letters_open ON dead_letters (fingerprint, delivery) WHERE open = 1;
CREATE INDEX dead_letters_awaiting ON dead_letters (awaits) WHERE open = 1 AND awaits IS NOT NULL;

CREATE TABLE awaited (
  id            INTEGER PRIMARY KEY,
  shop          INTEGER NOT NULL,
  system        INTEGER NOT NULL,
  hash          BLOB NOT NULL,     -- of the reference
  reference     BLOB NOT NULL,     -- sealed under the root with the empty path
  looks         INTEGER NOT NULL,
  next_look_at  INTEGER NOT NULL,
  UNIQUE (shop, system, hash)
) STRICT;

-- What is known of a subject at a flow; never dropped by age, because it prevents doubles.
CREATE TABLE standings (
  shop             INTEGER NOT NULL,
  root             INTEGER NOT NULL,
  child            TEXT NOT NULL,
  flow             INTEGER NOT NULL,
  target           INTEGER,
  routed           BLOB,
  routed_position  INTEGER,
  delivered        BLOB,
  digest           BLOB,
  attempted        INTEGER NOT NULL DEFAULT 0,
  newest           INTEGER,        -- the newest delivery of its state
  PRIMARY KEY (shop, root, child, flow)
) STRICT, WITHOUT ROWID;

-- The link to the target's object; never dropped by age.
CREATE TABLE external_refs (
  shop        INTEGER NOT NULL,
  root        INTEGER NOT NULL,
  child       TEXT NOT NULL,
  system      INTEGER NOT NULL,
  object_key  TEXT NOT NULL,
  id          TEXT NOT NULL,
  number      TEXT,
  state       TEXT,
  created_at  INTEGER NOT NULL,
  adopted     INTEGER NOT NULL,
  PRIMARY KEY (shop, root, child, system)
) STRICT, WITHOUT ROWID;

-- Lags of what was delivered, as a series.
CREATE TABLE lags (
  id        INTEGER PRIMARY KEY,
  flow      INTEGER NOT NULL,
  ended_at  INTEGER NOT NULL,
  lag_ms    INTEGER NOT NULL
) STRICT;

CREATE TABLE pauses (
  scope   TEXT PRIMARY KEY,
  who     TEXT NOT NULL,
  why     TEXT NOT NULL,
  at      INTEGER NOT NULL,
  ends_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  id      INTEGER PRIMARY KEY,
  at      INTEGER NOT NULL,
  who     TEXT NOT NULL,
  action  TEXT NOT NULL,
  target  TEXT NOT NULL,
  why     TEXT NOT NULL,
  count   INTEGER NOT NULL
) STRICT;

CREATE TABLE cursors (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE leases (
  name     TEXT PRIMARY KEY,
  owner    TEXT NOT NULL,
  ends_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE certificates (
  id           TEXT PRIMARY KEY,
  certificate  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
