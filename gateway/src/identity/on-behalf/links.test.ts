import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { McpServer } from '../../config/snapshot.ts'
import { systemClock } from '../../core/clock.ts'
import { silentLogger } from '../../core/logger.ts'
import { stateBackends, type SharedState } from '../../state/backends.fixture.ts'
import type { LinkTokens } from './link.ts'
import { LinkFlows } from './link-flows.ts'
import { Links, type RenewTokens } from './links.ts'
import { memoryVault, type MemoryVault } from './memory-vault.fixture.ts'
import { TokenRefused } from './token-request.ts'

const server = (url = 'https://jira.example/mcp'): McpServer =>
  ({ name: 'jira', digest: 'd', config: { transport: 'http', url, auth: { kind: 'user' } } }) as unknown as McpServer
const jira = server()
const tokens = (name: string, livesMs = 3_600_000): LinkTokens => ({
  access: `access-${name}`,
  refresh: `refresh-${name}`,
  expires: Date.now() + livesMs,
  scope: 'read',
  renewal: { issuer: 'https://as.example' },
})

describe.each(stateBackends)('accounts that are connected ($name)', ({ isMissing, make }) => {
  describe.skipIf(isMissing)('and their tokens', () => {
    let shared: SharedState
    let vault: MemoryVault
    let renewals: string[]
    let renew: RenewTokens
    let one: Links
    let other: Links

    beforeAll(async () => {
      shared = await make()
    })
    afterAll(() => shared[Symbol.asyncDispose]())
    beforeEach(async () => {
      vault = memoryVault()
      renewals = []
      renew = async (_server, { refresh }) => {
        renewals.push(refresh ?? '')
        await pause(20)
        return tokens(`new-${renewals.length}`)
      }
      // Two processes, which share what is kept and nothing else.
      const [first, second] = await Promise.all(
        [1, 2].map(
          async () =>
            new Links({
              vault,
              state: await shared.open(),
              clock: systemClock,
              logger: silentLogger,
              renew: (...asked) => renew(...asked),
              pause,
            }),
        ),
      )
      if (first === undefined || second === undefined) throw new Error('two were asked for')
      one = first
      other = second
    })

    test('are used as long as they are good, and are each person’s own', async () => {
      await one.keep('alice', jira, tokens('a'))
      await one.keep('bob', jira, tokens('b'))
      expect((await other.usable('alice', jira))?.tokens.access).toBe('access-a')
      expect((await other.usable('bob', jira))?.tokens.access).toBe('access-b')
      expect(await other.usable('carol', jira)).toBeUndefined()
      expect(renewals).toEqual([])
    })

    test('are renewed once however many calls wait, in however many processes', async () => {
      await one.keep('alice', jira, tokens('a', 1000))
      const used = await Promise.all(Array.from({ length: 50 }, (_, at) => (at % 2 === 0 ? one : other).usable('alice', jira)))
      expect(new Set(used.map((link) => link?.tokens.access))).toEqual(new Set(['access-new-1']))
      expect(renewals).toEqual(['refresh-a'])
    })

    test('are renewed when a server does not take them, once for all that were refused the same one', async () => {
      await one.keep('alice', jira, tokens('a'))
      const used = await Promise.all([one, other, one].map((links) => links.usable('alice', jira, 'access-a')))
      expect(used.map((link) => link?.tokens.access)).toEqual(['access-new-1', 'access-new-1', 'access-new-1'])
      expect(renewals).toEqual(['refresh-a'])
    })

    test('that the authorization server takes back are gone for that person alone', async () => {
      await one.keep('alice', jira, tokens('a', 1000))
      await one.keep('bob', jira, tokens('b', 1000))
      const plain = renew
      renew = (server_, own, signal) =>
        own.refresh === 'refresh-a' ? Promise.reject(new TokenRefused('invalid_grant')) : plain(server_, own, signal)
      expect(await one.usable('alice', jira)).toBeUndefined()
      expect((await one.usable('bob', jira))?.tokens.access).toBe('access-new-1')
      expect(await one.find('alice', jira)).toBeUndefined()
      expect([...vault.contents].map(([name, content]) => [name, content.includes('access')])).toEqual([
        ['link/alice/jira', false],
        ['link/bob/jira', true],
      ])
    })

    test('stay when the authorization server cannot be asked, and are told of', async () => {
      await one.keep('alice', jira, tokens('a', 1000))
      renew = () => Promise.reject(new TokenRefused('unreachable'))
      await expect(one.usable('alice', jira)).rejects.toMatchObject({ code: 'mcp.no_credential' })
      expect(vault.contents.size).toBe(1)
    })

    test('without anything to renew them with are of no use once they have ended', async () => {
      const { refresh: _refresh, ...bare } = tokens('a', 1000)
      await one.keep('alice', jira, bare)
      expect(await one.usable('alice', jira)).toBeUndefined()
      expect(renewals).toEqual([])
    })

    test('that were removed while they were renewed stay removed', async () => {
      await one.keep('alice', jira, tokens('a', 1000))
      renew = async () => {
        await other.remove('alice', 'jira')
        return tokens('late')
      }
      expect(await one.usable('alice', jira)).toBeUndefined()
      expect(vault.contents.size).toBe(0)
    })

    test('of a new consent count more than those of an old one that is being renewed or was taken back', async () => {
      await one.keep('alice', jira, tokens('a', 1000))
      renew = async () => {
        await other.keep('alice', jira, tokens('consented'))
        throw new TokenRefused('invalid_grant')
      }
      await one.usable('alice', jira)
      expect((await one.usable('alice', jira))?.tokens.access).toBe('access-consented')
    })

    test('are shown to no other address than the one they were made for', async () => {
      await one.keep('alice', jira, tokens('a'))
      expect(await one.usable('alice', server('https://elsewhere.example/mcp'))).toBeUndefined()
    })

    test('a way to an authorization server ends once, in the browser where it began, for the person who began it', async () => {
      const flows = new LinkFlows(await shared.open(), systemClock, Buffer.alloc(32, 1))
      const elsewhere = new LinkFlows(await shared.open(), systemClock, Buffer.alloc(32, 1))
      const flow = { person: 'alice', session: 's1', server: 'jira', url: 'https://jira.example/mcp', pending: { verifier: 'v' } }
      const begin = async (): Promise<string> => {
        const state = flows.newState()
        await flows.begin(state, flow)
        return state
      }
      const state = await begin()
      expect(await elsewhere.take(state, { id: 's1', person: 'alice' })).toEqual(flow)
      expect(await flows.take(state, { id: 's1', person: 'alice' })).toBeUndefined()
      expect(await flows.take(await begin(), { id: 's2', person: 'alice' })).toBeUndefined()
      expect(await flows.take(await begin(), { id: 's1', person: 'bob' })).toBeUndefined()
      expect(await flows.take(flows.newState(), { id: 's1', person: 'alice' })).toBeUndefined()
      const both = await begin()
      const taken = await Promise.all([flows, elsewhere].map((each) => each.take(both, { id: 's1', person: 'alice' })))
      expect(taken.filter((each) => each !== undefined)).toHaveLength(1)
    })
  })
})
