/**
 * Streams of responses that are made in the background: whoever loses the connection comes back for what followed the last
 * number it has seen, and has, put together, what it would have had. The official SDK and plain readers, on an upstream of each
 * dialect.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import { governedConfig, secretEnv, secrets } from '../harness/governed-config.ts'
import { startGoverned, type GovernedGateway } from '../harness/governed-gateway.ts'
import { say, vendorError, type ModelAnswer } from '../harness/model-answer.ts'
import { historyOf } from '../harness/model-history.ts'
import { startVendor, type VendorReply, type VendorRequest } from '../harness/vendor.ts'

type StreamEvent = OpenAI.Responses.ResponseStreamEvent

const tools = ['get_time', 'delete_file'].map((name): OpenAI.Responses.FunctionTool => ({
  type: 'function',
  name,
  parameters: { type: 'object', properties: {} },
  strict: false,
}))

let governed: GovernedGateway
let alice: OpenAI
let bob: OpenAI

beforeAll(async () => {
  governed = await startGoverned((config) => {
    const { openai, ...others } = config['upstreams'] as { openai: { base_url: string } }
    return {
      ...config,
      upstreams: { ...others, openai, chat: { kind: 'openai-compatible', credential: 'openai-team', base_url: openai.base_url } },
      routes: [...(config['routes'] as unknown as object[]), { model: 'chat-test', upstreams: ['chat'] }],
      responses: { max_bytes: 20_000 },
      turns: { tell_user: 'never' },
      rules: [{ name: 'no-changes', when: "'mutation' in tool.effects", verdict: 'deny', reason: 'Nothing is changed here.' }],
    }
  })
  const client = (apiKey: string): OpenAI => new OpenAI({ apiKey, baseURL: `${governed.url}/v1`, maxRetries: 0 })
  alice = client(secrets.alice)
  bob = client(secrets.bob)
})
afterAll(() => governed.close())

function begin(model: string, more: object = {}, client = alice) {
  return client.responses.create({ model, input: 'Think.', background: true, stream: true, ...more })
}

/** The next events of a stream, so many at most; then the connection is lost. */
async function take(stream: AsyncIterable<StreamEvent>, most = Infinity): Promise<StreamEvent[]> {
  const events: StreamEvent[] = []
  if (most === 0) return events
  for await (const event of stream) {
    events.push(event)
    if (events.length >= most) break
  }
  return events
}

const numbersOf = (events: readonly StreamEvent[]): number[] => events.map(({ sequence_number: number }) => number)
const idOf = ([first]: readonly StreamEvent[]): string => (first?.type === 'response.created' ? first.response.id : '')

async function follow(id: string, after?: number, client = alice): Promise<StreamEvent[]> {
  const query = after === undefined ? { stream: true as const } : { stream: true as const, starting_after: after }
  return take(await client.responses.retrieve(id, query))
}

/** A vendor that stops after so many of its events until it is let go on. */
function halting(answer: ModelAnswer, after: number) {
  let goOn = (): void => {}
  const opened = new Promise<void>((resolve) => (goOn = resolve))
  const respond = (request: VendorRequest): VendorReply => {
    const reply = say(request, answer)
    return { ...reply, parts: [...reply.parts.slice(0, after), opened, ...reply.parts.slice(after)] }
  }
  return { respond, goOn }
}

