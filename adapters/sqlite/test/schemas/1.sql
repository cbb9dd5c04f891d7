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
CREATE TABLE hephaestus_migrations (
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
) STRICT;
CREATE TABLE hephaestus_pieces (
  ns TEXT NOT NULL,
  id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  field TEXT NOT NULL,
  part INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (ns, id, revision, field, part)
) STRICT, WITHOUT ROWID;
CREATE TABLE hephaestus_tags (
  ns TEXT NOT NULL,
  tag TEXT NOT NULL,
  created INTEGER NOT NULL,
  id TEXT NOT NULL,
  run INTEGER NOT NULL,
  PRIMARY KEY (ns, tag, created, id, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX hephaestus_instances_created ON hephaestus_instances (ns, created, id);
CREATE INDEX hephaestus_instances_due ON hephaestus_instances (ns, wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX hephaestus_instances_status ON hephaestus_instances (ns, status, created, id);
CREATE INDEX hephaestus_instances_workflow ON hephaestus_instances (ns, workflow, created, id);
INSERT INTO hephaestus_instances VALUES ('', 'kept_flow/orderid::1', 1, 4, 'kept_flow', 1, '54509fdb8524c3c1', 'completed', '1', '["kept"]', '{"team":"shipping"}', '[]', 1767225600000, 1767225600000, 1767225600000, NULL, NULL, NULL, NULL, '{"orderId":1}', NULL);
INSERT INTO hephaestus_instances VALUES ('', 'kept_flow/orderid::2', 1, 2, 'kept_flow', 1, '54509fdb8524c3c1', 'waiting', '2', '["kept"]', '{"team":"shipping"}', '["payment"]', 1767225600000, 1767225600000, NULL, NULL, NULL, NULL, NULL, '{"orderId":2}', NULL);
INSERT INTO hephaestus_instances VALUES ('', 'kept_flow/orderid::3', 1, 1, 'kept_flow', 1, '54509fdb8524c3c1', 'running', '3', '["kept"]', '{"team":"shipping"}', '["validate"]', 1767225600000, 1767225600000, NULL, NULL, '0mjuohs00ut2750113m26qcxl', 1767225630000, NULL, '{"orderId":3}', NULL);
INSERT INTO hephaestus_journal VALUES ('', 'kept_flow/orderid::1', 1, 1, 1, '0mjuohs00ut2750113m26qcxl.1', '{"at":1767225600000,"run":{"format":1,"run":1,"workflow":"kept_flow","version":1,"fingerprint":"54509fdb8524c3c1","key":"1","tags":["kept"],"metadata":{"team":"shipping"}},"status":"running","owner":{"id":"0mjuohs00ut2750113m26qcxl","until":1767225630000},"commands":[{"id":"0mjuohs002g3to5kiockywce5","type":"start","at":1767225600000,"run":1,"reply":{"run":1}}],"steps":{"validate":{"status":"active"}}}', '{"input":"{\"orderId\":1}"}');
INSERT INTO hephaestus_journal VALUES ('', 'kept_flow/orderid::1', 2, 1, 1, '0mjuohs00ut2750113m26qcxl.2', '{"at":1767225600000,"status":"waiting","owner":null,"steps":{"validate":{"startedAt":1767225600000,"result":2,"status":"completed","event":"done"},"payment":{"status":"waiting"}}}', '{"result:validate":"{\"total\":10}"}');
INSERT INTO hephaestus_journal VALUES ('', 'kept_flow/orderid::1', 3, 1, 1, '0mjuohs00ut2750113m26qcxl.3', '{"at":1767225600000,"status":"running","owner":{"id":"0mjuohs00ut2750113m26qcxl","until":1767225630000},"inbox":[{"id":"0mjuohs00dmivlmopywfj0r5q","event":"paid","payload":true}],"commands":[{"id":"0mjuohs00dmivlmopywfj0r5q","type":"event","at":1767225600000,"run":1,"reply":"delivered"}],"steps":{"payment":{"taken":"0mjuohs00dmivlmopywfj0r5q","result":3,"status":"completed","event":"paid"},"ship":{"status":"active"}}}', '{"event:0mjuohs00dmivlmopywfj0r5q":"{\"amount\":10}"}');
INSERT INTO hephaestus_journal VALUES ('', 'kept_flow/orderid::1', 4, 1, 1, '0mjuohs00ut2750113m26qcxl.4', '{"at":1767225600000,"status":"completed","owner":null,"steps":{"ship":{"startedAt":1767225600000,"result":4,"status":"completed","event":"done"}}}', '{"result:ship":"{\"shipped\":10}"}');
INSERT INTO hephaestus_journal VALUES ('', 'kept_flow/orderid::2', 1, 1, 1, '0mjuohs00ut2750113m26qcxl.5', '{"at":1767225600000,"run":{"format":1,"run":1,"workflow":"kept_flow","version":1,"fingerprint":"54509fdb8524c3c1","key":"2","tags":["kept"],"metadata":{"team":"shipping"}},"status":"running","owner":{"id":"0mjuohs00ut2750113m26qcxl","until":1767225630000},"commands":[{"id":"0mjuohs004nzszq6wc4ftc27j","type":"start","at":1767225600000,"run":1,"reply":{"run":1}}],"steps":{"validate":{"status":"active"}}}', '');
INSERT INTO hephaestus_journal VALUES ('', 'kept_flow/orderid::2', 2, 1, 1, '0mjuohs00ut2750113m26qcxl.6', '{"at":1767225600000,"status":"waiting","owner":null,"steps":{"validate":{"startedAt":1767225600000,"result":2,"status":"completed","event":"done"},"payment":{"status":"waiting"}}}', '{"result:validate":"{\"total\":20}"}');
INSERT INTO hephaestus_journal VALUES ('', 'kept_flow/orderid::3', 1, 1, 1, '0mjuohs00ut2750113m26qcxl.7', '{"at":1767225600000,"run":{"format":1,"run":1,"workflow":"kept_flow","version":1,"fingerprint":"54509fdb8524c3c1","key":"3","tags":["kept"],"metadata":{"team":"shipping"}},"status":"running","owner":{"id":"0mjuohs00ut2750113m26qcxl","until":1767225630000},"commands":[{"id":"0mjuohs00xy0sz6dy43q0uhfy","type":"start","at":1767225600000,"run":1,"reply":{"run":1}}],"steps":{"validate":{"status":"active"}}}', '{"input":"{\"orderId\":3}"}');
INSERT INTO hephaestus_migrations VALUES (1, 'journal_and_instances', '2026-11-23 12:52:54');
INSERT INTO hephaestus_pieces VALUES ('', 'kept_flow/orderid::2', 1, 'payloads', 0, '{"input":');
INSERT INTO hephaestus_pieces VALUES ('', 'kept_flow/orderid::2', 1, 'payloads', 1, '"{\"orderId\":2}"}');
INSERT INTO hephaestus_tags VALUES ('', 'kept', 1767225600000, 'kept_flow/orderid::1', 1);
INSERT INTO hephaestus_tags VALUES ('', 'kept', 1767225600000, 'kept_flow/orderid::2', 1);
INSERT INTO hephaestus_tags VALUES ('', 'kept', 1767225600000, 'kept_flow/orderid::3', 1);
