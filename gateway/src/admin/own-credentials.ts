/** Provider credentials that people look after themselves: theirs, and those of the groups they manage. A value goes in and never comes out. */
import type { CredentialRequest } from '@turnward/contract/stored-credential'
import { TurnwardError } from '../core/error.ts'
import { keyedHash } from '../core/hash.ts'
import { countAttempt } from '../identity/counted-attempts.ts'
import { managedGroups, ownerManagedBy } from '../identity/credential-managers.ts'
import { groupsText, ownerText } from '../identity/vault/stored-credentials.ts'
import { listStoredCredentials, removeStoredCredential, storeCredential, type StoredInfo } from '../models/storing-credentials.ts'
import type { UpstreamTest } from '../models/testing-upstream.ts'
import type { Services } from '../turns/services.ts'
import { actRecorder } from './administration-record.ts'
import type { Administrator } from './administrators.ts'

/** What may be shown of one. */
export interface OwnCredential {
  readonly id: string
  readonly upstream: string
  /** Undefined: the person's own. */
  readonly group?: string
  /** Unix milliseconds. */
  readonly created: number
  readonly changed: number
}

export interface OwnCredentials {
  list(person: Administrator): Promise<readonly OwnCredential[]>
  /**
   * Tries a credential and stores it in the place of the one before. Rejects with `auth.role`,
   * `credential.too_many_attempts`, or as `storeCredential` does.
   */
  store(
    person: Administrator,
    asked: CredentialRequest,
  ): Promise<OwnCredential & { readonly test: Pick<UpstreamTest, 'model' | 'detail'> | null }>
  /** Rejects with `credential.not_found`, also for those of others. */
  remove(person: Administrator, id: string): Promise<{ readonly id: string; readonly removed: true }>
}

/** Trying one asks a vendor: nobody guesses with it. */
const tries = { most: 20, windowMs: 15 * 60_000 }

type OwnCredentialServices = Pick<Services, 'vault' | 'upstreams' | 'clock' | 'state' | 'secret' | 'snapshot' | 'telemetry' | 'log'>

export function createOwnCredentials(services: OwnCredentialServices): OwnCredentials {
  const { vault, clock, state, secret, snapshot, telemetry } = services
  const record = actRecorder(services)

  async function all({ id, roles }: Administrator): Promise<readonly StoredInfo[]> {
    const own = await listStoredCredentials(vault, { person: id })
    const groups = managedGroups({ id }, snapshot()).map((group) => ownerText({ group }))
    const seesAll = roles.includes('admin')
    if (!seesAll && groups.length === 0) return own
    const ofGroups = (await listStoredCredentials(vault)).filter(
      ({ owner }) => groupOf(owner) !== undefined && (seesAll || groups.includes(owner)),
    )
    return [...own, ...ofGroups]
  }

  return {
    async list(person) {
      return (await all(person)).map(shown)
    },
    async store(person, { upstream, group, model, ...credential }) {
      const owner = ownerManagedBy(person, group, snapshot())
      const key = keyedHash(secret, 'credential attempts v1', person.id)
      const retryAfterSeconds = await countAttempt(state, key, tries, clock.now())
      if (retryAfterSeconds !== undefined) throw new TurnwardError('credential.too_many_attempts', { retryAfterSeconds })
      const subject = ownerText(owner)
      const act = {
        act: 'credentials.store',
        subject,
        rules: ['own credentials'],
        reason: `Stores a credential of ${subject} for ${upstream}.`,
      }
      const beforeStoring = (): Promise<void> => record(person, act)
      const { test, ...info } = await storeCredential(services, snapshot(), { owner, upstream, credential, model, beforeStoring })
      telemetry.logger.info({ person: person.id, owner: info.owner, upstream, id: info.id }, 'a provider credential was stored')
      return { ...shown(info), test: test === undefined ? null : { model: test.model, detail: test.detail } }
    },
    async remove(person, id) {
      const found = (await all(person)).find((one) => one.id === id)
      const group = found === undefined ? undefined : groupOf(found.owner)
      const owner = group === undefined ? { person: person.id } : { group }
      if (found !== undefined) {
        const { owner: subject, upstream } = found
        const reason = `Removes the credential of ${subject} for ${upstream}.`
        await record(person, { act: 'credentials.remove', subject, rules: ['own credentials'], reason })
      }
      if (found === undefined || !(await removeStoredCredential(vault, owner, found.upstream)))
        throw new TurnwardError('credential.not_found', { subject: id.slice(0, 64) })
      telemetry.logger.info({ person: person.id, owner: found.owner, upstream: found.upstream, id }, 'a provider credential was removed')
      return { id, removed: true }
    },
  }
}

function groupOf(owner: string): string | undefined {
  return owner.startsWith(groupsText) ? owner.slice(groupsText.length) : undefined
}

function shown({ id, owner, upstream, created, changed }: StoredInfo): OwnCredential {
  const group = groupOf(owner)
  return { id, upstream, ...(group === undefined ? {} : { group }), created, changed }
}