describe.each([
  { upstream: 'responses', vendor: 'openai', model: 'gpt-test' },
  { upstream: 'chat', vendor: 'openai', model: 'chat-test' },
  { upstream: 'messages', vendor: 'anthropic', model: 'claude-test' },
] as const)('a stream in the background, on a $upstream upstream', ({ vendor: of, model }) => {
  test('goes on without its client, who comes back for the rest', async () => {
    const { respond, goOn } = halting({ text: 'All that was thought in the meantime.' }, 6)
    governed.respond(respond)
    const before = await take(await begin(model), 5)
    const id = idOf(before)
    expect(before.map(({ type }) => type).slice(0, 3)).toEqual(['response.created', 'response.queued', 'response.in_progress'])
    expect(before[0]).toMatchObject({ response: { id, status: 'queued', background: true, store: true } })
    expect((await alice.responses.retrieve(id)).status).toBe('in_progress')
    const rest = follow(id, 4)
    const whole = follow(id)
    goOn()
    const all = [...before, ...(await rest)]
    expect(numbersOf(all)).toEqual(all.map((_, at) => at))
    expect(await whole).toEqual(all)
    expect(await follow(id)).toEqual(all)
    expect(await governed.vendors[of].last().ended).toBe('finished')
    // It ends with what everybody is shown who asks for it.
    const shown = await alice.responses.retrieve(id)
    const { output_text: text, ...response } = shown
    expect(text).toBe('All that was thought in the meantime.')
    expect(all.at(-1)).toMatchObject({ type: 'response.completed', response })
    const deltas = all.flatMap((event) => (event.type === 'response.output_text.delta' ? [event.delta] : []))
    expect(deltas.join('')).toBe(text)
    const next = await take(await begin(model, { input: 'Go on.', previous_response_id: id }))
    expect(next.at(-1)).toMatchObject({ type: 'response.completed', response: { previous_response_id: id } })
  })

  test('never has a call that was refused, while the model is told of it', async () => {
    governed.respond((request) =>
      say(
        request,
        historyOf(request).some(({ results }) => results.length > 0)
          ? { text: 'I leave it.' }
          : { text: 'I act.', calls: [{ id: 'call_delete', name: 'delete_file', args: { path: '/etc/attacker' } }] },
      ),
    )
    const all = await take(await begin(model, { tools }))
    expect(numbersOf(all)).toEqual(all.map((_, at) => at))
    expect(await follow(idOf(all))).toEqual(all)
    for (const refused of ['call_delete', '/etc/attacker']) expect(JSON.stringify(all)).not.toContain(refused)
    const last = all.at(-1)
    expect(last?.type === 'response.completed' ? last.response.output.map(({ type }) => type) : last).toEqual(['message', 'message'])
    // Of two calls one is released.
    governed.respond((request) =>
      say(request, {
        calls: [
          { id: 'call_delete', name: 'delete_file', args: { path: '/etc/attacker' } },
          { id: 'call_time', name: 'get_time' },
        ],
      }),
    )
    const some = await take(await begin(model, { tools, input: 'Once more.' }))
    expect(JSON.stringify(some)).not.toContain('call_delete')
    expect(some.at(-1)).toMatchObject({ response: { output: [{ type: 'function_call', call_id: 'call_time' }] } })
  })

  test.each(['cancelled', 'deleted'] as const)('ends for whoever follows it when it is %s', async (way) => {
    const { respond } = halting({ text: 'Never to be said.' }, 4)
    governed.respond(respond)
    const stream = await begin(model)
    const id = idOf(await take(await alice.responses.retrieve(await idFrom(stream), { stream: true }), 1))
    const others = [follow(id), follow(id, 2)]
    await (way === 'cancelled' ? alice.responses.cancel(id) : alice.responses.delete(id))
    const ends = await Promise.all(others)
    const failed = way === 'cancelled' ? { id, status: 'cancelled' } : { id, status: 'failed', error: { code: 'response.not_found' } }
    for (const events of ends) expect(events.at(-1)).toMatchObject({ type: 'response.failed', response: failed })
    expect(numbersOf(ends[0] ?? [])).toEqual(ends[0]?.map((_, at) => at))
    expect(ends[1]).toEqual(ends[0]?.slice(3))
    expect(await governed.vendors[of].last().ended).toBe('left')
    if (way === 'cancelled') expect(await follow(id)).toEqual(ends[0])
    else await expect(follow(id)).rejects.toMatchObject({ status: 404, code: 'response.not_found' })
  })

  test('tells what it failed of: before it began, in the middle, and broken off', async () => {
    governed.respond((request) => vendorError(request, 400, 'the input is too long'))
    const refused = await take(await begin(model))
    expect(refused.at(-1)).toMatchObject({
      type: 'response.failed',
      sequence_number: 3,
      response: { status: 'failed', error: { message: expect.stringContaining('too long') } },
    })
    governed.respond((request) => {
      const reply = say(request, { text: 'Half of what there is to say.' })
      return { ...reply, parts: reply.parts.slice(0, 6), ends: 'reset' }
    })
    const broken = await take(await begin(model))
    expect(broken.at(-1)).toMatchObject({ type: 'response.failed', response: { error: { code: 'upstream.failed' } } })
    expect(await follow(idOf(broken))).toEqual(broken)
    expect(await alice.responses.retrieve(idOf(broken))).toMatchObject({ status: 'failed', error: { code: 'upstream.failed' } })
  })
})

