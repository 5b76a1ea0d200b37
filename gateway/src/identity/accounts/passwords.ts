/**
 * Passwords as Argon2id (RFC 9106) with a pepper of the installation: a copy of the table alone lets nobody guess. Runs in the
 * thread pool, a few at a time; beyond a queue of bounded length nobody waits.
 */
import { argon2, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { TurnwardError } from '../../core/error.ts'

const argon2Of = promisify(argon2)
/** OWASP, Password Storage Cheat Sheet: 19 MiB and two passes. */
const costs = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 }
const saltBytes = 16
// What else runs in the thread pool of a process must go on.
const mostAtOnce = 2
const mostWaiting = 30
const encoded = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/

export class Passwords {
  readonly #pepper: Buffer
  #running = 0
  readonly #waiting: (() => void)[] = []

  /** `secret`: of the installation. */
  constructor(secret: Uint8Array) {
    this.#pepper = Buffer.from(hkdfSync('sha256', secret, 'turnward', 'password pepper v1', 32))
  }

  /** What is kept of a password. Rejects with `auth.busy`. */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(saltBytes)
    return `$argon2id$v=19$m=${costs.memory},t=${costs.passes},p=${costs.parallelism}$${bare(salt)}$${bare(await this.#derive(password, salt))}`
  }

  /** Whether it is the password; takes as long where there is none to compare with. Rejects with `auth.busy`. */
  async verify(password: string, kept: string | null | undefined): Promise<boolean> {
    const [, salt, tag] = encoded.exec(kept ?? '') ?? []
    const derived = await this.#derive(password, salt === undefined ? Buffer.alloc(saltBytes) : Buffer.from(salt, 'base64'))
    return tag !== undefined && timingSafeEqual(derived, Buffer.from(tag, 'base64'))
  }

  async #derive(password: string, nonce: Buffer): Promise<Buffer> {
    await this.#enter()
    try {
      // The same characters, however a keyboard composes them (RFC 8265, section 4.2.1).
      return await argon2Of('argon2id', { message: password.normalize('NFC'), nonce, secret: this.#pepper, ...costs })
    } finally {
      this.#running -= 1
      this.#waiting.shift()?.()
    }
  }

  async #enter(): Promise<void> {
    if (this.#running >= mostAtOnce) {
      if (this.#waiting.length >= mostWaiting) throw new TurnwardError('auth.busy', { retryAfterSeconds: 5 })
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    this.#running += 1
  }
}

function bare(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('=', '')
}

/** Shortest password, in characters. */
export const leastPasswordLength = 12
const mostPasswordLength = 256

/** Why a password is not taken; undefined for one that is. */
export function passwordProblem(password: string, name: string): string | undefined {
  // In code points, as NIST SP 800-63B counts.
  const { length } = Array.from(password)
  if (length < leastPasswordLength) return `The password needs at least ${leastPasswordLength} characters.`
  if (length > mostPasswordLength) return `The password has more than ${mostPasswordLength} characters.`
  if (new Set(password).size < 5) return 'The password repeats the same few characters.'
  return name !== '' && password.toLowerCase().includes(name.toLowerCase()) ? 'The password contains the name of the account.' : undefined
}
