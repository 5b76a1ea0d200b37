/**
 * The keys tokens are signed with: made by whoever comes first, sealed, and shared by all replicas through the store. After a
 * new one was made the earlier ones are good for as long as a token of theirs may live.
 */
import { generateKeyPair, hkdfSync, type JsonWebKey as NodeJsonWebKey } from 'node:crypto'
import { promisify } from 'node:util'
import type { Clock } from '../../core/clock.ts'
import { sha256 } from '../../core/hash.ts'
import { TurnwardError } from '../../core/error.ts'
import { isObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import { openBytes, sealBytes } from '../../core/sealed-bytes.ts'
import type { OAuthKeyTable } from '../../store/oauth-keys.ts'

export type SigningAlgorithm = 'ES256' | 'RS256'

/** A private key in the form of RFC 7517. */
export type PrivateJwk = NodeJsonWebKey & {
  readonly kty: string
  readonly kid: string
  readonly alg: SigningAlgorithm
  readonly use: 'sig'
}

/** The keys at one moment. */
export interface SigningKeySet {
  /** The one that signs first, then those whose tokens may still be about. */
  readonly keys: readonly [PrivateJwk, ...PrivateJwk[]]
  /** Changes when the keys do. */
  readonly revision: string
}

export interface SigningKeysOptions {
  readonly table: OAuthKeyTable
  /** The secret of the installation. */
  readonly secret: Buffer
  readonly clock: Clock
}

export interface SigningPolicy {
  readonly algorithm: SigningAlgorithm
  readonly rotate_days: number
}

const dayMs = 24 * 3600 * 1000
/** No token lives longer, and no clock is that wrong. */
const overlapMs = dayMs + 3600 * 1000
/** How long a replica goes by what it knows. */
const freshMs = 5000
/** How soon it may look again because it has met a key it does not know. */
const againMs = 1000
const mostAttempts = 5
const makePair = promisify(generateKeyPair)

export class SigningKeys {
  readonly #options: SigningKeysOptions
  readonly #sealing: Buffer
  #known: { readonly set: SigningKeySet; readonly at: number } | undefined
  #reading: Promise<SigningKeySet> | undefined

  constructor(options: SigningKeysOptions) {
    this.#options = options
    this.#sealing = Buffer.from(hkdfSync('sha256', options.secret, Buffer.alloc(0), 'turnward/oauth/signing keys', 32))
  }

  /** The keys; the first is made now when there is none, and a new one when the newest is too old. Rejects with `store.failed`. */
  async current(policy: SigningPolicy): Promise<SigningKeySet> {
    const known = this.#known
    const now = this.#options.clock.now()
    if (known !== undefined && now - known.at < freshMs && known.set.keys[0].alg === policy.algorithm) return known.set
    return this.#readOnce(policy)
  }

  /** The same, looked up again for a key that is not among them; not every time anybody shows one. */
  async again(policy: SigningPolicy): Promise<SigningKeySet> {
    const known = this.#known
    if (known !== undefined && this.#options.clock.now() - known.at < againMs) return known.set
    return this.#readOnce(policy)
  }

  /** Makes a new key that signs from now on. Rejects with `store.failed`. */
  async rotate(algorithm: SigningAlgorithm): Promise<void> {
    const [newest] = await this.#options.table.list()
    await this.#add((newest?.number ?? 0) + 1, algorithm)
    this.#known = undefined
  }

  #readOnce(policy: SigningPolicy): Promise<SigningKeySet> {
    this.#reading ??= this.#read(policy).finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #read({ algorithm, rotate_days: rotateDays }: SigningPolicy): Promise<SigningKeySet> {
    const { table, clock } = this.#options
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      const rows = await table.list()
      const now = clock.now()
      // A key is good until a day after its successor was made.
      const stillGood = rows.filter((_row, index) => index === 0 || now - Number(rows[index - 1]?.made) < overlapMs)
      const keys = stillGood.map((row) => this.#open(row.number, row.sealed))
      const [newest] = rows
      const [first, ...rest] = keys
      if (newest !== undefined && first !== undefined && first.alg === algorithm && now - Number(newest.made) < rotateDays * dayMs) {
        const oldest = stillGood.at(-1)?.number ?? newest.number
        if (rows.length > stillGood.length) await table.removeBefore(oldest)
        const set: SigningKeySet = { keys: [first, ...rest], revision: keys.map(({ kid }) => kid).join(' ') }
        this.#known = { set, at: now }
        return set
      }
      // Another replica may be about to do the same; whoever comes second takes the key of the first.
      await this.#add((newest?.number ?? 0) + 1, algorithm)
    }
    throw new TurnwardError('store.failed', { subject: 'oauth_keys', why: 'the keys change faster than they can be read' })
  }

  async #add(number: number, algorithm: SigningAlgorithm): Promise<void> {
    const { privateKey } =
      algorithm === 'ES256' ? await makePair('ec', { namedCurve: 'P-256' }) : await makePair('rsa', { modulusLength: 2048 })
    const { table, clock } = this.#options
    const sealed = sealBytes(this.#sealing, placeOf(number), Buffer.from(JSON.stringify(privateKey.export({ format: 'jwk' }))))
    await table.add({ number, sealed, made: clock.now() })
  }

  #open(number: number, sealed: string): PrivateJwk {
    const content = openBytes(this.#sealing, placeOf(number), sealed)
    const jwk: unknown = content === undefined ? undefined : parseJson(content.toString())
    if (!isObject(jwk) || typeof jwk.kty !== 'string')
      throw new TurnwardError('store.failed', {
        subject: `signing key ${number}`,
        why: 'it was sealed under another secret',
        fix: 'Restore the secret of the installation that belongs to this database.',
      })
    return {
      ...jwk,
      kty: jwk.kty,
      kid: `${number}-${sha256(JSON.stringify([jwk.x, jwk.n])).slice(0, 12)}`,
      alg: jwk.kty === 'EC' ? 'ES256' : 'RS256',
      use: 'sig',
    }
  }
}

function placeOf(number: number): Buffer {
  return Buffer.from(`oauth signing key ${number}`)
}
