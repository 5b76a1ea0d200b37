/** One ticket, a hundred callers at two gateways over each way to share a state: one of them is matched. */
import { expect, test } from 'vitest'
import { say } from '../../../conformance/harness/model-answer.ts'
import { post } from '../../../conformance/harness/raw-http.ts'
import { startVendor } from '../../../conformance/harness/vendor.ts'
import { keys, openFloors } from './floors.fixture.ts'
import { sharingWays } from './sharing.fixture.ts'
import { vendorConfig } from './vendors.fixture.ts'

const contracts = { office__note: { output: { trust: 'trusted' } } }
const tools = { office__note: {} }

test.each(sharingWays)('of a hundred callers with one ticket exactly one is matched ($way)', async ({ isMissing, open }) => {
  if (isMissing) return
  await using shared = await open(7)
  await using vendor = await startVendor((request) => say(request, { calls: [{ id: 'call_1', name: 'office__note', args: {} }] }))
  const config = vendorConfig('openai', vendor.url, { contracts })
  await using first = await openFloors({ config, tools, state: shared.here })
  await using second = await openFloors({ config, tools, state: shared.there })
  await post(`${first.url}/v1/chat/completions`, keys.alice, { model: 'm', messages: [{ role: 'user', content: 'go' }] })
  await Promise.all(
    Array.from({ length: 100 }, async (_, number) => {
      const floors = number % 2 === 0 ? first : second
      await floors.call(await floors.context(keys.alice, 'x'), 'office__note')
    }),
  )
  const decisions = [...first.log.records, ...second.log.records].filter(({ kind, type }) => kind === 'tool_call' && type === 'decision')
  expect(decisions).toHaveLength(100)
  expect(decisions.filter(({ ticket }) => ticket === 'matched')).toHaveLength(1)
})
