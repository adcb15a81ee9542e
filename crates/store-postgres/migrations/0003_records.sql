-- Records: what a source's changes of a subject were folded into. Never dropped by age: the log from which they were made may be gone.
-- Sealed under the key of their root, and emptied with it: the revisions go on. In step with the embedded store's.

CREATE TABLE records (
  shop      integer NOT NULL,
  root      text COLLATE "C" NOT NULL,
  child     text COLLATE "C" NOT NULL,
  source    integer NOT NULL,
  revision  bigint NOT NULL,    -- how often it was written: whoever decides upon another one is passed over
  body      bytea NOT NULL,     -- sealed
  PRIMARY KEY (shop, root, child, source)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
