/** Invariant 4: a refused call reaches no upstream and no client; its untrusted trigger is never quoted back. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { say } from '../../../conformance/harness/model-answer.ts'
import { post } from '../../../conformance/harness/raw-http.ts'
import { startVendor } from '../../../conformance/harness/vendor.ts'
import { configOf, keys, openFloors } from './floors.fixture.ts'
import { vendorConfig, wires } from './vendors.fixture.ts'

/** Words long and odd enough that finding one means it was quoted. */
const odd = fc.stringMatching(/^[a-z]{6}-[A-Z]{6}-[0-9]{6}$/)
const trusting = { output: { trust: 'trusted' } }

/** Every way a call can be refused. */
const refusals = {
  office__needs_trust: { ...trusting, requires: { trust: 'trusted' } },
  office__needs_reader: { ...trusting, requires: { audience: { includes: ['$args.to'] } } },
  office__needs_done: { ...trusting, requires: { done: ['backup'] } },
  office__undescribed: undefined,
  office__ruled: trusting,
  office__broken_rule: trusting,
  office__ungranted: trusting,
}
const names = Object.keys(refusals)
const policyParts = {
  grants: [
    { principals: ['*'], models: ['*'], gateways: ['*'], tools: ['office__web', ...names.filter((name) => name !== 'office__ungranted')] },
  ],
  contracts: {
    office__web: { output: { trust: 'untrusted', audience: ['@staff'] } },
    ...Object.fromEntries(Object.entries(refusals).filter(([, contract]) => contract !== undefined)),
  },
  rules: [
    { name: 'ruled', when: "tool.name == 'office__ruled' && args.word != ''", verdict: 'deny' as const, reason: 'Never with words.' },
    { name: 'broken', when: "tool.name == 'office__broken_rule' && args.word.missing == 1", verdict: 'warn' as const, reason: 'Broken.' },
  ],
}

describe('at the MCP endpoint', () => {
  test('a refused call never runs, and is told in words that are not those of the page or the call', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 4 }),
        odd,
        odd,
        odd,
        async (calls, word, to, page) => {
          const tools = Object.fromEntries(names.map((name) => [name, {}]))
          const config = configOf({ ...policyParts })
          await using floors = await openFloors({
            config,
            tools: { ...tools, office__web: { run: () => ({ content: [{ type: 'text', text: page }] }) } },
          })
          const context = await floors.context(keys.alice, 'one')
          await floors.call(context, 'office__web')
          for (const name of calls) {
            const told = JSON.stringify(
              await floors.call(context, name, { word, to }).catch((error: Error) => ({ isError: true, message: error.message })),
            )
            expect(told).toContain('"isError":true')
            for (const quoted of [word, to, page]) expect(told).not.toContain(quoted)
          }
          expect(floors.ran.map(({ tool }) => tool)).toEqual(['office__web'])
          for (const record of floors.log.records)
            for (const quoted of [word, to, page]) expect(JSON.stringify(record)).not.toContain(quoted)
        },
      ),
      { numRuns: 40 },
    )
  })
})

describe.each(wires)('in a model call ($path, stream: $stream)', ({ kind, path, stream }) => {
  const body = (page: string) => {
    const user = { role: 'user', content: page }
    return { model: 'm', max_tokens: 100, stream, messages: [user] }
  }

  test('a refused call and its words reach no client; the model is told in our own words', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), odd, odd, odd, async (name, word, to, id) => {
        await using vendor = await startVendor((request) =>
          say(
            request,
            request.index === 0 ? { text: 'I act.', calls: [{ id: `call_${id}`, name, args: { word, to } }] } : { text: 'I stop.' },
          ),
        )
        // Nothing is granted as untrusted: so the history begins with what nobody here produced.
        await using floors = await openFloors({
          config: vendorConfig(kind, vendor.url, policyParts),
          tools: Object.fromEntries(names.map((one) => [one, {}])),
        })
        const stranger = { role: 'assistant', content: `a stranger said so` }
        const messages = [...body('Hello.').messages, stranger, { role: 'user', content: 'Go on.' }]
        const answer = await post(`${floors.url}${path}`, keys.alice, { ...body(''), messages })
        expect(answer.status).toBe(200)
        for (const quoted of [word, to, id]) expect(answer.text).not.toContain(quoted)
        // The person is told by name, once, that it was refused.
        expect(answer.text.split(name)).toHaveLength(2)
        expect(answer.text).toContain('[Turnward] refused')
        expect(answer.text).toContain('I stop.')
        expect(vendor.requests).toHaveLength(2)
        const notice = noticeIn(vendor.requests[1]?.body as Body, `call_${id}`)
        expect(notice).toMatch(/^not run: /)
        for (const quoted of [word, to, id]) expect(notice).not.toContain(quoted)
      }),
      { numRuns: 10 },
    )
  })
})

test.each([false, true])('arguments nobody can read are refused and not decided as none (stream: %s)', async (stream) => {
  await using vendor = await startVendor((request) =>
    say(
      request,
      request.index === 0 ? { calls: [{ id: 'call_odd', name: 'office__ok', args: '{"word": unreadable-word' }] } : { text: 'I stop.' },
    ),
  )
  await using floors = await openFloors({
    config: vendorConfig('openai', vendor.url, { contracts: { office__ok: trusting } }),
    tools: { office__ok: {} },
  })
  const answer = await post(`${floors.url}/v1/chat/completions`, keys.alice, {
    model: 'm',
    stream,
    messages: [{ role: 'user', content: 'go' }],
  })
  expect(answer.text).toContain('I stop.')
  expect(answer.text).not.toMatch(/call_odd|unreadable-word/)
  expect(floors.log.decisions('tool_proposal')).toMatchObject([{ action: 'refuse', argumentsDigest: null }])
})

interface Body {
  readonly messages: readonly {
    readonly role: string
    readonly tool_call_id?: string
    readonly content: string | readonly { readonly type: string; readonly tool_use_id?: string; readonly content?: string }[]
  }[]
}

/** What the model was told about a call, in either dialect. */
function noticeIn({ messages }: Body, id: string): string {
  for (const { tool_call_id: answers, content } of messages) {
    if (answers === id && typeof content === 'string') return content
    const block = typeof content === 'string' ? undefined : content.find(({ tool_use_id: used }) => used === id)
    if (block !== undefined) return JSON.stringify(block.content).replace(/^"/, '')
  }
  return ''
}
