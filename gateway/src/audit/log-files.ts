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
export const logSchemaVersion = 1

/**
 * `record` is the exact text that was hashed. The other columns repeat parts of it, so that they can be indexed;
 * verification checks that they agree.
 */
export const logSchema = `
  CREATE TABLE chain (name TEXT PRIMARY KEY, started INTEGER NOT NULL, probed INTEGER NOT NULL DEFAULT 0) STRICT;
  CREATE TABLE records (
    seq INTEGER PRIMARY KEY,
    chain TEXT NOT NULL,
    time INTEGER NOT NULL,
    hash TEXT NOT NULL,
    id TEXT NOT NULL,
    session TEXT,
    turn TEXT,
    record TEXT NOT NULL
  ) STRICT;
  CREATE INDEX records_session ON records (session) WHERE session IS NOT NULL;
  CREATE INDEX records_turn ON records (turn) WHERE turn IS NOT NULL;
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
