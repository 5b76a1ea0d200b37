/** The files of a decision log inside a data folder, and their tables. Nothing here writes records. */
import { join } from 'node:path'

export interface LogFiles {
  readonly database: string
  /** Held locked by the one writer. */
  readonly lock: string
  /** Copies of the checkpoints outside the database: keep or ship this file elsewhere. */
  readonly anchor: string
  /** Ed25519 private key, PKCS 8 PEM, 0600. */
  readonly privateKey: string
  /** Its public key, SPKI PEM. */
  readonly publicKey: string
}

export function logFiles(dataDir: string): LogFiles {
  return {
    database: join(dataDir, 'decisions.db'),
    lock: join(dataDir, 'decisions.lock'),
    anchor: join(dataDir, 'checkpoints.jsonl'),
    privateKey: join(dataDir, 'checkpoint.key'),
    publicKey: join(dataDir, 'checkpoint.pub'),
  }
}

/** Version of the tables below, kept in SQLite's `user_version`. */
export const logSchemaVersion = 2

const records = 'CREATE TABLE records (seq INTEGER PRIMARY KEY, hash TEXT NOT NULL, record TEXT NOT NULL) STRICT;'
const spans = `CREATE TABLE spans (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (kind, key, first)
  ) STRICT, WITHOUT ROWID;`

/** `record` is the exact text that was hashed. `spans`, up to the record `spans_until`, say where to look: see `record-spans.ts`. */
export const logSchema = `
  CREATE TABLE chain (
    name TEXT PRIMARY KEY,
    started INTEGER NOT NULL,
    probed INTEGER NOT NULL DEFAULT 0,
    spans_until INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  ${records}
  ${spans}
  CREATE TABLE checkpoints (
    seq INTEGER PRIMARY KEY,
    chain TEXT NOT NULL,
    hash TEXT NOT NULL,
    time INTEGER NOT NULL,
    count INTEGER NOT NULL,
    signature TEXT NOT NULL
  ) STRICT;
  PRAGMA user_version = ${logSchemaVersion};
`

/** From version 1, which had the parts of a record in columns and an index over them. Records and hashes stay as they are. */
export const logSchemaFromVersion1 = `
  ALTER TABLE records RENAME TO records_1;
  ${records}
  INSERT INTO records (seq, hash, record) SELECT seq, hash, record FROM records_1 ORDER BY seq;
  DROP TABLE records_1;
  ${spans}
  ALTER TABLE chain ADD COLUMN spans_until INTEGER NOT NULL DEFAULT 0;
  PRAGMA user_version = ${logSchemaVersion};
`
