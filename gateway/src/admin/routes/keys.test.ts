import { describe, expect, test } from 'vitest'
import { newKeySchema } from '@turnward/contract/api/keys'
import type { DecisionRecord } from '@turnward/contract/decision'
import type { z } from 'zod'
import { principal, snapshotWith, testClock } from '../../identity/identity-parts.fixture.ts'
import { storeBackends } from '../../store/backends.fixture.ts'
import type { Services } from '../../turns/services.ts'
import type { ApiRoute } from '../api-route.ts'
import { keyRoutes } from './keys.ts'

const snapshot = () => snapshotWith({ principals: new Map(['alice', 'bob'].map((id) => [id, principal(id)])) })
const asked = (of: Partial<z.output<typeof newKeySchema>> = {}) => ({ principal: 'alice', expires: '30d', ...of })

describe.each(storeBackends)('keys over the API ($name)', ({ isMissing, make }) => {
  /** The lines of the API over a store, with what they put on record; `log` may refuse to. */
  async function opened(log: (record: DecisionRecord) => void = () => undefined) {
    const stores = await make()
    const store = await stores.open()
    const records: DecisionRecord[] = []
    const services = {
      store,
      secret: store.secret,
      clock: testClock(),
      snapshot,
      log: {
        async appendDurably(record: DecisionRecord) {
          log(record)
          records.push(record)
        },
      },
    }
    const routes = keyRoutes(services as unknown as Services)
    const ask = async (method: ApiRoute['method'], path: string, more: object = {}): Promise<unknown> => {
      const route = routes.find((one) => one.method === method && one.path === path)
      const given = { administrator: { id: 'root' }, query: { limit: 2 }, parameters: {}, body: undefined, ...more }
      return route?.run(given as unknown as Parameters<ApiRoute['run']>[0])
    }
    return {
      records,
      ask,
      listed: async (query: object = {}) =>
        (await ask('GET', '/api/keys', { query: { limit: 2, ...query } })) as {
          keys: { id: string; principal: string }[]
          next: string | null
        },
      async [Symbol.asyncDispose]() {
        await store.close()
        await stores[Symbol.asyncDispose]()
      },
    }
  }

  test.skipIf(isMissing)('are listed page by page, the newest first, and by whose they are; none shows its secret', async () => {
    await using api = await opened()
    const secrets: string[] = []
    for (const name of ['alice', 'bob', 'alice']) {
      const made = (await api.ask('POST', '/api/keys', { body: asked({ principal: name, grants: { servers: ['jira'] } }) })) as {
        key: string
      }
      secrets.push(made.key)
    }
    const first = await api.listed()
    const rest = await api.listed({ after: first.next })
    expect([first.keys.length, rest.keys.length, rest.next]).toEqual([2, 1, null])
    expect(new Set([...first.keys, ...rest.keys].map(({ id }) => id)).size).toBe(3)
    expect((await api.listed({ principal: 'bob' })).keys).toMatchObject([
      { principal: 'bob', tools: ['jira__*', 'resource:jira/*', 'prompt:jira/*'], models: null },
    ])
    for (const secret of secrets) expect(JSON.stringify([first, rest])).not.toContain(secret)
  })

  test.skipIf(isMissing)('what is refused is not on record as done', async () => {
    await using api = await opened()
    await expect(api.ask('POST', '/api/keys', { body: asked({ principal: 'nobody' }) })).rejects.toThrow('nobody')
    const { id } = (await api.ask('POST', '/api/keys', { body: asked() })) as { id: string }
    await api.ask('DELETE', '/api/keys/{id}', { parameters: { id } })
    await expect(api.ask('POST', '/api/keys/{id}/rotate', { parameters: { id }, body: { overlap: '0' } })).rejects.toThrow('it is revoked')
    expect(api.records.map(({ administration }) => administration?.act)).toEqual(['keys.create', 'keys.revoke'])
  })

  test.skipIf(isMissing)('are made, renewed and revoked only once that is on record', async () => {
    let isFull = false
    await using api = await opened(() => {
      if (isFull) throw new Error('the disk is full')
    })
    const { id } = (await api.ask('POST', '/api/keys', { body: asked() })) as { id: string }
    isFull = true
    await expect(api.ask('POST', '/api/keys', { body: asked({ principal: 'bob' }) })).rejects.toThrow('the disk is full')
    await expect(api.ask('POST', '/api/keys/{id}/rotate', { parameters: { id }, body: { overlap: '0' } })).rejects.toThrow(
      'the disk is full',
    )
    await expect(api.ask('DELETE', '/api/keys/{id}', { parameters: { id } })).rejects.toThrow('the disk is full')
    expect((await api.listed()).keys).toMatchObject([{ id, status: 'active', previous_until: null }])
    isFull = false
    await api.ask('DELETE', '/api/keys/{id}', { parameters: { id } })
    expect(api.records.map(({ kind, principal: by, reason }) => [kind, by, reason])).toEqual([
      ['configuration', 'root', 'Makes a key for alice.'],
      ['configuration', 'root', `Revokes key ${id}.`],
    ])
  })

  test.skipIf(isMissing)('are named by their id: a key itself is no part of an address', async () => {
    await using api = await opened()
    const { key } = (await api.ask('POST', '/api/keys', { body: asked() })) as { key: string }
    await expect(api.ask('DELETE', '/api/keys/{id}', { parameters: { id: key } })).rejects.toMatchObject({ code: 'request.invalid' })
    expect((await api.listed()).keys).toMatchObject([{ status: 'active' }])
  })
})

test('a key that administers is not made over the API', () => {
  expect(newKeySchema.safeParse({ principal: 'alice', scopes: ['models', 'mcp'] }).success).toBe(true)
  expect(newKeySchema.safeParse({ principal: 'alice', scopes: ['admin'] }).success).toBe(false)
})
