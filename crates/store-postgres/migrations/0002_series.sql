-- Series: steps that all nodes take alike, in one order, and the chunks of what each step brings. Of the installation as a whole, not
-- of a shop. In step with the embedded store's.

CREATE TABLE series_steps (
  series  text COLLATE "C" NOT NULL,
  number  bigint NOT NULL,
  body    text COLLATE "C" NOT NULL,
  digest  text NOT NULL,
  bytes   bigint NOT NULL,
  whole   boolean NOT NULL,
  at      bigint NOT NULL,
  PRIMARY KEY (series, number)
);

-- Put before the step that names them: those of a step that never came are dropped by age.
CREATE TABLE series_chunks (
  series  text COLLATE "C" NOT NULL,
  body    text COLLATE "C" NOT NULL,
  part    integer NOT NULL,
  at      bigint NOT NULL,
  codec   integer NOT NULL,
  bytes   bytea NOT NULL,
  PRIMARY KEY (series, body, part)
);
ALTER TABLE series_chunks ALTER COLUMN bytes SET STORAGE EXTERNAL;
