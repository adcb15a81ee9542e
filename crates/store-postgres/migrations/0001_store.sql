-- The store's first schema, in step with the embedded store's. Shop first in every key; names as small numbers (table
-- `names`); times in nanoseconds since 1970; days since 1970; payloads and what is derived from them sealed under the
-- data key of their root. docs/store-postgres.md says how it is distributed.

-- --- of the installation as a whole: small, on every node of a distributed database --------------------------------

CREATE TABLE installation (
  one         integer PRIMARY KEY CHECK (one = 1),
  id          text NOT NULL,
  created_at  bigint NOT NULL,
  epoch       integer NOT NULL,
  key_check   bytea NOT NULL,     -- tells a wrong master key
  master      integer NOT NULL,   -- raised by each rotation of the master key
  revision    text,
  place       text
);

-- Shops (`shop:acme`), kinds of roots (`kind:order`), systems, flows, domains, topics, steps, revisions. A number is
-- never reused and never changes its name.
CREATE TABLE names (
  id    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name  text COLLATE "C" NOT NULL UNIQUE
);

CREATE TABLE pauses (
  scope    text COLLATE "C" PRIMARY KEY,
  who      text NOT NULL,
  why      text NOT NULL,
  at       bigint NOT NULL,
  ends_at  bigint
);

CREATE TABLE audit (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at      bigint NOT NULL,
  who     text NOT NULL,
  action  text NOT NULL,
  target  text NOT NULL,
  why     text NOT NULL,
  count   bigint NOT NULL
);

CREATE TABLE cursors (name text COLLATE "C" PRIMARY KEY, value text NOT NULL);

