-- Made from @hephaestus/sqlite (src/migrations.ts), not to be edited.
CREATE TABLE IF NOT EXISTS hephaestus_migrations (
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
) STRICT;

ALTER TABLE hephaestus_instances ADD COLUMN parent TEXT;

DROP INDEX hephaestus_instances_created;

CREATE INDEX hephaestus_instances_key ON hephaestus_instances (ns, key, created, id) WHERE key IS NOT NULL;

CREATE INDEX hephaestus_instances_parent ON hephaestus_instances (ns, parent, created, id) WHERE parent IS NOT NULL;

INSERT INTO hephaestus_migrations (number, name) VALUES (2, 'keys_and_parents');
