/** A call that the length limit has cut off is nobody's to decide: it is left out, said nothing of, and not asked for again. */
import { expect, test } from 'vitest'
import { say } from '../../../../conformance/harness/model-answer.ts'
import { post } from '../../../../conformance/harness/raw-http.ts'
import { startVendor, type VendorReply, type VendorRequest } from '../../../../conformance/harness/vendor.ts'
import { configOf, keys, openFloors } from '../../invariants/floors.fixture.ts'

const kinds = ['openai', 'anthropic'] as const
const cases = kinds.flatMap((kind) => [true, false].map((isStream) => ({ kind, isStream })))

async function ask(kind: (typeof kinds)[number], isStream: boolean, reply: (request: VendorRequest) => VendorReply, rules: object[] = []) {
  await using vendor = await startVendor(reply)
  const config = configOf({
    upstreams: { vendor: { kind, base_url: vendor.url, credential: 'none' } },
    routes: [{ model: '*', upstreams: ['vendor'] }],
    contracts: { '*': { output: { trust: 'trusted' } } },
    rules: rules as never,
  })
  await using floors = await openFloors({ config })
  const path = kind === 'openai' ? '/v1/chat/completions' : '/v1/messages'
  const tool = kind === 'openai' ? { type: 'function', function: { name: 'write' } } : { name: 'write', input_schema: { type: 'object' } }
  const body = { model: 'm', max_tokens: 10, stream: isStream, messages: [{ role: 'user', content: 'go' }], tools: [tool] }
  const { text } = await post(`${floors.url}${path}`, keys.alice, body)
  return { text, asked: vendor.requests.length, decided: floors.log.records.filter(({ kind: what }) => what === 'tool_proposal') }
}

const limit = /"(finish_reason":"length|stop_reason":"max_tokens)"/

test.each(cases)('its message ends as the limit ended it ($kind, streamed: $isStream)', async ({ kind, isStream }) => {
  const { text, asked, decided } = await ask(kind, isStream, (request) =>
    say(request, {
      text: 'Writing',
      calls: [{ id: 'cut_1', name: 'write', args: kind === 'openai' || isStream ? '{"path":"/tmp/a","con' : { path: '/tmp/a' } }],
      finish: 'length',
    }),
  )
  expect(text).toMatch(limit)
  expect(text).toContain('Writing')
  expect(text).not.toMatch(/cut_1|refused|policy/)
  expect({ asked, decided }).toEqual({ asked: 1, decided: [] })
})

test.each(cases)('a call before it is decided as ever ($kind, streamed: $isStream)', async ({ kind, isStream }) => {
  const cut = kind === 'openai' || isStream ? '{"path":"/tmp/b","con' : { path: '/tmp/b' }
  const reply = (request: VendorRequest): VendorReply =>
    say(request, {
      calls: [
        { id: 'whole_1', name: 'write', args: { path: '/tmp/a' } },
        { id: 'cut_1', name: 'write', args: cut },
      ],
      finish: 'length',
    })
  const allowed = await ask(kind, isStream, reply)
  expect(allowed.text).toMatch(limit)
  expect(allowed.text).toContain('whole_1')
  expect(allowed.text).not.toContain('cut_1')
  expect(allowed.decided).toMatchObject([{ toolCallId: 'whole_1' }])

  const refused = await ask(kind, isStream, reply, [{ name: 'no', when: 'true', verdict: 'deny', reason: 'Not now.' }])
  expect(refused.text).toMatch(limit)
  expect(refused.text).not.toMatch(/whole_1|cut_1/)
  expect(refused.asked).toBe(1)
})
