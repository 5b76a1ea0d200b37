/** Once the client has a byte of an answer, that answer ends with its upstream: nobody is asked again. */
import { expect, test } from 'vitest'
import { eventsOf, streamHeaders } from '../../../../conformance/harness/model-answer.ts'
import { post } from '../../../../conformance/harness/raw-http.ts'
import { startVendor } from '../../../../conformance/harness/vendor.ts'
import { configOf, keys, openFloors } from '../../invariants/floors.fixture.ts'

const endings = (['openai', 'anthropic'] as const).flatMap((kind) => (['properly', 'reset'] as const).map((ends) => ({ kind, ends })))

test.each(endings)('a stream of $kind that breaks off ($ends) is not begun again, there or elsewhere', async ({ kind, ends }) => {
  await using first = await startVendor((request) => ({
    headers: streamHeaders(request),
    parts: eventsOf(request, { text: 'Half an answer' }).slice(0, 3),
    ends,
  }))
  await using second = await startVendor((request) => ({
    headers: streamHeaders(request),
    parts: eventsOf(request, { text: 'Another answer' }),
  }))
  const upstream = (url: string) => ({ kind, base_url: url, credential: 'none' })
  const config = configOf({
    upstreams: { first: upstream(first.url), second: upstream(second.url) },
    routes: [{ model: '*', upstreams: ['first', 'second'] }],
  })
  await using floors = await openFloors({ config })
  const path = kind === 'openai' ? '/v1/chat/completions' : '/v1/messages'
  const { status, text } = await post(`${floors.url}${path}`, keys.alice, {
    model: 'm',
    max_tokens: 10,
    stream: true,
    messages: [{ role: 'user', content: 'go' }],
  })
  expect(status).toBe(200)
  expect(text).toContain('upstream.failed')
  expect(text.match(kind === 'openai' ? /"role":"assistant"/g : /event: message_start/g)).toHaveLength(1)
  expect([first.requests.length, second.requests.length]).toEqual([1, 0])
  expect(floors.log.records.find(({ type }) => type === 'outcome')).toMatchObject({ outcome: 'error', errorCode: 'upstream.failed' })
})
