-- Records: what a source's changes of a subject were folded into. Never dropped by age: the log from which they were made may be gone.
-- Sealed under the key of their root, and emptied with it: the revisions go on.

CREATE TABLE records (
  shop      INTEGER NOT NULL,
  root      INTEGER NOT NULL,
  child     TEXT NOT NULL,
  source    INTEGER NOT NULL,
  revision  INTEGER NOT NULL,   -- how often it was written: whoever decides upon another one is passed over
  body      BLOB NOT NULL,      -- sealed
  PRIMARY KEY (shop, root, child, source)
) STRICT, WITHOUT ROWID;
