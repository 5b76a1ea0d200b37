/**
 * What a writer to PostgreSQL keeps on its own disk: copies of its checkpoints and the public key they are verified with, so that
 * whoever may change the database cannot change all there is to know of it.
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { dirname } from 'node:path'
import { TurnwardError } from '../../core/error.ts'
import { makePrivateFolder, readOrMakeOnce } from '../../store/private-files.ts'
import { AnchorFile, readAnchor } from '../anchor.ts'
import { checkpointLine, type Checkpoint } from '../checkpoint.ts'
import type { EvidenceFiles } from '../log-place.ts'
import { holdLock } from '../log-storage.ts'

export class Evidence {
  readonly path: string
  readonly #lock: DatabaseSync
  readonly #anchor: AnchorFile
  /** In the database and not yet in the file. */
  readonly #missing: Checkpoint[] = []

  /** Throws `audit.unwritable` when another process has the files, or when they are of another installation. */
  constructor(files: EvidenceFiles, key: KeyObject) {
    this.path = files.anchor
    makePrivateFolder(dirname(files.anchor))
    this.#lock = holdLock(files.lock)
    try {
      keepPublicKey(files.publicKey, createPublicKey(key))
      this.#anchor = new AnchorFile(files.anchor)
    } catch (error) {
      this.#lock.close()
      throw error
    }
  }

  /** Takes in a checkpoint that is in the database; `write` brings it to the file. */
  add(checkpoint: Checkpoint): void {
    this.#missing.push(checkpoint)
  }

  /** Takes in one that a thread before this one may have brought to the file already. */
  addUnlessKept(checkpoint: Checkpoint): void {
    const kept = readAnchor(this.path).at(-1)?.checkpoint
    if (kept === undefined || checkpointLine(kept) !== checkpointLine(checkpoint)) this.add(checkpoint)
  }

  /** Throws when the file cannot be written; what is missing is written the next time. */
  write(): void {
    for (let next = this.#missing[0]; next !== undefined; next = this.#missing[0]) {
      this.#anchor.append(next)
      this.#missing.shift()
    }
  }

  close(): void {
    this.#anchor.close()
    this.#lock.close()
  }
}

function keepPublicKey(path: string, key: KeyObject): void {
  const stored = readOrMakeOnce(path, () => Buffer.from(key.export({ type: 'spki', format: 'pem' })))
  if (createPublicKey(stored).equals(key)) return
  throw new TurnwardError('audit.unwritable', {
    subject: path,
    why: 'it is not the public key of this installation: this data directory belongs to another one',
    fix: 'Give this replica a data directory of its own, or move the file away and keep it with the log it belongs to.',
  })
}
