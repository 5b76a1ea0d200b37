/** What one gateway withholds is asked about, paid for and passed on at another that shares its state. */
import { describe, expect, test } from 'vitest'
import { say } from '../../../../conformance/harness/model-answer.ts'
import { startVendor } from '../../../../conformance/harness/vendor.ts'
import type { JsonObject } from '../../core/json.ts'
import { configOf, keys, openFloors } from '../../invariants/floors.fixture.ts'
import { sharingWays } from '../../invariants/sharing.fixture.ts'
import type { StateStore } from '../../state/state-store.ts'

const textOf = (result: JsonObject): string => (result.content as { text: string }[]).map(({ text }) => text).join('\n')

describe.each(sharingWays)('over $way', ({ isMissing, open }) => {
  test.skipIf(isMissing)('a handle means the same at both', async () => {
    await using shared = await open(7)
    await using vendor = await startVendor((request) => say(request, { text: '{"answer": true}' }))
    const config = configOf({
      upstreams: { vendor: { kind: 'openai', base_url: vendor.url, credential: 'none' } },
      routes: [{ model: 'q', upstreams: ['vendor'] }],
      quarantine: { model: 'q', max_questions: 2 },
      contracts: { office__fetch: { output: { trust: 'untrusted', as: 'quarantine', answers: 'trusted' } }, office__file: {} },
    })
    const tools = { office__fetch: { run: () => ({ content: [{ type: 'text', text: 'the words' }] }) }, office__file: {} }
    const at = (state: StateStore) => openFloors({ config, tools, state })
    await using here = await at(shared.here)
    await using there = await at(shared.there)
    const [first, second] = [await here.context(keys.alice, 'agent'), await there.context(keys.alice, 'agent')]
    const handle = textOf(await here.call(first, 'office__fetch', {}))
    const ask = (question: string) => ({ handle, question, answer: { type: 'boolean' } })
    expect(textOf(await there.call(second, 'turnward__ask', ask('One?')))).toBe('true')
    expect(textOf(await here.call(first, 'turnward__ask', ask('One?')))).toBe('true')
    expect(vendor.requests).toHaveLength(1)
    await here.call(first, 'turnward__ask', ask('Two?'))
    expect(textOf(await there.call(second, 'turnward__ask', ask('Three?')))).toContain('no more than 2 questions')
    await there.call(second, 'office__file', { text: handle })
    expect(there.ran).toEqual([{ tool: 'office__file', args: { text: 'the words' } }])
  })
})
