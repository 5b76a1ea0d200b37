/**
 * Provider credentials that people, groups and the organisation have stored. Which there are is known from the last second;
 * each is opened when a call needs it and kept as long as it is the same.
 */
import { storedCredentialSchema, type StoredCredential } from '@turnward/contract/stored-credential'
import type { ProviderCredential } from '../../config/snapshot.ts'
import { BoundedMap } from '../../core/bounded-map.ts'
import type { Clock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import type { SecretInfo, Vault } from './vault.ts'

/** What secrets of this kind are called in the vault; their names are those of upstreams. */
export const providerKind = 'provider'

/** Who may store one: a person, a group, everybody. */
export type CredentialOwner = { readonly person: string } | { readonly group: string } | 'organisation'

/** How texts of groups begin. */
export const groupsText = 'group:'

/** No two owners have the same text, whatever an issuer calls a person: one of the name `group:staff` is no group. */
export function ownerText(owner: CredentialOwner): string {
  if (owner === 'organisation') return ''
  if ('group' in owner) return `${groupsText}${owner.group}`
  return owner.person === '' || /^(?:group|person):/.test(owner.person) ? `person:${owner.person}` : owner.person
}

export interface StoredCredentials {
  /** Undefined once what there is is known well enough; otherwise settles when it is. Rejects with `store.failed`. */
  settled(): Promise<void> | undefined
  /** Nobody has stored any, as far as is known. */
  readonly isEmpty: boolean
  /** The one of this owner for an upstream. Its promise rejects with what the vault says. */
  of(owner: CredentialOwner, upstream: string): Promise<ProviderCredential> | undefined
}

/** What is known is looked at again after this long. */
const freshMs = 1000
/** What is known is not used any more after this long, whatever stands in the way. */
const usedMs = 5000
const mostOpened = 10_000

interface Opened {
  readonly version: number
  readonly credential: ProviderCredential
}

export function createStoredCredentials(vault: Pick<Vault, 'get' | 'list' | 'mark'>, clock: Clock): StoredCredentials {
  const opened = new BoundedMap<string, Opened>({ most: mostOpened })
  let known: ReadonlyMap<string, SecretInfo> = new Map()
  let mark = ''
  let lookedAt = -Infinity
  let looking: Promise<void> | undefined

  async function look(): Promise<void> {
    const at = clock.monotonic()
    const now = await vault.mark(providerKind)
    if (now !== mark) {
      const all = await vault.list({ kind: providerKind })
      known = new Map(all.map((info) => [nameOf(info.owner, info.name), info]))
      mark = now
    }
    lookedAt = at
  }

  async function open(info: SecretInfo): Promise<ProviderCredential> {
    const before = opened.get(info.id)
    if (before?.version === info.version) return before.credential
    const secret = await vault.get(info)
    if (secret === undefined)
      throw new TurnwardError('upstream.credential', { subject: info.name, why: `the credential ${info.id} was just removed` })
    const credential = sourceOf(info.id, JSON.parse(secret.content))
    opened.set(info.id, { version: secret.version, credential })
    return credential
  }

  return {
    settled() {
      const age = clock.monotonic() - lookedAt
      if (age < freshMs) return undefined
      looking ??= look().finally(() => {
        looking = undefined
      })
      if (age >= usedMs) return looking
      // What is known is good for a while yet.
      looking.catch(() => {})
      return undefined
    },
    get isEmpty() {
      return known.size === 0
    },
    of(owner, upstream) {
      const info = known.get(nameOf(ownerText(owner), upstream))
      return info === undefined ? undefined : open(info)
    },
  }
}

/** For places where nobody can store any. */
export const nobodysCredentials: StoredCredentials = { settled: () => undefined, isEmpty: true, of: () => undefined }

function nameOf(owner: string, upstream: string): string {
  return JSON.stringify([owner, upstream])
}

function sourceOf(id: string, content: unknown): ProviderCredential {
  const parsed = storedCredentialSchema.safeParse(content)
  if (!parsed.success)
    throw new TurnwardError('upstream.credential', { subject: id, why: 'it was stored by another release and cannot be read' })
  return credentialSource(id, parsed.data)
}

/** A stored credential as one that is configured. */
export function credentialSource(id: string, { secret, aws, google }: StoredCredential): ProviderCredential {
  if (google !== undefined) return { id, kind: 'google-identity', identity: { from: 'service-account', key: google.service_account } }
  if (aws === undefined) return { id, kind: 'static', secret: secret ?? '' }
  const { access_key_id: accessKeyId, secret_access_key: secretAccessKey, session_token: sessionToken } = aws
  return { id, kind: 'parts', credential: { kind: 'aws', accessKeyId, secretAccessKey, sessionToken } }
}
