/** Where a decision log is kept: one folder of this machine, or a PostgreSQL that several replicas write to. */
import { join } from 'node:path'
import type { PostgresPlace } from '../store/postgres/connecting.ts'

/** A log in a data folder: one writer, one chain. */
export interface FolderPlace {
  readonly kind: 'sqlite'
  readonly dataDir: string
}

/** A log that is read from PostgreSQL. */
export interface DatabasePlace {
  readonly kind: 'postgres'
  readonly database: PostgresPlace
  /** Where this replica keeps the evidence outside the database: copies of its checkpoints, and the public key. */
  readonly dataDir: string
}

/** A log that one more writer begins a chain in. */
export interface WriterPlace extends DatabasePlace {
  /** The signing key of the installation, PKCS 8 PEM. */
  readonly privateKey: string
  readonly replica: string
  /** Number of the process at this replica; 0 when there is one. */
  readonly worker: number
}

/** Where a log is read. */
export type ReadingPlace = FolderPlace | DatabasePlace

/** Where a log is written. */
export type LogPlace = FolderPlace | WriterPlace

/** Files beside a log in PostgreSQL. */
export interface EvidenceFiles {
  /** Copies of the checkpoints that this worker signed. A folder's own log has another file, and stays as it is. */
  readonly anchor: string
  /** Held locked by the worker. */
  readonly lock: string
  readonly publicKey: string
}

/** Each worker has its own, because lines of several in one file could not be taken back. */
export function evidenceFiles(dataDir: string, worker: number): EvidenceFiles {
  return {
    anchor: join(dataDir, `checkpoints-${worker}.jsonl`),
    lock: join(dataDir, `decisions-${worker}.lock`),
    publicKey: join(dataDir, 'checkpoint.pub'),
  }
}
