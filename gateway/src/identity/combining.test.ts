/** The table of docs/identity/who-is-calling.md, row by row. */
import { describe, expect, test } from 'vitest'
import type { Principal } from '../core/principal.ts'
import { callerOf, partsOfLater } from './combining.ts'
import type { Identity, WayName } from './ways/way.ts'

function principal(id: string, kind: Principal['kind']): Principal {
  return { id, kind, groups: [], emails: [], credentials: new Map([['openai', `${id}-key`]]) }
}

const [alice, bob] = [principal('alice', 'human'), principal('bob', 'human')]
const [chat, robot] = [principal('chat', 'workload'), principal('robot', 'workload')]

function shows(way: WayName, who: Principal, more: Partial<Identity> = {}): Identity {
  return {
    way,
    principal: who,
    id: `${way}-id`,
    issuer: way === 'key' ? null : 'acme',
    consumer: null,
    actors: [],
    scopes: null,
    expires: null,
    claims: { from: way },
    credentials: new Map(way === 'key' ? [['openai', 'of-the-key']] : []),
    later: `${way}:later`,
    ...more,
  }
}

const refused = (...words: string[]): object => expect.objectContaining({ code: 'auth.two_identities', why: words.join(' ') })

test('nobody is no caller', () => {
  expect(() => callerOf([])).toThrow(expect.objectContaining({ code: 'auth.missing_key' }))
})

test('one identity is the caller as it is, and the same object each time', () => {
  const identity = shows('key', alice, { consumer: 'app', actors: ['agent'] })
  expect(callerOf([identity])).toMatchObject({ principal: alice, key: 'key-id', consumer: 'app', actor: 'agent', later: 'key:later' })
  expect(callerOf([identity])).toBe(callerOf([identity]))
})

describe('a key of an application and a person', () => {
  test.each(['edge', 'token', 'certificate'] as const)('by %s: the person is the principal, the key is the consumer', (way) => {
    const caller = callerOf([shows('key', chat), shows(way, alice)])
    expect(caller).toMatchObject({ principal: alice, key: 'key-id', consumer: 'key-id', issuer: 'acme', claims: { from: way } })
  })

  test('the consumer is named as the key names it, whatever the edge says', () => {
    expect(callerOf([shows('key', chat, { consumer: 'chat-app' }), shows('edge', alice, { consumer: 'kong-app' })]).consumer).toBe(
      'chat-app',
    )
  })

  test('provider keys of the key come before those of the person', () => {
    const { credentials, principal: who } = callerOf([shows('key', chat), shows('edge', alice)])
    expect(credentials.get('openai')).toBe('of-the-key')
    expect(who.credentials.get('openai')).toBe('alice-key')
  })

  test('two people with one key are two callers', () => {
    const key = shows('key', chat)
    const [one, other] = [shows('edge', alice), shows('edge', bob)]
    expect([callerOf([key, one]), callerOf([key, other])].map((caller) => caller.principal.id)).toEqual(['alice', 'bob'])
    expect(callerOf([key, one])).toBe(callerOf([key, one]))
  })
})

describe('a key of a person', () => {
  test('and the same person by the edge', () => {
    expect(callerOf([shows('key', alice), shows('edge', alice)])).toMatchObject({ principal: alice, key: 'key-id', consumer: 'key-id' })
  })

  test('and somebody else by the edge is refused, and told how keys are shared', () => {
    const both = [shows('key', alice), shows('edge', bob)]
    expect(() => callerOf(both)).toThrow(refused('the identity headers of the edge and the virtual key name different people'))
    expect(() => callerOf(both)).toThrow(expect.objectContaining({ fix: expect.stringContaining('kind: workload') }))
  })
})

