/** Which of several routes of one model serves a call, by who asks, how, and with which headers. */
import { configSchema } from '@turnward/contract/config'
import { describe, expect, test } from 'vitest'
import type { Caller } from '../core/principal.ts'
import { compileSnapshot } from './compile.ts'
import type { RouteFacts } from './snapshot.ts'

const { routes } = compileSnapshot(
  configSchema.parse({
    groups: { support: {}, research: {} },
    upstreams: { house: { kind: 'vllm', credential: 'none' } },
    routes: [
      { model: 'smart', upstreams: [{ upstream: 'house', model: 'plain' }] },
      { model: 'smart', match: { headers: { 'X-Tier': 'gold*' } }, upstreams: [{ upstream: 'house', model: 'gold' }] },
      { model: 'smart', match: { groups: ['research'], dialects: ['messages'] }, upstreams: [{ upstream: 'house', model: 'research' }] },
      { model: 'smart', match: { consumers: ['batch-*'] }, upstreams: [{ upstream: 'house', model: 'batch' }] },
      { model: 'only', match: { groups: ['support'] }, upstreams: [{ upstream: 'house', model: 'support' }] },
      {
        model: '*',
        match: { when: "model.startsWith('x-') && headers['x-region'] == 'eu'" },
        upstreams: [{ upstream: 'house', model: 'eu' }],
      },
      { model: '*', match: { when: "principal.claims.tier > 3 || 'vip@acme.example' in principal.emails" }, upstreams: ['house'] },
    ],
  }),
  { files: [], dataDir: '/nowhere' },
)

function served(
  model: string,
  {
    groups = [],
    consumer = null,
    headers = {},
    dialect = 'chat-completions',
    emails = [],
    claims = {},
  }: Partial<{
    groups: string[]
    consumer: string | null
    headers: Record<string, string>
    dialect: string
    emails: string[]
    claims: Record<string, unknown>
  }> = {},
) {
  const caller = { principal: { id: 'alice', kind: 'human', groups, emails }, consumer, actor: null, claims } as unknown as Caller
  const facts: RouteFacts = { caller, headers, dialect }
  const target = routes.resolve(model, facts)?.targets[0]
  return target === undefined ? 'nobody' : (target.model ?? 'as asked')
}

describe('a call is served by', () => {
  test.each([
    ['the route without conditions, wherever it stands', 'smart', {}, 'plain'],
    ['the route whose header fits', 'smart', { headers: { 'x-tier': 'gold-plus' } }, 'gold'],
    ['no route whose header differs', 'smart', { headers: { 'x-tier': 'silver' } }, 'plain'],
    ['the first of several that fit', 'smart', { headers: { 'x-tier': 'gold' }, consumer: 'batch-1' }, 'gold'],
    ['a route all of whose conditions fit', 'smart', { groups: ['research'], dialect: 'messages' }, 'research'],
    ['and none with only some of them', 'smart', { groups: ['research'] }, 'plain'],
    ['the route of its consumer', 'smart', { consumer: 'batch-7' }, 'batch'],
    ['nobody, where only others are', 'only', { groups: ['research'] }, 'nobody'],
    ['the route of its group', 'only', { groups: ['support'] }, 'support'],
    ['a condition that holds', 'x-large', { headers: { 'x-region': 'eu' } }, 'eu'],
    ['another one, where the first does not hold', 'x-large', { emails: ['vip@acme.example'] }, 'as asked'],
    ['a number in a claim', 'y', { claims: { tier: 4 } }, 'as asked'],
    ['nobody, where a condition has no answer', 'y', {}, 'nobody'],
  ] as const)('%s', (_what, model, facts, expected) => {
    expect(served(model, facts as Parameters<typeof served>[1])).toBe(expected)
  })

  test('some route, for who asks whether there is one at all', () => {
    expect(routes.resolve('only')?.model).toBe('only')
  })
})
