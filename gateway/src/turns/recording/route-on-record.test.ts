/** What a call has cost is told apart by its route: its pattern is on the record of its end, where the model does not say it. */
import { expect, test } from 'vitest'
import { say } from '../../../../conformance/harness/model-answer.ts'
import { startVendor } from '../../../../conformance/harness/vendor.ts'
import { configOf, keys, openFloors } from '../../invariants/floors.fixture.ts'
import { dialectByName } from '../../wire/dialects.ts'
import { runModelCall } from '../model-call.ts'
import { runModelOperation } from '../model-operation.ts'
import { memoryCall } from '../origins/memory-origin.ts'

test.each([
  ['any-*', 'any-model', 'any-*'],
  ['m', 'm', undefined],
])('a call by the route %s for the model %s', async (pattern, model, route) => {
  await using vendor = await startVendor((request) => say(request, { text: 'Done.' }))
  await using floors = await openFloors({
    config: configOf({
      upstreams: { vendor: { kind: 'openai', base_url: vendor.url, credential: 'none' } },
      routes: [{ model: pattern, upstreams: ['vendor'] }],
    }),
  })
  const { services } = floors
  const headers = { authorization: `Bearer ${keys.alice}` }
  const caller = await services.authenticator.authenticate({ headers }, services.snapshot(), 'models')
  const chat = memoryCall({ caller, body: { model, messages: [{ role: 'user', content: 'go' }] }, maxBytes: 1 << 20 })
  await runModelCall(services, chat.origin, dialectByName['chat-completions'])
  const embedded = memoryCall({ caller, body: { model, input: 'go' }, maxBytes: 1 << 20 })
  await runModelOperation(services, embedded.origin, { name: 'embeddings', path: '/v1/embeddings' })
  const ends = floors.log.records.filter(({ type }) => type === 'outcome')
  expect(ends.map((record) => [record.kind, record.subject, record.route])).toEqual([
    ['model_call', model, route],
    ['model_operation', model, route],
  ])
})
