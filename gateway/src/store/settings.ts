/**
 * The server's own secret, made once. It lives in a file of its own and not in the database, so that a copy
 * of the database is not enough to test guesses of keys against their hashes.
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { TurnwardError } from '../core/error.ts'
import { readOrMakeOnce } from './private-files.ts'

const secretBytes = 32

/** The 32 random bytes of `<dataDir>/secret.key` (0600). Throws `store.failed`. */
export function serverSecret(dataDir: string): Buffer {
  const path = join(dataDir, 'secret.key')
  let secret: Buffer
  try {
    secret = readOrMakeOnce(path, () => randomBytes(secretBytes))
  } catch (cause) {
    throw new TurnwardError('store.failed', { subject: path, why: cause instanceof Error ? cause.message : undefined, cause })
  }
  if (secret.length === secretBytes) return secret
  // Never replaced by a new one: every key that was issued would stop working without a word.
  throw new TurnwardError('store.failed', {
    subject: path,
    why: `it should hold ${secretBytes} bytes and holds ${secret.length}`,
    fix: 'Restore the file from a backup, or remove it and create new keys.',
  })
}