async function idFrom(stream: AsyncIterable<StreamEvent>): Promise<string> {
  return idOf(await take(stream, 1))
}

describe('what is asked of a stream', () => {
  test('is refused with what is wrong, and nobody else’s', async () => {
    governed.answer({ text: 'Noted.' })
    const all = await take(await begin('gpt-test'))
    const id = idOf(all)
    const last = all.length - 1
    const ask = (query: string, of = id): Promise<Response> =>
      fetch(`${governed.url}/v1/responses/${of}?${query}`, { headers: { authorization: `Bearer ${secrets.alice}` } })
    for (const after of ['-1', '1.5', 'x', '', '1e3', `${last + 1}`, '999999999'])
      expect([after, (await ask(`stream=true&starting_after=${after}`)).status]).toEqual([after, 400])
    expect(await (await ask('stream=yes')).json()).toMatchObject({
      error: { code: 'request.invalid', message: expect.stringContaining('stream') },
    })
    expect(await (await ask(`stream=true&starting_after=${last + 1}`)).json()).toMatchObject({ error: { code: 'request.invalid' } })
    expect(await follow(id, last)).toEqual([])
    expect(await follow(id, last - 1)).toEqual(all.slice(-1))
    expect((await (await ask('stream=false')).json()) as object).toMatchObject({ id, status: 'completed' })
    const head = await fetch(`${governed.url}/v1/responses/${id}?stream=true`, {
      method: 'HEAD',
      headers: { authorization: `Bearer ${secrets.alice}` },
    })
    expect(head.status).toBe(200)
    await expect(follow(id, undefined, bob)).rejects.toMatchObject({ status: 404, code: 'response.not_found' })
    await alice.responses.delete(id)
    await expect(follow(id)).rejects.toMatchObject({ status: 404, code: 'response.not_found' })
  })

  test('is refused of one that has none: not in the background, or whole', async () => {
    governed.answer({ text: 'Noted.' })
    const waited = await alice.responses.stream({ model: 'gpt-test', input: 'One.' }).finalResponse()
    const whole = await alice.responses.create({ model: 'gpt-test', input: 'One.', background: true })
    for (const { id } of [waited, whole]) await expect(follow(id)).rejects.toMatchObject({ status: 400, code: 'response.not_streamed' })
  })
})

test('the stream helper of the SDK resumes it', async () => {
  const { respond, goOn } = halting({ text: 'All that was thought in the meantime.' }, 6)
  governed.respond(respond)
  const id = await idFrom(await begin('gpt-test'))
  const resumed = alice.responses.stream({ response_id: id, starting_after: 3 } as never)
  goOn()
  expect((await resumed.finalResponse()).output_text).toBe('All that was thought in the meantime.')
})

