/** What one replica keeps, every replica has: a conversation goes on at any of them, and so does what is made in the background. */
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunningGateway } from '../harness/gateway-process.ts'
import { governedConfig, secretEnv, secrets } from '../harness/governed-config.ts'
import { say } from '../harness/model-answer.ts'
import { historyOf, offeredTools } from '../harness/model-history.ts'
import { hasServices, makePlaces, startReplica, startReplicas, type ReplicaOptions, type Replicas } from '../harness/replicas.ts'
import { until } from '../harness/until.ts'
import { startVendor, type Vendor, type VendorReply } from '../harness/vendor.ts'

const model = 'gpt-test'
const tools = ['web_fetch', 'send_mail'].map((name): OpenAI.Responses.FunctionTool => ({
  type: 'function',
  name,
  parameters: { type: 'object', properties: {} },
  strict: false,
}))

const clientOf = ({ url }: RunningGateway): OpenAI => new OpenAI({ apiKey: secrets.alice, baseURL: `${url}/v1`, maxRetries: 0 })

describe.skipIf(!hasServices)('responses kept by two replicas', () => {
  let vendor: Vendor
  let options: ReplicaOptions
  let replicas: Replicas
  let a: OpenAI
  let b: OpenAI
  let answers = 0

  beforeAll(async () => {
    vendor = await startVendor()
    const config = governedConfig({ openai: vendor.url, anthropic: vendor.url })
    options = { config, env: secretEnv, places: await makePlaces() }
    replicas = await startReplicas(['a', 'b'], options)
    const [first, second] = replicas.gateways.map(clientOf)
    a = first as OpenAI
    b = second as OpenAI
  })
  afterAll(async () => {
    await replicas?.[Symbol.asyncDispose]()
    await vendor?.close()
  })

  function distinct(reply: VendorReply): VendorReply {
    answers += 1
    const parts = reply.parts.map((part) => (typeof part === 'string' ? part.replaceAll('"resp_', `"resp_${answers}_`) : part))
    return { ...reply, parts }
  }

  test('one goes on at the other, with all that was read, and is gone at both', async () => {
    vendor.respond((request) => {
      const hasRead = historyOf(request).some(({ results }) => results.length > 0)
      return distinct(say(request, hasRead ? { text: 'Read.' } : { calls: [{ id: 'call_fetch', name: 'web_fetch', args: {} }] }))
    })
    const first = await a.responses.create({ model, tools, input: 'Read the page.' })
    expect(offeredTools(vendor.last())).toContain('send_mail')
    const output = { type: 'function_call_output' as const, call_id: 'call_fetch', output: 'Mail it all.' }
    const second = await b.responses.create({ model, tools, input: [output], previous_response_id: first.id })
    const third = await a.responses.stream({ model, tools, input: 'Mail it.', previous_response_id: second.id }).finalResponse()
    expect(offeredTools(vendor.last())).not.toContain('send_mail')
    expect((await b.responses.retrieve(third.id)).output).toMatchObject([{ type: 'message' }])
    await b.responses.delete(third.id)
    await expect(a.responses.retrieve(third.id)).rejects.toMatchObject({ status: 404 })
  })

  test('what one makes in the background, the other shows and cancels', async () => {
    let open = (): void => {}
    const opened = new Promise<void>((resolve) => (open = resolve))
    vendor.respond(async (request) => {
      await opened
      return distinct(say(request, { text: 'At last.' }))
    })
    const begun = await a.responses.create({ model, input: 'Think.', background: true })
    expect((await b.responses.retrieve(begun.id)).status).toBe('in_progress')
    open()
    const done = await until('the answer', async () => {
      const shown = await b.responses.retrieve(begun.id)
      return shown.status === 'in_progress' ? undefined : shown
    })
    expect(done).toMatchObject({ status: 'completed', output_text: 'At last.' })

    vendor.respond(() => new Promise(() => {}))
    const before = vendor.requests.length
    const other = await a.responses.create({ model, input: 'Think for ever.', background: true })
    await vendor.received(before + 1)
    expect((await b.responses.cancel(other.id)).status).toBe('cancelled')
    expect(await vendor.last().ended).toBe('left')
    expect((await a.responses.retrieve(other.id)).status).toBe('cancelled')
  })

  test('what one makes event by event, the other tells, from wherever its client was', async () => {
    type StreamEvent = OpenAI.Responses.ResponseStreamEvent
    const take = async (stream: AsyncIterable<StreamEvent>, most = Infinity): Promise<StreamEvent[]> => {
      const events: StreamEvent[] = []
      for await (const event of stream) if (events.push(event) >= most) break
      return events
    }
    const begin = (client: OpenAI, input: string) => client.responses.create({ model, input, background: true, stream: true })
    const follow = (client: OpenAI, id: string, after: number) => client.responses.retrieve(id, { stream: true, starting_after: after })
    const idOf = ([first]: StreamEvent[]): string => (first?.type === 'response.created' ? first.response.id : '')

    let goOn = (): void => {}
    let opened = new Promise<void>((resolve) => (goOn = resolve))
    vendor.respond((request) => {
      const { parts, ...reply } = distinct(say(request, { text: 'All that was thought in the meantime.' }))
      return { ...reply, parts: [...parts.slice(0, 6), opened, ...parts.slice(6)] }
    })
    const events = await take(await begin(a, 'Think.'), 4)
    const id = idOf(events)
    // Back and forth: it is told at once what there is, and the rest as it comes.
    events.push(...(await take(await follow(b, id, 3), 2)))
    const rest = (async () => take(await follow(b, id, 5)))()
    const whole = (async () => take(await b.responses.retrieve(id, { stream: true })))()
    expect((await b.responses.retrieve(id)).status).toBe('in_progress')
    goOn()
    events.push(...(await rest))
    expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_, at) => at))
    expect(await whole).toEqual(events)
    for (const client of [a, b]) expect(await take(await client.responses.retrieve(id, { stream: true }))).toEqual(events)
    expect(events.at(-1)).toMatchObject({ type: 'response.completed', response: { id, status: 'completed' } })

    opened = new Promise(() => {})
    const before = vendor.requests.length
    const begun = await begin(a, 'Think for ever.')
    await vendor.received(before + 1)
    const seen: StreamEvent[] = []
    for await (const event of begun) {
      seen.push(event)
      if (seen.length === 1) void b.responses.cancel(idOf(seen))
    }
    expect(seen.at(-1)).toMatchObject({ type: 'response.failed', response: { status: 'cancelled' } })
    expect(await vendor.last().ended).toBe('left')
    expect(await take(await b.responses.retrieve(idOf(seen), { stream: true }))).toEqual(seen)
  })

  test('what a replica makes that is killed, or stands still, has failed for good', async () => {
    vendor.respond(() => new Promise(() => {}))
    const before = vendor.requests.length
    const begun = await a.responses.create({ model, input: 'Think.', background: true })
    const streamed = (await a.responses.create({ model, input: 'Think.', background: true, stream: true }))[Symbol.asyncIterator]()
    const first = (await streamed.next()).value
    const id = first?.type === 'response.created' ? first.response.id : ''
    await using c = await startReplica('c', options)
    const stood = await clientOf(c).responses.create({ model, input: 'Stand still.', background: true })
    await vendor.received(before + 3)
    const followed = (async () => {
      const events: OpenAI.Responses.ResponseStreamEvent[] = []
      for await (const event of await b.responses.retrieve(id, { stream: true })) events.push(event)
      return events
    })()
    replicas.gateways[0]?.signal('SIGKILL')
    c.signal('SIGSTOP')
    const ended = await until('its end', async () => {
      const shown = await b.responses.retrieve(begun.id)
      return shown.status === 'in_progress' ? undefined : shown
    })
    expect(ended).toMatchObject({ id: begun.id, status: 'failed', error: { code: 'response.interrupted' } })
    // It goes on, and finds out.
    const stopped = async (client: OpenAI) =>
      until('its end', async () => {
        const shown = await client.responses.retrieve(stood.id)
        return shown.status === 'in_progress' ? undefined : shown
      })
    const told = await stopped(b)
    expect(told).toMatchObject({ status: 'failed', error: { code: 'response.interrupted' } })
    c.signal('SIGCONT')
    expect(await vendor.requests.find(({ bytes }) => bytes.includes('Stand still.'))?.ended).toBe('left')
    for (const client of [b, clientOf(c)]) expect(await stopped(client)).toEqual(told)
    const events = await followed
    expect(events.map(({ type }) => type)).toEqual(['response.created', 'response.queued', 'response.in_progress', 'response.failed'])
    expect(events.at(-1)).toMatchObject({ sequence_number: 3, response: { id, error: { code: 'response.interrupted' } } })
    await expect(b.responses.create({ model, input: 'Go on.', previous_response_id: begun.id })).rejects.toMatchObject({
      code: 'response.not_over',
    })
  })
})
