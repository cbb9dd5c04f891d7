-- Made from @hephaestus/sqlite (src/migrations.ts), not to be edited.
CREATE TABLE IF NOT EXISTS hephaestus_migrations (
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
) STRICT;

CREATE TABLE hephaestus_journal (
  ns TEXT NOT NULL,
  id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  run INTEGER NOT NULL,
  run_start INTEGER NOT NULL,
  nonce TEXT NOT NULL,
  changes TEXT NOT NULL,
  payloads TEXT,
  PRIMARY KEY (ns, id, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE hephaestus_pieces (
  ns TEXT NOT NULL,
  id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  field TEXT NOT NULL,
  part INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (ns, id, revision, field, part)
) STRICT, WITHOUT ROWID;

CREATE TABLE hephaestus_instances (
  ns TEXT NOT NULL,
  id TEXT NOT NULL,
  run INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  workflow TEXT NOT NULL,
  version INTEGER NOT NULL,
  fingerprint TEXT NOT NULL,
  status TEXT NOT NULL,
  key TEXT,
  tags TEXT NOT NULL,
  metadata TEXT NOT NULL,
  current TEXT NOT NULL,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  ended INTEGER,
  error TEXT,
  owner TEXT,
  wake_at INTEGER,
  look_at INTEGER,
  input TEXT,
  results TEXT,
  PRIMARY KEY (ns, id, run)
) STRICT, WITHOUT ROWID;

CREATE INDEX hephaestus_instances_created ON hephaestus_instances (ns, created, id);

CREATE INDEX hephaestus_instances_workflow ON hephaestus_instances (ns, workflow, created, id);

CREATE INDEX hephaestus_instances_status ON hephaestus_instances (ns, status, created, id);

CREATE INDEX hephaestus_instances_due ON hephaestus_instances (ns, wake_at) WHERE wake_at IS NOT NULL;

CREATE TABLE hephaestus_tags (
  ns TEXT NOT NULL,
  tag TEXT NOT NULL,
  created INTEGER NOT NULL,
  id TEXT NOT NULL,
  run INTEGER NOT NULL,
  PRIMARY KEY (ns, tag, created, id, run)
) STRICT, WITHOUT ROWID;

INSERT INTO hephaestus_migrations (number, name) VALUES (1, 'journal_and_instances');