CREATE TABLE leases (
  name     text COLLATE "C" PRIMARY KEY,
  owner    text NOT NULL,
  ends_at  bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE certificates (
  id           text COLLATE "C" PRIMARY KEY,
  number       bigint GENERATED ALWAYS AS IDENTITY,
  certificate  text NOT NULL
);

CREATE SEQUENCE positions;
CREATE SEQUENCE delivery_ids;
CREATE SEQUENCE attempt_ids;
CREATE SEQUENCE data_key_ids;
CREATE SEQUENCE fences;

-- --- of a shop ------------------------------------------------------------------------------------------------------

-- Root subjects; never dropped by age. Whoever changes what belongs to a root holds the lock of its row.
CREATE TABLE roots (
  shop        integer NOT NULL,
  root        text COLLATE "C" NOT NULL,
  routed      bigint NOT NULL DEFAULT 0,   -- how often something of it was routed
  label       text COLLATE "C",
  customer    text COLLATE "C",
  created_at  bigint,
  updated_at  bigint,
  PRIMARY KEY (shop, root)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX roots_by_label ON roots (shop, label) WHERE label IS NOT NULL;
CREATE INDEX roots_by_customer ON roots (shop, customer) WHERE customer IS NOT NULL;

-- The same of subjects below a root.
CREATE TABLE abouts (
  shop        integer NOT NULL,
  root        text COLLATE "C" NOT NULL,
  child       text COLLATE "C" NOT NULL,
  label       text COLLATE "C" NOT NULL,
  customer    text COLLATE "C",
  created_at  bigint NOT NULL,
  updated_at  bigint NOT NULL,
  PRIMARY KEY (shop, root, child)
);
CREATE INDEX abouts_by_label ON abouts (shop, label);

-- One for each root, wrapped by the master key. The root with the empty path: what belongs to no root.
CREATE TABLE data_keys (
  shop     integer NOT NULL,
  root     text COLLATE "C" NOT NULL,
  id       bigint NOT NULL,
  master   integer NOT NULL,
  wrapped  bytea NOT NULL,
  PRIMARY KEY (shop, root)
);

-- Partitioned by the day on which the fact was received; one partition holds four weeks.
CREATE TABLE envelopes (
  shop         integer NOT NULL,
  day          integer NOT NULL,
  position     bigint NOT NULL,
  root         text COLLATE "C" NOT NULL,
  child        text COLLATE "C" NOT NULL,
  domain       integer NOT NULL,
  source       integer NOT NULL,
  topic        integer NOT NULL,
  kind         integer NOT NULL,
  via          integer NOT NULL,
  version      bytea,
  occurred_at  bigint NOT NULL,
  received_at  bigint NOT NULL,
  trace        bytea NOT NULL,
  raw_hash     bytea NOT NULL,
  raw_bytes    bigint NOT NULL,
  routed_at    bigint,
  PRIMARY KEY (shop, day, position)
) PARTITION BY RANGE (day);
CREATE INDEX envelopes_by_root ON envelopes (shop, root) WHERE root IS NOT NULL;

-- One partition a day; retention drops it whole.
CREATE TABLE payloads (
  shop      integer NOT NULL,
  day       integer NOT NULL,
  position  bigint NOT NULL,
  data_key  bigint NOT NULL,
  codec     integer NOT NULL,
  body      bytea NOT NULL,
  PRIMARY KEY (shop, day, position)
) PARTITION BY RANGE (day);

ALTER TABLE payloads ALTER COLUMN body SET STORAGE EXTERNAL;

-- Payloads with an open duty whose partition went.
CREATE TABLE payloads_kept (
  shop      integer NOT NULL,
  day       integer NOT NULL,
  position  bigint NOT NULL,
  data_key  bigint NOT NULL,
  codec     integer NOT NULL,
  body      bytea NOT NULL,
  PRIMARY KEY (shop, day, position)
);
ALTER TABLE payloads_kept ALTER COLUMN body SET STORAGE EXTERNAL;

-- Envelopes that wait for routing: their state is that they stand here, committed with them.
CREATE TABLE unrouted (
  shop      integer NOT NULL,
  position  bigint NOT NULL,
  day       integer NOT NULL,
  root      text COLLATE "C" NOT NULL,
  node      text COLLATE "C" NOT NULL,     -- who appended it and is first to route it
  since     timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (shop, position)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
        autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.5);

-- Webhook ids by day. The key is a hash over (shop, topic, id).
CREATE TABLE webhook_ids (
  shop  integer NOT NULL,
  day   integer NOT NULL,
  id    bytea NOT NULL,
  body  bytea NOT NULL,
  PRIMARY KEY (shop, day, id)
) PARTITION BY RANGE (day);

-- Running sums, so that nobody counts rows; a slot for each of several writers, so that none waits for another.
CREATE TABLE tallies (
  shop           integer NOT NULL,
  slot           integer NOT NULL,
  envelopes      bigint NOT NULL,
  payload_bytes  bigint NOT NULL,
  PRIMARY KEY (shop, slot)
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE TABLE topics (
  shop   integer NOT NULL,
  topic  integer NOT NULL,
  slot   integer NOT NULL,
  last   bigint NOT NULL,
  count  bigint NOT NULL,
  PRIMARY KEY (shop, topic, slot)
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE TABLE deliveries (
  shop         integer NOT NULL,
  id           bigint NOT NULL,
  root         text COLLATE "C" NOT NULL,
  child        text COLLATE "C" NOT NULL,
  position     bigint NOT NULL,
  day          integer NOT NULL,   -- of its envelope
  flow         integer NOT NULL,
  system       integer NOT NULL,
  kind         integer NOT NULL,
  phase        integer NOT NULL,   -- 0 waiting, 1 unknown, 2 dead, 3 ended
  due_at       bigint,
  wait         integer NOT NULL,   -- what it waits for, or how it ended, as a number
  detail       text,               -- the rest of that
  secret       bytea,              -- what of that comes from a payload, sealed
  version      bytea,
  priority     integer NOT NULL,
  spent        integer NOT NULL,
  failures     integer NOT NULL,
  calls        integer NOT NULL,
  created_at   bigint NOT NULL,
  changed_at   bigint NOT NULL,
  ended_at     bigint,
  attempt_day  integer,                      -- of its newest attempt
  touched      integer NOT NULL DEFAULT 0,   -- 1: by a person, 2: released by triage
  PRIMARY KEY (shop, id)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
CREATE INDEX deliveries_open ON deliveries (shop, root) WHERE phase < 3;
-- (The condition, always true, says that it serves only who knows the root: an empty table makes all indexes alike.)
CREATE INDEX deliveries_by_root ON deliveries (shop, root) WHERE root IS NOT NULL;

-- Lanes with a delivery that has not ended, and who holds them: one row, one holder. The row is gone when the lane is
-- idle.
CREATE TABLE lanes (
  shop        integer NOT NULL,
  root        text COLLATE "C" NOT NULL,
  system      integer NOT NULL,
  flow        integer NOT NULL,   -- 0: of several flows
  priority    integer NOT NULL,
  due_at      bigint,
  waiting     integer NOT NULL,
  unknown     integer NOT NULL,
  dead        integer NOT NULL,
  oldest      bigint,             -- when the change was made that has waited longest
  owner       text,
  fence       bigint,
  held_until  bigint,
  lease_ns    bigint,
  delivery    bigint,             -- that the holder works on
  PRIMARY KEY (shop, root, system)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
        autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.2);
CREATE INDEX lanes_due ON lanes (shop, system, flow, priority, due_at) WHERE due_at IS NOT NULL;

-- Partitioned by the day on which they began; one partition holds four weeks.
CREATE TABLE attempts (
  shop        integer NOT NULL,
  day         integer NOT NULL,
  id          bigint NOT NULL,
  root        text COLLATE "C" NOT NULL,
  delivery    bigint NOT NULL,
  step        integer NOT NULL,
  revision    integer NOT NULL,
  call_key    text NOT NULL,
  started_at  bigint NOT NULL,
  ended_at    bigint,
  by_look_up  boolean,
  fault       bytea,              -- sealed
  call        bytea,              -- the frozen call, sealed; gone with the answer
  PRIMARY KEY (shop, day, id)
) PARTITION BY RANGE (day);
CREATE INDEX attempts_by_delivery ON attempts (shop, delivery, id);

CREATE TABLE dead_letters (
  shop         integer NOT NULL,
  delivery     bigint NOT NULL,
  root         text COLLATE "C" NOT NULL,
  system       integer NOT NULL,
  fingerprint  text COLLATE "C" NOT NULL,
  open         boolean NOT NULL,   -- while the delivery is dead
  kind         integer NOT NULL,
  code         text NOT NULL,
  field        text,
  fault        bytea NOT NULL,     -- sealed
  awaits       bytea,              -- hash of the missing reference
  dead_at      bigint NOT NULL,
  closed_at    bigint,
  closed_who   text,
  closed_why   text,
  PRIMARY KEY (shop, delivery)
);
CREATE INDEX dead_letters_open ON dead_letters (shop, fingerprint, delivery) WHERE open;
CREATE INDEX dead_letters_awaiting ON dead_letters (shop, system, awaits) WHERE open AND awaits IS NOT NULL;

CREATE TABLE awaited (
  shop          integer NOT NULL,
  system        integer NOT NULL,
  hash          bytea NOT NULL,     -- of the reference
  reference     bytea NOT NULL,     -- sealed under the root with the empty path
  looks         integer NOT NULL,
  next_look_at  bigint NOT NULL,
  PRIMARY KEY (shop, system, hash)
);

-- What is known of a subject at a flow; never dropped by age, because it prevents doubles.
CREATE TABLE standings (
  shop             integer NOT NULL,
  root             text COLLATE "C" NOT NULL,
  child            text COLLATE "C" NOT NULL,
  flow             integer NOT NULL,
  target           integer,
  routed           bytea,
  routed_position  bigint,
  delivered        bytea,
  digest           bytea,
  attempted        boolean NOT NULL DEFAULT false,
  newest           bigint,         -- the newest delivery of its state
  PRIMARY KEY (shop, root, child, flow)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);

-- The link to the target's object; never dropped by age.
CREATE TABLE external_refs (
  shop        integer NOT NULL,
  root        text COLLATE "C" NOT NULL,
  child       text COLLATE "C" NOT NULL,
  system      integer NOT NULL,
  object_key  text NOT NULL,
  id          text NOT NULL,
  number      text,
  state       text,
  created_at  bigint NOT NULL,
  adopted     boolean NOT NULL,
  PRIMARY KEY (shop, root, child, system)
);

-- Lags of what was delivered, as a series.
CREATE TABLE lags (
  shop      integer NOT NULL,
  ended_at  bigint NOT NULL,
  flow      integer NOT NULL,
  lag_ms    bigint NOT NULL
);
CREATE INDEX lags_by_time ON lags (shop, ended_at);