/** The bytes of a stream, read until so many events are there. */
async function read(path: string, most = Infinity, body?: object): Promise<string[]> {
  const answer = await fetch(`${governed.url}/v1/${path}`, {
    headers: { authorization: `Bearer ${secrets.alice}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  })
  expect(answer.headers.get('content-type')).toContain('text/event-stream')
  let text = ''
  const events = (): string[] => (text.match(/[^]+?\n\n/g) ?? []).filter((event) => !event.startsWith(':'))
  const decoder = new TextDecoder()
  for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true })
    if (events().length >= most) break
  }
  return events().slice(0, most)
}

test('wherever the connection is lost, the parts are the whole, byte for byte', async () => {
  governed.answer({ text: 'Ten words, and some more, in so many little pieces. '.repeat(8) })
  const whole = await read('responses', Infinity, { model: 'gpt-test', input: 'Think.', background: true, stream: true })
  const id = /"id":"(resp_[^"]+)"/.exec(whole[0] ?? '')?.[1] ?? ''
  expect(whole.length).toBeGreaterThan(40)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 6 }), async (lengths) => {
      const parts: string[] = []
      for (const length of [...lengths, Infinity]) {
        const query = parts.length === 0 ? 'stream=true' : `stream=true&starting_after=${parts.length - 1}`
        parts.push(...(await read(`responses/${id}?${query}`, length)))
      }
      expect(parts).toEqual(whole)
    }),
    { numRuns: 15 },
  )
})

test('one whose stream is too large to be kept is told to its end, and is there as a whole', async () => {
  // Of letters that nothing packs, the events take several times what the answer takes.
  const text = Array.from({ length: 9000 }, () => String.fromCodePoint(33 + Math.floor(Math.random() * 90))).join('')
  governed.answer({ text })
  const all = await take(await begin('gpt-test'))
  expect(all.at(-1)).toMatchObject({ type: 'response.completed' })
  const id = idOf(all)
  expect((await alice.responses.retrieve(id)).output_text).toBe(text)
  await expect(follow(id)).rejects.toMatchObject({
    status: 400,
    code: 'response.not_streamed',
    message: expect.stringContaining('max_bytes'),
  })
})

test('whoever reads slowly is waited for, and keeps nobody else waiting', async () => {
  await using large = await startGoverned((config) => ({ ...config, responses: { max_bytes: 3_000_000 } }))
  large.answer({ text: 'The same few words, again and again. '.repeat(10_000) })
  const client = new OpenAI({ apiKey: secrets.alice, baseURL: `${large.url}/v1`, maxRetries: 0 })
  const slow = await begin('gpt-test', {}, client)
  const id = await idFrom(await begin('gpt-test', { input: 'Another.' }, client))
  const quick = await follow(id, undefined, client)
  expect(quick.at(-1)).toMatchObject({ type: 'response.completed' })
  // It has not read a byte while many times what a connection holds went by.
  const all = await take(slow)
  expect(numbersOf(all)).toEqual(all.map((_, at) => at))
  expect(all).toHaveLength(quick.length)
  expect(await follow(idOf(all), all.length - 10, client)).toEqual(all.slice(-9))
})

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'a gateway that ends (%s) leaves the streams that had ended, and an end to the others',
  async (signal) => {
    await using vendor = await startVendor((request) => {
      const reply = say(request, { text: 'Noted.' })
      return request.bytes.includes('for ever') ? { ...reply, parts: reply.parts.slice(0, 5), ends: 'never' } : reply
    })
    const folder = await mkdtemp(join(tmpdir(), 'turnward-streams-'))
    const config = { ...governedConfig({ openai: vendor.url, anthropic: vendor.url }), limits: { drain_ms: 1000 }, data_dir: folder }
    const open = async (): Promise<{ readonly gateway: RunningGateway; readonly client: OpenAI }> => {
      const gateway = await startGateway({ config, env: secretEnv })
      return { gateway, client: new OpenAI({ apiKey: secrets.alice, baseURL: `${gateway.url}/v1`, maxRetries: 0 }) }
    }
    try {
      const first = await open()
      const all = await take(await begin('gpt-test', {}, first.client))
      const seen = await take(await begin('gpt-test', { input: 'Think for ever.' }, first.client), 5)
      await first.gateway.stop(signal)
      const second = await open()
      expect(await follow(idOf(all), undefined, second.client)).toEqual(all)
      const rest = await follow(idOf(seen), 4, second.client)
      expect(rest.at(-1)).toMatchObject({ type: 'response.failed', response: { error: { code: 'response.interrupted' } } })
      expect(numbersOf(rest)).toEqual(rest.map((_, at) => 5 + at))
      await second.gateway.stop()
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
)
