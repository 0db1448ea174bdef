/** The tables of the SQLite store, as steps that are applied in order. A step that has landed is never edited. */

/** Each entry is one migration; `meta.schema` counts those that are applied. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE versions (
    version TEXT PRIMARY KEY,
    pipeline TEXT NOT NULL,
    compiled TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE runs (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    pipeline TEXT NOT NULL,
    version TEXT NOT NULL,
    folder TEXT NOT NULL,
    params TEXT NOT NULL,
    trigger TEXT NOT NULL,
    interval_start INTEGER NOT NULL,
    interval_end INTEGER NOT NULL,
    backfill TEXT,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    owner TEXT,
    fence INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX runs_by_pipeline ON runs (pipeline, state);
  CREATE INDEX runs_by_backfill ON runs (backfill, state) WHERE backfill IS NOT NULL;
  CREATE INDEX runs_active ON runs (owner) WHERE state IN ('queued', 'running', 'paused');

  CREATE TABLE tasks (
    run INTEGER NOT NULL,
    node INTEGER NOT NULL,
    task INTEGER NOT NULL,
    key TEXT,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    tries INTEGER NOT NULL DEFAULT 0,
    releases INTEGER NOT NULL DEFAULT 0,
    continues INTEGER NOT NULL DEFAULT 0,
    holding INTEGER NOT NULL DEFAULT 0,
    started_at INTEGER,
    try_started_at INTEGER,
    ended_at INTEGER,
    wake_at INTEGER,
    carry TEXT,
    failure TEXT,
    outputs TEXT,
    cached TEXT,
    PRIMARY KEY (run, node)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tasks_holding ON tasks (run) WHERE holding = 1;

  CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    node INTEGER,
    attempt INTEGER,
    event TEXT NOT NULL,
    at INTEGER NOT NULL,
    detail TEXT
  ) STRICT;
  CREATE INDEX events_by_run ON events (run, seq);

  CREATE TABLE cache (
    key TEXT PRIMARY KEY,
    run TEXT NOT NULL,
    task TEXT NOT NULL,
    outputs TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE engines (
    id TEXT PRIMARY KEY,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    start_time TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    lease_until INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE requests (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE backfills (
    id TEXT PRIMARY KEY,
    pipeline TEXT NOT NULL,
    version TEXT NOT NULL,
    from_time INTEGER NOT NULL,
    to_time INTEGER NOT NULL,
    mode TEXT NOT NULL,
    max_active INTEGER NOT NULL,
    reverse INTEGER NOT NULL,
    params TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX backfills_by_pipeline ON backfills (pipeline, state);
  `,
  `
  CREATE UNIQUE INDEX runs_of_backfill ON runs (backfill, interval_start, interval_end) WHERE backfill IS NOT NULL;
  CREATE UNIQUE INDEX backfills_unfinished ON backfills (pipeline, from_time, to_time, mode, reverse, params)
    WHERE state = 'running';
  `,
  `
  ALTER TABLE runs ADD COLUMN runtime TEXT;
  `,
  `
  ALTER TABLE runs ADD COLUMN origin TEXT;
  ALTER TABLE runs ADD COLUMN due_at INTEGER;
  ALTER TABLE runs ADD COLUMN spent_usd REAL NOT NULL DEFAULT 0;
  ALTER TABLE runs ADD COLUMN spent_gpu_seconds REAL NOT NULL DEFAULT 0;
  ALTER TABLE runs ADD COLUMN paused_for TEXT;
  ALTER TABLE runs ADD COLUMN overdue INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE runs ADD COLUMN over_budget INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE runs ADD COLUMN provenance TEXT;
  CREATE UNIQUE INDEX runs_by_origin ON runs (origin) WHERE origin IS NOT NULL;

  ALTER TABLE tasks ADD COLUMN parent INTEGER;
  ALTER TABLE tasks ADD COLUMN wake_on TEXT;
  ALTER TABLE tasks ADD COLUMN expansion TEXT;
  ALTER TABLE tasks ADD COLUMN recovery TEXT;
  ALTER TABLE tasks ADD COLUMN preemptions INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE tasks ADD COLUMN pool TEXT;
  ALTER TABLE tasks ADD COLUMN slots INTEGER NOT NULL DEFAULT 1;
  CREATE INDEX tasks_in_pool ON tasks (pool) WHERE holding = 1 AND pool IS NOT NULL;

  DROP TABLE requests;
  CREATE TABLE requests (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    wish TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE datasets (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    uri TEXT NOT NULL,
    at INTEGER NOT NULL,
    run TEXT,
    task TEXT
  ) STRICT;
  CREATE INDEX datasets_by_uri ON datasets (uri, seq);

  CREATE TABLE pipelines (
    name TEXT PRIMARY KEY,
    version TEXT NOT NULL,
    file TEXT NOT NULL,
    folder TEXT NOT NULL,
    first_seen_at INTEGER NOT NULL,
    cursor INTEGER,
    dataset_cursor INTEGER NOT NULL
  ) STRICT;

  ALTER TABLE backfills ADD COLUMN folder TEXT NOT NULL DEFAULT '';
  ALTER TABLE backfills ADD COLUMN include_deploy INTEGER NOT NULL DEFAULT 0;
  DROP INDEX backfills_unfinished;
  CREATE UNIQUE INDEX backfills_unfinished
    ON backfills (pipeline, from_time, to_time, mode, reverse, params, include_deploy)
    WHERE state IN ('running', 'paused');
  `,
  `
  ALTER TABLE runs ADD COLUMN omit TEXT;
  `,
  `
  ALTER TABLE tasks ADD COLUMN claimed_at INTEGER;

  ALTER TABLE requests RENAME TO requests_before;
  CREATE TABLE requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL,
    wish TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;
  INSERT INTO requests SELECT * FROM requests_before;
  DROP TABLE requests_before;

  CREATE TABLE pruned (run TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  CREATE INDEX tasks_cached ON tasks (cached) WHERE cached IS NOT NULL;
  CREATE INDEX cache_by_run ON cache (run);
  CREATE INDEX datasets_by_run ON datasets (run) WHERE run IS NOT NULL;

  CREATE TABLE audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    chain TEXT NOT NULL,
    number INTEGER NOT NULL,
    content TEXT NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX audit_chains ON audit (chain, number);
  CREATE TABLE audit_heads (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    content TEXT NOT NULL,
    signature TEXT NOT NULL
  ) STRICT;
  `,
  `
  CREATE TABLE manifests_due (run INTEGER PRIMARY KEY) STRICT;
  `,
]
