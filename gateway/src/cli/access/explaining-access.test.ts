/** What is said of models whose routes are there for some calls only. */
import { configSchema } from '@turnward/contract/config'
import { expect, test } from 'vitest'
import { compileSnapshot } from '../../config/compile.ts'
import { explainAccess } from './explaining-access.ts'

const snapshot = compileSnapshot(
  configSchema.parse({
    principals: { alice: { groups: ['support'] }, bob: {} },
    groups: { support: {} },
    grants: [{ principals: ['*'], models: ['*'] }],
    upstreams: { house: { kind: 'vllm', credential: 'none' } },
    routes: [
      { model: 'plain', upstreams: ['house'] },
      { model: 'helpful', match: { groups: ['support'] }, upstreams: ['house'] },
      { model: 'spoken', match: { dialects: ['messages', 'gemini'] }, upstreams: ['house'] },
      { model: 'golden', match: { headers: { 'x-tier': 'gold' } }, upstreams: ['house'] },
    ],
  }),
  { files: [], dataDir: '/nowhere' },
)

function nextFor(id: string, name: string) {
  const principal = snapshot.principals.get(id)
  if (principal === undefined) throw new Error('nobody of this name')
  const caller = { principal, key: '', consumer: null, actor: null, actors: [], issuer: null }
  return explainAccess(snapshot, { caller, scopes: null, kind: 'models', name }, '/').next
}

test.each([
  ['alice', 'plain', []],
  ['alice', 'helpful', []],
  ['bob', 'helpful', [{ source: 'route helpful', why: expect.stringContaining('does not fit this caller') as string }]],
  ['alice', 'spoken', [{ source: 'route spoken', why: expect.stringContaining('calls in messages, gemini, or') as string }]],
  ['alice', 'golden', [{ source: 'route golden', why: expect.stringContaining('headers') as string }]],
  ['alice', 'absent', [{ source: 'routes', why: 'no route serves this model' }]],
])('of %s and the model %s', (id, name, next) => {
  expect(nextFor(id, name)).toEqual(next.map((said) => ({ place: null, ...said })))
})
