/** A model call needs no client: the gateway can make one for itself, on behalf of somebody, held to everything a client is held to. */
import { expect, test } from 'vitest'
import { say } from '../../../conformance/harness/model-answer.ts'
import { startVendor } from '../../../conformance/harness/vendor.ts'
import type { JsonObject } from '../core/json.ts'
import { configOf, type Floors, keys, openFloors } from '../invariants/floors.fixture.ts'
import { chatCompletions } from '../wire/dialects/chat-completions/chat-completions.ts'
import { runModelCall } from './model-call.ts'
import { memoryCall } from './origins/memory-origin.ts'

const tools = [{ type: 'function', function: { name: 'write' } }]

async function ask(floors: Floors, more: JsonObject, maxBytes = 1 << 20) {
  const { services } = floors
  const caller = await services.authenticator.authenticate(
    { headers: { authorization: `Bearer ${keys.alice}` } },
    services.snapshot(),
    'models',
  )
  const body = { model: 'm', messages: [{ role: 'user', content: 'go' }], tools, ...more }
  const { origin, answer } = memoryCall({ caller, body, maxBytes })
  await runModelCall(services, origin, chatCompletions)
  return answer
}

function configFor(url: string) {
  return configOf({
    upstreams: { vendor: { kind: 'openai', base_url: url, credential: 'none' } },
    routes: [{ model: 'm', upstreams: ['vendor'] }],
    contracts: { '*': { output: { trust: 'trusted' } } },
    rules: [{ name: 'no-b', when: "has(args.path) && args.path == '/b'", verdict: 'deny', reason: 'Not there.' }],
  })
}

test.each([true, false])('its calls are decided and on record, and its answer is there as a whole (streamed: %s)', async (stream) => {
  await using vendor = await startVendor((request) =>
    say(request, {
      calls: [
        { id: 'c_a', name: 'write', args: { path: '/a' } },
        { id: 'c_b', name: 'write', args: { path: '/b' } },
      ],
    }),
  )
  await using floors = await openFloors({ config: configFor(vendor.url) })
  const { status, headers, body } = await ask(floors, { stream })
  expect(status).toBe(200)
  expect(headers['x-turnward-session']).toMatch(/^ses_/)
  expect(body.toString()).toContain('c_a')
  expect(body.toString()).not.toContain('c_b')
  expect(
    floors.log.records.filter(({ kind }) => kind === 'tool_proposal').map(({ toolCallId, action }) => [toolCallId, action]),
  ).toHaveLength(2)
})

test('a refusal is its answer too', async () => {
  await using vendor = await startVendor()
  await using floors = await openFloors({ config: configFor(vendor.url) })
  const { status, body } = await ask(floors, { model: 'unknown' })
  expect(status).toBe(404)
  expect(JSON.parse(body.toString())).toMatchObject({ error: { code: 'grant.model' } })
})

test('an answer that grows beyond its bound is given up, and so is its upstream', async () => {
  await using vendor = await startVendor((request) => ({ ...say(request, { text: 'x'.repeat(5000) }), ends: 'never' }))
  await using floors = await openFloors({ config: configFor(vendor.url) })
  await expect(ask(floors, { stream: true }, 1000)).rejects.toMatchObject({ code: 'request.cancelled' })
  expect(await vendor.last().ended).toBe('left')
})
