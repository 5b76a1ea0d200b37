/** A conversation that was shortened before a message some calls were taken out of: the model still sees them answered. */
import { expect, test } from 'vitest'
import { say } from '../../../../conformance/harness/model-answer.ts'
import { historyOf } from '../../../../conformance/harness/model-history.ts'
import { post } from '../../../../conformance/harness/raw-http.ts'
import { startVendor } from '../../../../conformance/harness/vendor.ts'
import { keys, openFloors } from '../../invariants/floors.fixture.ts'
import { vendorConfig } from '../../invariants/vendors.fixture.ts'

const contracts = { run_it: { output: { trust: 'trusted' } }, refuse_it: { requires: { done: ['never'] } } }
const calls = [
  { id: 'call_1', name: 'refuse_it', args: {} },
  { id: 'call_2', name: 'run_it', args: {} },
]
const delivered = {
  role: 'assistant',
  content: 'I try.',
  tool_calls: [{ id: 'call_2', type: 'function', function: { name: 'run_it', arguments: '{}' } }],
}
const result = { role: 'tool', tool_call_id: 'call_2', content: 'it ran' }

test.each([
  { session: 'one', sees: ['call_1', 'call_2'] },
  { session: 'another', sees: ['call_2'] },
])('in session $session the vendor sees $sees', async ({ session, sees }) => {
  await using vendor = await startVendor((request) => say(request, request.index === 0 ? { text: 'I try.', calls } : { text: 'Well.' }))
  await using floors = await openFloors({ config: vendorConfig('openai', vendor.url, { contracts }) })
  const ask = (messages: readonly object[], name: string) =>
    post(`${floors.url}/v1/chat/completions`, keys.alice, { model: 'm', messages }, { 'x-turnward-session': name })
  await ask(
    [
      { role: 'user', content: 'A long story.' },
      { role: 'user', content: 'Go.' },
    ],
    'one',
  )
  await ask([{ role: 'user', content: 'The story in short. Go.' }, delivered, result], session)
  const history = historyOf(vendor.last())
  expect(history.flatMap((message) => message.calls.map(({ id }) => id))).toEqual(sees)
  expect(history.flatMap((message) => message.results.map(({ id }) => id))).toEqual(sees)
})
