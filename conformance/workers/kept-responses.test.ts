/** What one process keeps, all of them have: whichever a connection comes to shows it, goes on from it, and cancels it. */
import OpenAI from 'openai'
import { expect, test } from 'vitest'
import { startGateway } from '../harness/gateway-process.ts'
import { governedConfig, secretEnv, secrets } from '../harness/governed-config.ts'
import { say } from '../harness/model-answer.ts'
import { historyOf } from '../harness/model-history.ts'
import { until } from '../harness/until.ts'
import { startVendor, type VendorReply } from '../harness/vendor.ts'

const model = 'gpt-test'
/** So many connections that not all come to one process. */
const many = 12

test('responses are kept by all processes of a gateway together', async () => {
  let answers = 0
  await using vendor = await startVendor((request) => {
    if (request.bytes.includes('for ever')) return new Promise<VendorReply>(() => {})
    answers += 1
    const reply = say(request, { text: 'Noted.' })
    return {
      ...reply,
      parts: reply.parts.map((part) => (typeof part === 'string' ? part.replaceAll('"resp_', `"resp_${answers}_`) : part)),
    }
  })
  await using gateway = await startGateway({
    config: { ...governedConfig({ openai: vendor.url, anthropic: vendor.url }), workers: 2, responses: { max_background: many } },
    env: secretEnv,
  })
  // Each request on a connection of its own.
  const client = new OpenAI({
    apiKey: secrets.alice,
    baseURL: `${gateway.url}/v1`,
    maxRetries: 0,
    defaultHeaders: { connection: 'close' },
  })
  const first = await client.responses.create({ model, input: 'One.' })
  const second = await client.responses.create({ model, input: 'Two.', previous_response_id: first.id })
  for (let at = 0; at < many; at += 1) expect((await client.responses.retrieve(second.id)).output_text).toBe('Noted.')
  await Promise.all(
    Array.from({ length: many }, () => client.responses.create({ model, input: 'Three.', previous_response_id: second.id })),
  )
  expect(historyOf(vendor.last()).map(({ text }) => text)).toEqual(['One.', 'Noted.', 'Two.', 'Noted.', 'Three.'])

  const before = vendor.requests.length
  const begun = await Promise.all(
    Array.from({ length: many }, (_, at) => client.responses.create({ model, input: `${at} for ever.`, background: true })),
  )
  await vendor.received(before + many)
  for (const { id } of begun) expect((await client.responses.retrieve(id)).status).toBe('in_progress')
  await expect(client.responses.create({ model, input: 'One more for ever.', background: true })).rejects.toMatchObject({ status: 429 })
  for (const { id } of begun) expect((await client.responses.cancel(id)).status).toBe('cancelled')
  for (const request of vendor.requests.slice(before)) expect(await request.ended).toBe('left')
  const next = await until('a place', () => client.responses.create({ model, input: 'Last.', background: true }).catch(() => undefined))
  await until('its answer', async () => ((await client.responses.retrieve(next.id)).status === 'completed' ? true : undefined))

  let goOn = (): void => {}
  const opened = new Promise<void>((resolve) => (goOn = resolve))
  vendor.respond((request) => {
    const { parts, ...reply } = say(request, { text: 'All that was thought in the meantime.' })
    return { ...reply, parts: [...parts.slice(0, 6), opened, ...parts.slice(6)] }
  })
  const take = async (stream: AsyncIterable<OpenAI.Responses.ResponseStreamEvent>, most = Infinity) => {
    const events: OpenAI.Responses.ResponseStreamEvent[] = []
    for await (const event of stream) if (events.push(event) >= most) break
    return events
  }
  const seen = await take(await client.responses.create({ model, input: 'Stream.', background: true, stream: true }), 5)
  const id = seen[0]?.type === 'response.created' ? seen[0].response.id : ''
  const rests = Promise.all(
    Array.from({ length: many }, async () => take(await client.responses.retrieve(id, { stream: true, starting_after: 4 }))),
  )
  goOn()
  const [rest = [], ...others] = await rests
  for (const other of others) expect(other).toEqual(rest)
  const whole = await take(await client.responses.retrieve(id, { stream: true }))
  expect([...seen, ...rest]).toEqual(whole)
  expect(whole.at(-1)).toMatchObject({ type: 'response.completed', response: { status: 'completed' } })
})
