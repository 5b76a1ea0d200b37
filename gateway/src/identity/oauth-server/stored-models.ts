/**
 * Where the authorization server keeps codes, interactions, sessions, grants, refresh tokens, device codes and clients: in the
 * shared state, so that any replica can serve any step. What is kept is sealed and found by a keyed hash of its id, because the
 * id is often the secret itself. What may be used once is used by compare-and-set.
 */
import { hkdfSync } from 'node:crypto'
import type { Adapter, AdapterPayload } from 'oidc-provider'
import type { Clock } from '../../core/clock.ts'
import { keyedHash } from '../../core/hash.ts'
import { isObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import { openBytes, sealBytes } from '../../core/sealed-bytes.ts'
import type { StateStore } from '../../state/state-store.ts'
import type { StoredModel } from '../../state/state-values.ts'

export interface StoredModelsOptions {
  readonly state: Pick<StateStore, 'get' | 'put' | 'change' | 'flush'>
  /** The secret of the installation. */
  readonly secret: Buffer
  readonly clock: Clock
  /** The account the browser of the request that is being answered is signed in as. Sessions of another are not found. */
  readonly accountNow: () => string | null | undefined
  /** Told when a grant is gone, so that what it gave goes with it. */
  readonly grantEnded: (grant: string) => Promise<void>
  /** Thrown when what may be used once is used again, and when a key is seen twice that must be new. */
  readonly refuse: (why: 'used' | 'replayed') => Error
}

/** What has no end of its own: a registered client. */
const longestMs = 366 * 24 * 3600 * 1000
/** Names of models that are found by another name as well, and the field of it. */
const alsoKnownBy: Readonly<Record<string, string>> = { Session: 'uid', DeviceCode: 'userCode' }
/** What must be on disk before its owner hears of it: it lives long, or it must not come back. */
const keptAtOnce: ReadonlySet<string> = new Set(['RefreshToken', 'Grant', 'Client'])

/** An adapter that can also change what is kept in one step. */
export interface ModelStore extends Adapter {
  /** `make` may be called more than once. Durable when it resolves. */
  change(id: string, expiresIn: number, make: (before: AdapterPayload | undefined) => AdapterPayload): Promise<void>
}

/** Makes the adapter of a model by its name, as `oidc-provider` wants it. */
export function storedModels(options: StoredModelsOptions): (model: string) => ModelStore {
  const key = Buffer.from(hkdfSync('sha256', options.secret, Buffer.alloc(0), 'turnward/oauth/models', 32))
  return (model) => new StoredModels(model, key, options)
}

class StoredModels implements ModelStore {
  readonly #model: string
  readonly #key: Buffer
  readonly #options: StoredModelsOptions

  constructor(model: string, key: Buffer, options: StoredModelsOptions) {
    this.#model = model
    this.#key = key
    this.#options = options
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    const { state, clock, refuse } = this.#options
    const place = this.#placeOf(this.#model, id)
    const expires = clock.now() + (expiresIn === undefined ? longestMs : expiresIn * 1000)
    const value: StoredModel = { sealed: this.#seal(place, payload), until: expires, ...grantOf(payload) }
    if (this.#model === 'ReplayDetection') {
      // Of two that show the same at once, at two replicas, one is first.
      const isNew = await state.change('oauth', place, (before) =>
        before === undefined ? { value, expires, result: true } : { value: before, expires, result: false },
      )
      if (!isNew) throw refuse('replayed')
      return
    }
    const other = this.#otherName(payload)
    if (other !== undefined) await state.put('oauth', other, { sealed: this.#seal(other, { id }), until: expires }, expires)
    // What was used stays used, whatever is written over it.
    await state.change('oauth', place, (before) => ({
      value: before?.used === undefined ? value : { ...value, used: before.used },
      expires,
      result: undefined,
    }))
    if (keptAtOnce.has(this.#model)) await state.flush()
  }

  async change(id: string, expiresIn: number, make: (before: AdapterPayload | undefined) => AdapterPayload): Promise<void> {
    const { state, clock } = this.#options
    const place = this.#placeOf(this.#model, id)
    const expires = clock.now() + expiresIn * 1000
    await state.change('oauth', place, (before) => {
      const payload = make(before === undefined ? undefined : this.#open(place, before.sealed))
      return { value: { sealed: this.#seal(place, payload), until: expires }, expires, result: undefined }
    })
    await state.flush()
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const place = this.#placeOf(this.#model, id)
    const found = await this.#options.state.get('oauth', place)
    if (found === undefined) return undefined
    const payload = this.#open(place, found.sealed)
    if (payload === undefined || (this.#model === 'Session' && this.#isOfAnother(payload))) return undefined
    return found.used === undefined ? payload : { ...payload, consumed: found.used }
  }

  findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.#findByOther(uid)
  }

  findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return this.#findByOther(userCode)
  }

  async consume(id: string): Promise<void> {
    const { state, clock, refuse } = this.#options
    const used = Math.floor(clock.now() / 1000)
    const outcome = await state.change<'oauth', { readonly wasUsed: boolean; readonly grant: string | undefined }>(
      'oauth',
      this.#placeOf(this.#model, id),
      (before) => {
        if (before === undefined) return { value: undefined, expires: 0, result: { wasUsed: true, grant: undefined } }
        const { grant, until: expires } = before
        if (before.used !== undefined) return { value: before, expires, result: { wasUsed: true, grant } }
        return { value: { ...before, used }, expires, result: { wasUsed: false, grant } }
      },
    )
    if (outcome.wasUsed) {
      // Somebody else has it too, and nobody can say who came first: neither keeps what it gave.
      if (outcome.grant !== undefined) await this.#remove('Grant', outcome.grant)
      throw refuse('used')
    }
    await state.flush()
  }

  async destroy(id: string): Promise<void> {
    await this.#remove(this.#model, id)
  }

  /** Nothing of a grant is good without it, and whoever revokes one removes it. */
  async revokeByGrantId(): Promise<void> {}

  async #findByOther(name: string): Promise<AdapterPayload | undefined> {
    const place = this.#placeOf(`${this.#model}.other`, name)
    const found = await this.#options.state.get('oauth', place)
    const id = found === undefined ? undefined : this.#open(place, found.sealed)?.['id']
    return typeof id === 'string' ? this.find(id) : undefined
  }

  async #remove(model: string, id: string): Promise<void> {
    const { state } = this.#options
    await state.change('oauth', this.#placeOf(model, id), () => ({ value: undefined, expires: 0, result: undefined }))
    if (model !== 'Grant') return
    await state.flush()
    await this.#options.grantEnded(id)
  }

  #isOfAnother(payload: AdapterPayload): boolean {
    const now = this.#options.accountNow()
    return now !== undefined && payload.accountId !== undefined && payload.accountId !== now
  }

  #otherName(payload: AdapterPayload): string | undefined {
    const field = alsoKnownBy[this.#model]
    const name = field === undefined ? undefined : payload[field]
    return typeof name === 'string' ? this.#placeOf(`${this.#model}.other`, name) : undefined
  }

  #placeOf(model: string, id: string): string {
    return `${model}:${keyedHash(this.#key, 'oauth model', model, id)}`
  }

  #seal(place: string, payload: object): string {
    return sealBytes(this.#key, Buffer.from(place), Buffer.from(JSON.stringify(payload)))
  }

  #open(place: string, sealed: string): AdapterPayload | undefined {
    const content = openBytes(this.#key, Buffer.from(place), sealed)
    const payload: unknown = content === undefined ? undefined : parseJson(content.toString())
    return isObject(payload) ? (payload as AdapterPayload) : undefined
  }
}

function grantOf({ grantId }: AdapterPayload): { readonly grant?: string } {
  return typeof grantId === 'string' ? { grant: grantId } : {}
}
