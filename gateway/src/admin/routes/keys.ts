/**
 * Virtual keys: who may look sees them, administrators make them, give them new secrets and revoke them. What is done is on record before
 * it is done. A key that administers is not made here: its owner's rulings would be anybody's who may make keys.
 */
import { keyRotationSchema, keySchema, keysQuerySchema, keysSchema, madeKeySchema, newKeySchema } from '@turnward/contract/api/keys'
import type { z } from 'zod'
import { withinOf } from '../../config/key-within.ts'
import { TurnwardError } from '../../core/error.ts'
import { expiryOf, overlapOf } from '../../identity/key-expiry.ts'
import { createKeyService, type KeyInfo } from '../../identity/key-service.ts'
import type { Services } from '../../turns/services.ts'
import { actRecorder } from '../administration-record.ts'
import { apiRoute, type ApiRoute } from '../api-route.ts'

export function keyRoutes({
  store,
  secret,
  clock,
  snapshot,
  log,
}: Pick<Services, 'store' | 'secret' | 'clock' | 'snapshot' | 'log'>): readonly ApiRoute[] {
  const keys = createKeyService({ store: { keys: store.keys, people: store.people, secret }, clock })
  const tag = 'Keys'
  const looking = { needs: { role: 'viewer' }, tag } as const
  const changing = { needs: { role: 'admin' }, tag } as const
  const record = actRecorder({ log, clock, snapshot })
  const rules = ['role admin']
  const known = async (id: string): Promise<KeyInfo> => {
    // A key itself is no part of an address.
    if (!id.startsWith('key_')) throw new TurnwardError('request.invalid', { subject: 'key', why: 'give its id' })
    return keys.show(id)
  }
  return [
    apiRoute({
      path: '/api/keys',
      method: 'GET',
      ...looking,
      summary: 'Virtual keys, the newest first; not those of the configuration file',
      query: keysQuerySchema,
      answer: keysSchema,
      async run({ query: { principal, after, limit } }) {
        const newest = (await keys.list()).toReversed().filter((key) => principal === undefined || key.principal === principal)
        const from = after === undefined ? 0 : newest.findIndex(({ id }) => id === after) + 1
        const page = newest.slice(from, from + limit)
        return { keys: page.map(shownKey), next: from + limit < newest.length ? (page.at(-1)?.id ?? null) : null }
      },
    }),
    apiRoute({
      path: '/api/keys',
      method: 'POST',
      ...changing,
      summary: 'Makes a key for somebody; it is shown once',
      body: newKeySchema,
      answer: madeKeySchema,
      async run({ administrator, body: { grants, expires, ...asked } }) {
        const { principal } = asked
        const reason = `Makes a key for ${principal}.`
        const wanted = {
          ...asked,
          expires: expiryOf(expires, clock.now(), 'expires'),
          within: grants === undefined ? undefined : withinOf(grants),
          beforeStoring: () => record(administrator, { act: 'keys.create', subject: `keys of ${principal}`, rules, reason }),
        }
        const made = await keys.create(wanted, snapshot())
        return { ...shownKey(made), key: made.key }
      },
    }),
    apiRoute({
      path: '/api/keys/{id}/rotate',
      method: 'POST',
      ...changing,
      summary: 'Gives a key a new secret; it is shown once',
      body: keyRotationSchema,
      answer: madeKeySchema,
      async run({ administrator, parameters, body: { overlap, expires } }) {
        const { id, principal } = await known(parameters['id'] ?? '')
        const until = expires === undefined ? undefined : (expiryOf(expires, clock.now(), 'expires') ?? null)
        const act = { act: 'keys.rotate', subject: `keys of ${principal}`, rules, reason: `Gives key ${id} a new secret.` }
        const beforeStoring = (): Promise<void> => record(administrator, act)
        const secret = { overlapMs: overlapOf(overlap, 'overlap'), expires: until, beforeStoring }
        const made = await keys.rotate(id, secret)
        return { ...shownKey(made), key: made.key }
      },
    }),
    apiRoute({
      path: '/api/keys/{id}',
      method: 'DELETE',
      ...changing,
      summary: 'Revokes a key; it is refused within a second',
      answer: keySchema,
      async run({ administrator, parameters }) {
        const { id, principal } = await known(parameters['id'] ?? '')
        await record(administrator, { act: 'keys.revoke', subject: `keys of ${principal}`, rules, reason: `Revokes key ${id}.` })
        return shownKey(await keys.revoke(id))
      },
    }),
  ]
}

function shownKey(key: KeyInfo): z.input<typeof keySchema> {
  const { id, prefix, principal, consumer, actor, created, expires, revoked, status, scopes, within, previousUntil, lastUsed } = key
  return {
    id,
    prefix,
    principal,
    consumer,
    actor,
    created,
    expires,
    revoked,
    status,
    scopes: scopes === null ? null : [...scopes],
    models: namesOf(within?.models),
    gateways: namesOf(within?.gateways),
    tools: namesOf(within?.tools),
    previous_until: previousUntil,
    last_used: lastUsed,
  }
}

function namesOf(names: readonly string[] | null | undefined): string[] | null {
  return names === null || names === undefined ? null : [...names]
}
