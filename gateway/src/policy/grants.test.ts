import { expect, test } from 'vitest'
import { configSchema } from '@turnward/contract/config'
import { compileGrants, granted } from './grants.ts'
import { alice, principal } from './written-policy.fixture.ts'

const grants = compileGrants(
  configSchema.parse({
    grants: [
      { groups: ['hr'], tools: ['hr__*'] },
      { principals: ['bob'], models: ['gpt-5'], gateways: ['office'] },
      { principals: ['*'], tools: ['time__now'] },
    ],
  }).grants,
)

test('what no grant names is denied, for every kind', () => {
  expect(granted(grants, alice, 'tools', 'mail__send')).toBeUndefined()
  expect(granted(grants, alice, 'models', 'hr__read')).toBeUndefined()
  expect(granted([], alice, 'tools', 'time__now')).toBeUndefined()
})

test('the first grant for the principal, a group of it or everyone is named as the source', () => {
  expect(granted(grants, alice, 'tools', 'hr__read')).toBe('grant #1')
  expect(granted(grants, principal('bob'), 'models', 'gpt-5')).toBe('grant #2')
  expect(granted(grants, principal('bob'), 'gateways', 'office')).toBe('grant #2')
  expect(granted(grants, principal('nobody'), 'tools', 'time__now')).toBe('grant #3')
})

test('a group is not a principal of the same name, and `*` is not a principal id', () => {
  expect(granted(grants, principal('hr'), 'tools', 'hr__read')).toBeUndefined()
  expect(
    granted(compileGrants(configSchema.parse({ grants: [{ principals: ['bob'], tools: ['x'] }] }).grants), principal('*'), 'tools', 'x'),
  ).toBeUndefined()
})
