-- Series: steps that all nodes take alike, in one order, and the chunks of what each step brings. Of the installation as a whole, not
-- of a shop. In step with the other store's; the one process of this store has no other to tell, so that both stay empty.

CREATE TABLE series_steps (
  series  TEXT NOT NULL,
  number  INTEGER NOT NULL,
  body    TEXT NOT NULL,
  digest  TEXT NOT NULL,
  bytes   INTEGER NOT NULL,
  whole   INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  PRIMARY KEY (series, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE series_chunks (
  series  TEXT NOT NULL,
  body    TEXT NOT NULL,
  part    INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  codec   INTEGER NOT NULL,
  bytes   BLOB NOT NULL,
  PRIMARY KEY (series, body, part)
) STRICT;