describe('a token', () => {
  test('and the same person by the edge: the token speaks, the application is as the edge says', () => {
    const caller = callerOf([shows('token', alice, { expires: 5 }), shows('edge', alice, { consumer: 'kong-app' })])
    expect(caller).toMatchObject({ key: 'token-id', consumer: 'kong-app', claims: { from: 'token' }, expires: 5 })
  })

  test('and another person by the edge is refused', () => {
    expect(() => callerOf([shows('token', alice), shows('edge', bob)])).toThrow(
      refused('the token and the identity headers of the edge name different people'),
    )
  })

  test('of a person, and an application by the edge: the application is the consumer', () => {
    expect(callerOf([shows('token', alice), shows('edge', chat)])).toMatchObject({ principal: alice, consumer: 'chat' })
  })

  test('and a certificate of an application: that is what acts', () => {
    expect(callerOf([shows('token', alice), shows('certificate', robot)])).toMatchObject({
      principal: alice,
      actor: 'robot',
      actors: ['robot'],
    })
  })

  test('that names another agent than the certificate is refused', () => {
    expect(() => callerOf([shows('token', alice, { actors: ['other'] }), shows('certificate', robot)])).toThrow(
      refused('the token and the client certificate say that different agents act'),
    )
  })

  test('with a chain that begins with the agent of the certificate keeps its chain', () => {
    const caller = callerOf([shows('token', alice, { actors: ['robot', 'planner'] }), shows('certificate', robot)])
    expect(caller).toMatchObject({ actor: 'robot', actors: ['robot', 'planner'] })
  })
})

describe('a certificate', () => {
  test('of an application beside its own key says nothing new', () => {
    expect(callerOf([shows('key', chat), shows('certificate', chat)])).toMatchObject({ principal: chat, actor: null })
  })

  test('of an application beside the key of a person says what acts', () => {
    expect(callerOf([shows('key', alice), shows('certificate', robot)])).toMatchObject({ principal: alice, actor: 'robot' })
  })

  test('beside a key that names another agent is refused', () => {
    expect(() => callerOf([shows('key', alice, { actors: ['other'] }), shows('certificate', robot)])).toThrow(
      refused('the client certificate and the virtual key say that different agents act'),
    )
  })

  test('of a person beside somebody else by the edge is refused', () => {
    expect(() => callerOf([shows('edge', alice), shows('certificate', bob)])).toThrow(
      refused('the identity headers of the edge and the client certificate name different people'),
    )
  })
})

test('two applications are refused, beside a person too', () => {
  const words = 'the identity headers of the edge and the virtual key name different applications'
  expect(() => callerOf([shows('key', chat), shows('edge', robot)])).toThrow(refused(words))
  expect(() => callerOf([shows('key', chat), shows('edge', robot), shows('token', alice)])).toThrow(refused(words))
})

test('what each may do at most, all of them together may', () => {
  const within = { models: ['a', 'b'], gateways: null, tools: ['x__*'] }
  const caller = callerOf([
    shows('key', chat, { scopes: ['models', 'admin'], expires: 10, within }),
    shows('edge', alice, { scopes: ['models', 'mcp'], expires: 7, within: { models: ['b', 'c'], gateways: ['main'], tools: null } }),
  ])
  expect(caller).toMatchObject({ scopes: ['models'], expires: 7 })
  const limits = [caller.within, caller.within?.and]
  expect(limits).toEqual(expect.arrayContaining([expect.objectContaining(within), { models: ['b', 'c'], gateways: ['main'], tools: null }]))
})

test('somebody unknown to the edge restricts whoever is named besides, and names no one', () => {
  const nobody = shows('edge', bob, { isAnonymous: true, scopes: ['models'], within: { models: null, gateways: [], tools: [] } })
  const caller = callerOf([shows('key', alice), nobody])
  expect(caller).toMatchObject({ principal: alice, scopes: ['models'], within: { tools: [] } })
  expect(callerOf([nobody])).toMatchObject({ principal: bob, scopes: ['models'] })
})

test('work that runs later is for all of them again', () => {
  expect(partsOfLater(callerOf([shows('key', chat), shows('edge', alice)]).later)).toEqual(['edge:later', 'key:later'])
  expect(partsOfLater('key_1')).toEqual(['key_1'])
})
