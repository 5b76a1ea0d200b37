import { describe, expect, test } from 'vitest'
import type { Snapshot } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import { snapshotWith } from '../identity-parts.fixture.ts'
import { challengeFor } from './challenge.ts'

const snapshot = {
  ...snapshotWith({}),
  settings: { listen: { public_url: 'https://turnward.example' } },
  identity: { issuers: {}, oauth: {} },
} as unknown as Snapshot
const at = (url: string) => ({ headers: {}, url })
const metadata = 'https://turnward.example/.well-known/oauth-protected-resource'

describe('whoever is refused is told', () => {
  test('where to learn how to get a token, and no error when none came', () => {
    expect(challengeFor(new TurnwardError('auth.missing_key'), at('/mcp/work?a=b'), snapshot, [])).toBe(
      `Bearer resource_metadata="${metadata}/mcp/work", scope="mcp"`,
    )
    expect(challengeFor(new TurnwardError('auth.missing_key'), at('/v1/messages'), snapshot, [])).toBe(
      `Bearer resource_metadata="${metadata}/v1", scope="models"`,
    )
  })

  test('that the token is no good', () => {
    expect(challengeFor(new TurnwardError('auth.expired_key'), at('/mcp/work'), snapshot, [])).toContain('error="invalid_token"')
  })

  test('every scope it needs, those it has among them', () => {
    expect(challengeFor(new TurnwardError('auth.insufficient_scope'), at('/mcp/work'), snapshot, ['models'])).toBe(
      `Bearer error="insufficient_scope", resource_metadata="${metadata}/mcp/work", scope="models mcp"`,
    )
  })

  test('nothing where another token would not help, or nobody gives any out', () => {
    expect(challengeFor(new TurnwardError('store.failed'), at('/mcp/work'), snapshot, [])).toBeUndefined()
    const none = { ...snapshot, identity: { issuers: {} } } as unknown as Snapshot
    expect(challengeFor(new TurnwardError('auth.missing_key'), at('/mcp/work'), none, [])).toBeUndefined()
  })

  test('nothing that the request could have put there', () => {
    const challenge = challengeFor(new TurnwardError('auth.missing_key'), at('/mcp/a"b,c%0d'), snapshot, [])
    expect(challenge).toBe(`Bearer resource_metadata="${metadata}", scope="mcp"`)
  })
})
