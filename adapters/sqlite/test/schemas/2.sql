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
  results TEXT, parent TEXT,
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
CREATE INDEX hephaestus_instances_due ON hephaestus_instances (ns, wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX hephaestus_instances_key ON hephaestus_instances (ns, key, created, id) WHERE key IS NOT NULL;
CREATE INDEX hephaestus_instances_parent ON hephaestus_instances (ns, parent, created, id) WHERE parent IS NOT NULL;
CREATE INDEX hephaestus_instances_status ON hephaestus_instances (ns, status, created, id);
CREATE INDEX hephaestus_instances_workflow ON hephaestus_instances (ns, workflow, created, id);
INSERT INTO hephaestus_instances VALUES ('', 'kept_flow/orderid::1', 1, 4, 'kept_flow', 1, '54509fdb8524c3c1', 'completed', '1', '["kept"]', '{"team":"shipping"}', '[]', 1767225600000, 1767225600000, 1767225600000, NULL, NULL, NULL, NULL, '{"orderId":1}', NULL, NULL);
INSERT INTO hephaestus_instances VALUES ('', 'kept_flow/orderid::2', 1, 2, 'kept_flow', 1, '54509fdb8524c3c1', 'waiting', '2', '["kept"]', '{"team":"shipping"}', '["payment"]', 1767225600000, 1767225600000, NULL, NULL, NULL, NULL, NULL, '{"orderId":2}', NULL, NULL);
INSERT INTO hephaestus_instances VALUES ('', 'kept_flow/orderid::3', 1, 1, 'kept_flow', 1, '54509fdb8524c3c1', 'running', '3', '["kept"]', '{"team":"shipping"}', '["validate"]', 1767225600000, 1767225600000, NULL, NULL, '0mjuohs00zj88fg7x2yxytdrz', 1767225630000, NULL, '{"orderId":3}', NULL, NULL);
INSERT INTO hephaestus_journal VALUES ('', 'kept_flow/orderid::1', 1, 1, 1, '0mjuohs00zj88fg7x2yxytdrz.1', '{"at":1767225600000,"run":{"format":1,"run":1,"workflow":"kept_flow","version":1,"fingerprint":"54509fdb8524c3c1","key":"1","tags":["kept"],"metadata":{"team":"shipping"}},"status":"running","owner":{"id":"0mjuohs00zj88fg7x2yxytdrz","until":1767225630000},"commands":[{"id":"0mjuohs00w551y9dpqcizobu4","type":"start","at":1767225600000,"run":1,"reply":{"run":1}}],"steps":{"validate":{"status":"active"}}}', '{"input":"{\"orderId\":1}"}');
INSERT INTO hephaestus_journal VALUES ('', 'kept_flow/orderid::1', 2, 1, 1, '0mjuohs00zj88fg7x2yxytdrz.2', '{"at":1767225600000,"status":"waiting","owner":null,"steps":{"validate":{"startedAt":1767225600000,"result":2,"status":"completed","event":"done"},"payment":{"status":"waiting"}}}', '{"result:validate":"{\"total\":10}"}');
INSERT INTO hephaestus_journal VALUES ('', 'kept_flow/orderid::1', 3, 1, 1, '0mjuohs00zj88fg7x2yxytdrz.3', '{"at":1767225600000,"status":"running","owner":{"id":"0mjuohs00zj88fg7x2yxytdrz","until":1767225630000},"inbox":[{"id":"0mjuohs0013reau15xuo9gnjg","event":"paid","payload":true}],"commands":[{"id":"0mjuohs0013reau15xuo9gnjg","type":"event","at":1767225600000,"run":1,"reply":"delivered"}],"steps":{"payment":{"taken":"0mjuohs0013reau15xuo9gnjg","result":3,"status":"completed","event":"paid"},"ship":{"status":"active"}}}', '{"event:0mjuohs0013reau15xuo9gnjg":"{\"amount\":10}"}');
INSERT INTO hephaestus_journal VALUES ('', 'kept_flow/orderid::1', 4, 1, 1, '0mjuohs00zj88fg7x2yxytdrz.4', '{"at":1767225600000,"status":"completed","owner":null,"steps":{"ship":{"startedAt":1767225600000,"result":4,"status":"completed","event":"done"}}}', '{"result:ship":"{\"shipped\":10}"}');
INSERT INTO hephaestus_journal VALUES ('', 'kept_flow/orderid::2', 1, 1, 1, '0mjuohs00zj88fg7x2yxytdrz.5', '{"at":1767225600000,"run":{"format":1,"run":1,"workflow":"kept_flow","version":1,"fingerprint":"54509fdb8524c3c1","key":"2","tags":["kept"],"metadata":{"team":"shipping"}},"status":"running","owner":{"id":"0mjuohs00zj88fg7x2yxytdrz","until":1767225630000},"commands":[{"id":"0mjuohs004n0n4j94q1xo8u30","type":"start","at":1767225600000,"run":1,"reply":{"run":1}}],"steps":{"validate":{"status":"active"}}}', '');
INSERT INTO hephaestus_journal VALUES ('', 'kept_flow/orderid::2', 2, 1, 1, '0mjuohs00zj88fg7x2yxytdrz.6', '{"at":1767225600000,"status":"waiting","owner":null,"steps":{"validate":{"startedAt":1767225600000,"result":2,"status":"completed","event":"done"},"payment":{"status":"waiting"}}}', '{"result:validate":"{\"total\":20}"}');
INSERT INTO hephaestus_journal VALUES ('', 'kept_flow/orderid::3', 1, 1, 1, '0mjuohs00zj88fg7x2yxytdrz.7', '{"at":1767225600000,"run":{"format":1,"run":1,"workflow":"kept_flow","version":1,"fingerprint":"54509fdb8524c3c1","key":"3","tags":["kept"],"metadata":{"team":"shipping"}},"status":"running","owner":{"id":"0mjuohs00zj88fg7x2yxytdrz","until":1767225630000},"commands":[{"id":"0mjuohs00oc4flykwwodyp2om","type":"start","at":1767225600000,"run":1,"reply":{"run":1}}],"steps":{"validate":{"status":"active"}}}', '{"input":"{\"orderId\":3}"}');
INSERT INTO hephaestus_migrations VALUES (1, 'journal_and_instances', '2026-11-23 12:52:55');
INSERT INTO hephaestus_migrations VALUES (2, 'keys_and_parents', '2026-11-23 12:52:55');
INSERT INTO hephaestus_pieces VALUES ('', 'kept_flow/orderid::2', 1, 'payloads', 0, '{"input":');
INSERT INTO hephaestus_pieces VALUES ('', 'kept_flow/orderid::2', 1, 'payloads', 1, '"{\"orderId\":2}"}');
INSERT INTO hephaestus_tags VALUES ('', 'kept', 1767225600000, 'kept_flow/orderid::1', 1);
INSERT INTO hephaestus_tags VALUES ('', 'kept', 1767225600000, 'kept_flow/orderid::2', 1);
INSERT INTO hephaestus_tags VALUES ('', 'kept', 1767225600000, 'kept_flow/orderid::3', 1);
