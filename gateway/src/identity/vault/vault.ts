/**
 * The vault: secrets of people, groups and the installation, each sealed with a data key of its own (AES-256-GCM), which is sealed
 * with the key of the installation. What is sealed is bound to its place: moved to another one, it cannot be opened.
 */
import { randomBytes } from 'node:crypto'
import { BoundedMap } from '../../core/bounded-map.ts'
import type { Clock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import { newId } from '../../core/ids.ts'
import { openBytes, sealBytes } from '../../core/sealed-bytes.ts'
import type { SealedSecret, SealedSecretTable, SecretFilter, SecretPlace } from '../../store/sealed-secrets.ts'
import type { SealingKeys } from './sealing-keys.ts'

export interface OpenedSecret {
  readonly id: string
  readonly content: string
  readonly version: number
  /** Unix milliseconds; null for none. It is for whoever reads it: the vault gives out what has expired. */
  readonly expires: number | null
}

/** What may be shown of a secret. */
export interface SecretInfo extends SecretPlace {
  readonly id: string
  readonly version: number
  readonly created: number
  readonly changed: number
  readonly expires: number | null
  readonly sealedWith: string
}

export interface Rewrapped {
  readonly rewrapped: number
  /** Sealed with the current key already. */
  readonly current: number
  /** Those that cannot be opened any more: by id, with the key they need. */
  readonly lost: readonly { readonly id: string; readonly sealedWith: string }[]
}

/** Every call rejects with `store.failed`, `vault.unreachable`, or `vault.sealed` for what cannot be opened. */
export interface Vault {
  get(place: SecretPlace): Promise<OpenedSecret | undefined>
  /** Whatever was there before is gone. */
  put(place: SecretPlace, content: string, expires?: number | null): Promise<SecretInfo>
  /** Puts `content` in the place of the version that was read; 0 where there was none. Undefined when somebody else has been faster. */
  replace(place: SecretPlace, version: number, content: string, expires?: number | null): Promise<SecretInfo | undefined>
  remove(place: SecretPlace): Promise<boolean>
  list(filter?: SecretFilter): Promise<SecretInfo[]>
  /** Changes when any secret of a kind does: cheaper than the list. */
  mark(kind: string): Promise<string>
  /** Seals every data key that is not sealed with the current key with it. The secrets themselves stay as they are. */
  rewrap(): Promise<Rewrapped>
}

export interface VaultOptions {
  readonly secrets: SealedSecretTable
  /** The keys as they are configured now. */
  readonly keys: () => SealingKeys
  readonly clock: Clock
}

/** Longest secret, in characters: a private key or a bundle of tokens fits. */
const longestSecret = 64 * 1024
/** Opened data keys are kept for a while: whoever has sealed them need not be asked at each use. */
const rememberMs = 5 * 60_000
const mostRemembered = 1000
/** Somebody else may be faster a few times. */
const attempts = 8

export function createVault({ secrets, keys, clock }: VaultOptions): Vault {
  const opened = new BoundedMap<string, { readonly dataKey: Buffer; readonly until: number }>({ most: mostRemembered })

  async function dataKeyOf(secret: SealedSecret): Promise<Buffer | undefined> {
    const name = `${secret.id} ${secret.dataKey}`
    const known = opened.get(name)
    if (known !== undefined && clock.monotonic() < known.until) return known.dataKey
    const dataKey = await keys().byId.get(secret.sealedWith)?.open(secret.dataKey, boundTo('data key', secret))
    if (dataKey !== undefined) opened.set(name, { dataKey, until: clock.monotonic() + rememberMs })
    return dataKey
  }

  async function open(secret: SealedSecret): Promise<OpenedSecret> {
    const dataKey = await dataKeyOf(secret)
    const content = dataKey === undefined ? undefined : openBytes(dataKey, Buffer.from(boundTo('secret', secret)), secret.content)
    if (content === undefined) throw sealedForGood(secret, keys())
    const { id, version, expires } = secret
    return { id, content: content.toString('utf8'), version, expires }
  }

  async function write(place: SecretPlace, before: SealedSecret | undefined, content: string, expires: number | null) {
    if (content.length > longestSecret)
      throw new TurnwardError('request.invalid', { subject: place.name, why: `a secret has at most ${longestSecret} characters` })
    const { current } = keys()
    const now = clock.now()
    const dataKey = randomBytes(32)
    const id = before?.id ?? newId('sec')
    const { kind, owner, name } = place
    const bound = { kind, owner, name, id }
    const secret: SealedSecret = {
      ...bound,
      version: (before?.version ?? 0) + 1,
      dataKey: await current.seal(dataKey, boundTo('data key', bound)),
      sealedWith: current.id,
      content: sealBytes(dataKey, Buffer.from(boundTo('secret', bound)), Buffer.from(content)),
      created: before?.created ?? now,
      changed: now,
      expires,
    }
    return (await secrets.write(secret, before?.version ?? 0)) ? infoOf(secret) : undefined
  }

  return {
    async get(place) {
      const secret = await secrets.find(place)
      return secret === undefined ? undefined : open(secret)
    },
    async put(place, content, expires = null) {
      for (let attempt = 0; attempt < attempts; attempt += 1) {
        const written = await write(place, await secrets.find(place), content, expires)
        if (written !== undefined) return written
      }
      throw new TurnwardError('store.failed', { subject: place.name, why: 'too many write this secret at once', retryAfterSeconds: 1 })
    },
    async replace(place, version, content, expires = null) {
      const before = await secrets.find(place)
      return (before?.version ?? 0) === version ? write(place, before, content, expires) : undefined
    },
    remove: (place) => secrets.remove(place),
    mark: (kind) => secrets.mark(kind),
    async list(filter = {}) {
      return (await secrets.list(filter)).map(infoOf)
    },
    async rewrap() {
      const { current, byId } = keys()
      let rewrapped = 0
      let already = 0
      const lost: { id: string; sealedWith: string }[] = []
      for (const secret of await secrets.list({})) {
        const { id, sealedWith } = secret
        if (sealedWith === current.id) {
          already += 1
          continue
        }
        const dataKey = await byId.get(sealedWith)?.open(secret.dataKey, boundTo('data key', secret))
        if (dataKey === undefined) lost.push({ id, sealedWith })
        else {
          const sealed = {
            ...secret,
            version: secret.version + 1,
            dataKey: await current.seal(dataKey, boundTo('data key', secret)),
            sealedWith: current.id,
          }
          // Written anew meanwhile means: sealed with the current key.
          if (await secrets.write(sealed, secret.version)) rewrapped += 1
          else already += 1
        }
      }
      return { rewrapped, current: already, lost }
    },
  }
}

type Bound = Pick<SealedSecret, 'kind' | 'owner' | 'name' | 'id'>

/** What sealed text belongs to: nothing opens it in another place. */
function boundTo(what: 'secret' | 'data key', { kind, owner, name, id }: Bound): string {
  return JSON.stringify([what, kind, owner, name, id])
}

function infoOf({ content: _content, dataKey: _dataKey, ...info }: SealedSecret): SecretInfo {
  return info
}

function sealedForGood({ id, sealedWith }: SealedSecret, { byId }: SealingKeys): TurnwardError {
  return new TurnwardError('vault.sealed', {
    subject: id,
    why: byId.has(sealedWith)
      ? 'it was changed, or moved from another place'
      : `it is sealed with \`${sealedWith}\`, which is not configured`,
  })
}
