/**
 * A checkpoint: the signed statement that the chain had this hash at this sequence number. Signed with Ed25519
 * by a key that stays in the data folder; whoever keeps the public key and the checkpoints elsewhere can prove a rewrite.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { TurnwardError } from '../core/error.ts'
import { isObject } from '../core/json.ts'
import { readOrMakeOnce } from '../store/private-files.ts'
import type { LogFiles } from './log-files.ts'

export interface Checkpoint {
  readonly chain: string
  /** Sequence number of the last record it covers. */
  readonly seq: number
  /** Hash of that record. */
  readonly hash: string
  /** Unix milliseconds. */
  readonly time: number
  /** Records since the checkpoint before; `seq - count` is that checkpoint's `seq`, so a missing one shows. */
  readonly count: number
  /** That its writer ended properly and the chain with it: no record follows. */
  readonly closed?: true
  /** Ed25519 over the fields above, base64url. */
  readonly signature: string
}

export function signCheckpoint(statement: Omit<Checkpoint, 'signature'>, key: KeyObject): Checkpoint {
  return { ...statement, signature: sign(null, statementBytes(statement), key).toString('base64url') }
}

export function isSignedBy(checkpoint: Checkpoint, key: KeyObject): boolean {
  return verify(null, statementBytes(checkpoint), key, Buffer.from(checkpoint.signature, 'base64url'))
}

/** The one line a checkpoint is in `checkpoints.jsonl`, without the line break. */
export function checkpointLine(checkpoint: Checkpoint): string {
  const { chain, seq, hash, time, count, closed, signature } = checkpoint
  return JSON.stringify({ chain, seq, hash, time, count, closed, signature })
}

/** A line of `checkpoints.jsonl`, or undefined when it is not a checkpoint. */
export function readCheckpointLine(line: string): Checkpoint | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  if (!isObject(value)) return undefined
  const { chain, seq, hash, time, count, closed, signature } = value
  if (typeof chain !== 'string' || typeof hash !== 'string' || typeof signature !== 'string') return undefined
  if (!isCount(seq) || !isCount(time) || !isCount(count)) return undefined
  if (closed !== undefined && closed !== true) return undefined
  return { chain, seq, hash, time, count, ...(closed === true && { closed }), signature }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** Fields are numbers, hex and an id without line breaks, so the joined text has one reading. */
function statementBytes(statement: Omit<Checkpoint, 'signature'>): Buffer {
  const { chain, seq, hash, time, count, closed } = statement
  return Buffer.from(`turnward checkpoint v1\n${chain}\n${seq}\n${hash}\n${time}\n${count}${closed === true ? '\nclosed' : ''}`)
}

/** The signing key of the data folder, made on first use. Throws `audit.unwritable` when the two key files do not belong together. */
export function signingKey(files: LogFiles): KeyObject {
  const privateKey = createPrivateKey(readOrMakeOnce(files.privateKey, makePrivateKey))
  const publicPem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' })
  const stored = readOrMakeOnce(files.publicKey, () => Buffer.from(publicPem))
  if (createPublicKey(stored).equals(createPublicKey(privateKey))) return privateKey
  throw new TurnwardError('audit.unwritable', {
    subject: files.publicKey,
    why: 'the public key is not the one of checkpoint.key, so earlier checkpoints could not be verified',
    fix: 'Restore checkpoint.key and checkpoint.pub from one backup.',
  })
}

/** The public key checkpoints are verified with. */
export function verificationKey(files: LogFiles): KeyObject {
  return createPublicKey(readFileSync(files.publicKey))
}

/** A new signing key, PKCS 8 PEM. */
export function makePrivateKey(): Buffer {
  return Buffer.from(generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }))
}
