import fc from 'fast-check'
import { expect, test } from 'vitest'
import { say } from '../../../../conformance/harness/model-answer.ts'
import { post } from '../../../../conformance/harness/raw-http.ts'
import { startVendor } from '../../../../conformance/harness/vendor.ts'
import { delayedState } from '../../invariants/delayed-state.fixture.ts'
import { keys, openFloors } from '../../invariants/floors.fixture.ts'
import { vendorConfig } from '../../invariants/vendors.fixture.ts'
import { testClock, testState } from '../state-and-clock.fixture.ts'

test.each([
  { isError: false, done: ['migration'] },
  { isError: true, done: [] },
])('a result that comes in two requests at once settles its call once (error: $isError)', async ({ isError, done }) => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      await using vendor = await startVendor((request) =>
        say(request, request.body.messages.length === 1 ? { calls: [{ id: 'call_1', name: 'migrate', args: {} }] } : { text: 'Well.' }),
      )
      const config = vendorConfig('anthropic', vendor.url, {
        contracts: { migrate: { output: { trust: 'trusted' }, effects: ['migration'] } },
      })
      const shared = delayedState(testState(testClock()), seed)
      await using first = await openFloors({ config, state: shared })
      await using second = await openFloors({ config, state: shared })
      const ask = (url: string, messages: readonly object[]) =>
        post(`${url}/v1/messages`, keys.alice, { model: 'm', max_tokens: 100, messages }, { 'x-turnward-session': 'one' })
      const begin = [{ role: 'user', content: 'Migrate.' }]
      const { headers } = await ask(first.url, begin)
      const history = [
        ...begin,
        { role: 'assistant', content: [{ type: 'tool_use', id: 'call_1', name: 'migrate', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_1', content: 'it said so', is_error: isError }] },
      ]
      await Promise.all([first, second].map(async ({ url }) => ask(url, history)))
      const { sessions, snapshot } = first.services
      const session = await sessions.find(String(headers['x-turnward-session']), snapshot().policy, 60_000)
      expect(session?.policyState.effects).toMatchObject({ done, reserved: {} })
    }),
    { numRuns: 20 },
  )
})
