/** A connected account in the real vault, on every store and in two processes: renewed once, and when it ends forgotten whatever its authorization server does. */
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { McpServer } from '../../config/snapshot.ts'
import { silentLogger } from '../../core/logger.ts'
import { storeBackends, type TestStores } from '../../store/backends.fixture.ts'
import { testClock, testState, type TestClock } from '../../turns/state-and-clock.fixture.ts'
import { sealingKeys } from '../vault/sealing-keys.ts'
import { createVault } from '../vault/vault.ts'
import { endLink, type EndedLink, type RevokeTokens } from './ending-link.ts'
import type { LinkTokens } from './link.ts'
import { Links, type RenewTokens } from './links.ts'
import type { SecretVault } from './secret-vault.ts'
import { TokenRefused } from './token-request.ts'

const server = (url: string): McpServer =>
  ({ name: 'jira', digest: url, config: { transport: 'http', url, auth: { kind: 'user' } } }) as unknown as McpServer
const jira = server('https://jira.example/mcp')

describe.each(storeBackends)('on $name', ({ isMissing, make }) => {
  describe.skipIf(isMissing)('a connected account', () => {
    let stores: TestStores
    let clock: TestClock
    let vaults: readonly SecretVault[]
    let links: readonly Links[]
    let renew: RenewTokens
    let revoked: string[]
    beforeEach(async () => {
      stores = await make()
      clock = testClock()
      revoked = []
      renew = () => Promise.reject(new Error('not asked for'))
      vaults = await Promise.all(
        [1, 2].map(async () => {
          const { secrets, secret } = await stores.open()
          return createVault({ secrets, keys: () => sealingKeys(undefined, secret), clock })
        }),
      )
      const state = testState(clock)
      links = vaults.map((vault) => new Links({ vault, state, clock, logger: silentLogger, renew: (...asked) => renew(...asked), pause }))
    })
    afterEach(() => stores[Symbol.asyncDispose]())

    const tokens = (name: string, lives = 3_600_000): LinkTokens => ({
      access: `access-${name}`,
      refresh: `refresh-${name}`,
      expires: clock.now() + lives,
      renewal: {},
    })
    const revoke: RevokeTokens = async (_server, { refresh }) => {
      revoked.push(refresh ?? '')
      return true
    }
    const end = (how: RevokeTokens = revoke, at = jira): Promise<EndedLink[]> =>
      Promise.all(vaults.map((vault) => endLink({ vault, revoke: how, logger: silentLogger }, 'alice', at)))

    test('is renewed once by two processes at once', async () => {
      await links[0]?.keep('alice', jira, tokens('a', 1000))
      let renewals = 0
      renew = async () => tokens(`renewed-${(renewals += 1)}`)
      const all = await Promise.all(links.flatMap((each) => [each.usable('alice', jira), each.usable('alice', jira)]))
      expect(new Set(all.map((link) => link?.tokens.access))).toEqual(new Set(['access-renewed-1']))
      expect(renewals).toBe(1)
    })

    test('that two processes end at once is taken back once, and nobody else’s is touched', async () => {
      await links[0]?.keep('alice', jira, tokens('a'))
      await links[0]?.keep('bob', jira, tokens('b'))
      expect((await end()).toSorted()).toEqual(['none', 'taken back'])
      expect(revoked).toEqual(['refresh-a'])
      expect(await links[1]?.find('alice', jira)).toBeUndefined()
      expect((await links[1]?.find('bob', jira))?.tokens.access).toBe('access-b')
    })

    const unwilling: readonly (readonly [string, RevokeTokens])[] = [
      ['is away', () => Promise.reject(new Error('ECONNREFUSED'))],
      ['refuses', () => Promise.reject(new TokenRefused('invalid_client'))],
      ['offers no such thing', async () => false],
    ]
    test.each(unwilling)('is forgotten here when its authorization server %s', async (_what, how) => {
      await links[0]?.keep('alice', jira, tokens('a'))
      expect((await end(how)).toSorted()).toEqual(['kept there', 'none'])
      expect(await links[0]?.find('alice', jira)).toBeUndefined()
    })

    test('of another address is forgotten, and its tokens are shown to nobody', async () => {
      await links[0]?.keep('alice', jira, tokens('a'))
      expect((await end(revoke, server('https://elsewhere.example/mcp'))).toSorted()).toEqual(['kept there', 'none'])
      expect(revoked).toEqual([])
    })
  })
})
