/** What a call has cost is on its outcome, in every dialect, streamed or whole, and over all rounds of it. */
import { expect, test } from 'vitest'
import { say } from '../../../../conformance/harness/model-answer.ts'
import { startVendor } from '../../../../conformance/harness/vendor.ts'
import type { JsonObject } from '../../core/json.ts'
import { configOf, type Floors, keys, openFloors } from '../../invariants/floors.fixture.ts'
import { dialectByName } from '../../wire/dialects.ts'
import { runModelCall } from '../model-call.ts'
import { runModelOperation } from '../model-operation.ts'
import { memoryCall } from '../origins/memory-origin.ts'

async function originOf({ services }: Floors, body: JsonObject) {
  const headers = { authorization: `Bearer ${keys.alice}` }
  const caller = await services.authenticator.authenticate({ headers }, services.snapshot(), 'models')
  return memoryCall({ caller, body, maxBytes: 1 << 20 }).origin
}

const bodies: Record<'chat-completions' | 'messages' | 'responses', JsonObject> = {
  'chat-completions': { messages: [{ role: 'user', content: 'go' }] },
  messages: { max_tokens: 100, messages: [{ role: 'user', content: 'go' }] },
  responses: { input: 'go' },
}

test.each([
  ['chat-completions', true],
  ['chat-completions', false],
  ['messages', true],
  ['messages', false],
  ['responses', true],
  ['responses', false],
] as const)('%s, streamed: %s', async (name, stream) => {
  await using vendor = await startVendor((request) => say(request, { text: 'Done.' }))
  const config = configOf({
    upstreams: {
      vendor: { kind: name === 'messages' ? 'anthropic' : 'openai', base_url: vendor.url, credential: 'none' },
    },
    routes: [{ model: 'm', upstreams: ['vendor'] }],
    prices: [{ models: ['m'], input: 1_000_000, output: 0 }],
  })
  await using floors = await openFloors({ config })
  await runModelCall(floors.services, await originOf(floors, { model: 'm', stream, ...bodies[name] }), dialectByName[name])
  const outcome = floors.log.records.find(({ type, kind }) => type === 'outcome' && kind === 'model_call')
  expect(outcome?.usage?.inputTokens).toBeGreaterThan(0)
  // A dollar for each token that went in.
  expect(outcome?.cost).toEqual({ amount: outcome?.usage?.inputTokens, currency: 'USD', prices: 'configuration' })
})

test('embeddings that are passed on as they come have a cost by what their end says', async () => {
  await using vendor = await startVendor(() => ({
    headers: { 'content-type': 'application/json' },
    parts: [JSON.stringify({ object: 'list', data: [{ embedding: [0.1, 0.2] }], usage: { prompt_tokens: 5, total_tokens: 5 } })],
  }))
  const config = configOf({
    upstreams: { vendor: { kind: 'openai', base_url: vendor.url, credential: 'none' } },
    routes: [{ model: 'text-embedding-3-small', upstreams: ['vendor'] }],
  })
  await using floors = await openFloors({ config })
  const origin = await originOf(floors, { model: 'text-embedding-3-small', input: 'words' })
  await runModelOperation(floors.services, origin, { name: 'embeddings', path: '/v1/embeddings' })
  const outcome = floors.log.records.find(({ type, kind }) => type === 'outcome' && kind === 'model_operation')
  expect(outcome).toMatchObject({ usage: { inputTokens: 5 }, cost: { amount: 0.000_000_1, currency: 'USD' } })
})
