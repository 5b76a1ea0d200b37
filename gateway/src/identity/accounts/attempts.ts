/**
 * How often somebody may try to sign in and fail: for each account and address, for each account, and for each address. An
 * attempt counts before it is made, so that many at once are no way around it, and not any more once it has succeeded. Names
 * that nobody has are counted like any other.
 */
import { isIPv6 } from 'node:net'
import { TurnwardError } from '../../core/error.ts'
import type { Clock } from '../../core/clock.ts'
import { keyedHash } from '../../core/hash.ts'
import type { StateStore } from '../../state/state-store.ts'
import { countAttempt } from '../counted-attempts.ts'

const windowMs = 15 * 60_000

/** Failed attempts in the window. Many people may share an address; from anywhere else than usual an account gets less. */
const limits = { pair: 5, name: 20, address: 60 } as const
type Counted = keyof typeof limits

export interface AttemptParts {
  readonly state: StateStore
  readonly clock: Clock
  /** Of the installation; for keyed hashes. */
  readonly secret: Uint8Array
}

export class Attempts {
  readonly #parts: AttemptParts

  constructor(parts: AttemptParts) {
    this.#parts = parts
  }

  /** Counts an attempt. Rejects with `auth.too_many_attempts`, however it would have ended. Resolves with how to take it back when it has succeeded. */
  async begin(name: string, address: string): Promise<() => Promise<void>> {
    const from = networkOf(address)
    const keys: readonly (readonly [Counted, string])[] = [
      ['pair', this.#key('pair', name.toLowerCase(), from)],
      ['name', this.#key('name', name.toLowerCase())],
      ['address', this.#key('address', from)],
    ]
    const { state, clock } = this.#parts
    const now = clock.now()
    for (const [counted, key] of keys) {
      const retryAfterSeconds = await countAttempt(state, key, { most: limits[counted], windowMs }, now)
      if (retryAfterSeconds !== undefined) throw new TurnwardError('auth.too_many_attempts', { retryAfterSeconds })
    }
    return async () => {
      for (const [counted, key] of keys)
        await state.change('attempts', key, (before = []) => {
          // Whoever has got in may have mistyped before; others at the same address have not got in.
          const value = counted === 'address' ? before.filter((at, index) => index !== before.lastIndexOf(now)) : []
          return { value: value.length === 0 ? undefined : value, expires: now + windowMs, result: undefined }
        })
    }
  }

  #key(...parts: readonly string[]): string {
    return keyedHash(this.#parts.secret, 'sign-in attempts v1', ...parts)
  }
}

/** An IPv6 customer has a /64 at the least. */
function networkOf(address: string): string {
  const bare = address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '')
  if (!isIPv6(bare)) return bare
  const [head = '', tail] = bare.split('%')[0]?.split('::') ?? []
  const first = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups =
    tail === undefined ? first : [...first, ...Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0'), ...last]
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':')
}
