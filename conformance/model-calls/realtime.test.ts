/** Realtime sessions through a running gateway, with the official SDK: sound and words as they come, calls only when they are allowed. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import OpenAI from 'openai'
import { OpenAIRealtimeWS } from 'openai/realtime/ws'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { governedConfig, secretEnv, secrets } from '../harness/governed-config.ts'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { answerEvents, startRealtimeVendor, type RealtimeVendor, type VendorSession } from '../harness/realtime-vendor.ts'
import { until } from '../harness/until.ts'

let vendor: RealtimeVendor
let gateway: RunningGateway
let config: Record<string, object>

beforeAll(async () => {
  vendor = await startRealtimeVendor()
  const usual = governedConfig({ openai: vendor.url, anthropic: vendor.url })
  config = {
    ...usual,
    routes: [
      { model: 'gpt-test', upstreams: [{ upstream: 'openai', model: 'gpt-realtime' }] },
      { model: 'claude-test', upstreams: ['anthropic'] },
      { model: 'gpt-realtime', upstreams: ['openai'] },
    ],
    turns: { max_splices: 2 },
    limits: { max_event_bytes: 200_000 },
  }
  gateway = await startGateway({ config, env: secretEnv })
})
afterAll(async () => {
  await gateway?.stop()
  await vendor?.[Symbol.asyncDispose]()
})

interface Talk {
  readonly frames: string[]
  readonly client: OpenAIRealtimeWS
  readonly vendor: VendorSession
  readonly errors: Json[]
  /** The client has been sent an event of this type, so many times. */
  heard(type: string, count?: number): Promise<Json>
  events(): Json[]
  closed(): Promise<number>
}

const tool = (name: string): { type: 'function'; name: string; parameters: object } => ({
  type: 'function',
  name,
  parameters: { type: 'object' },
})

async function talk(key = secrets.alice, headers: Record<string, string> = {}): Promise<Talk> {
  const { hostname, port } = new URL(gateway.url)
  const before = vendor.sessions.length
  const client = new OpenAIRealtimeWS(
    // The SDK speaks TLS to whoever it is; an edge would end it in front of the gateway.
    { model: 'gpt-test', options: { headers, createConnection: () => connect(Number(port), hostname) } as never },
    new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1` }),
  )
  const opened = once(client.socket, 'open')
  const frames: string[] = []
  const errors: Json[] = []
  let code: number | undefined
  client.on('error', (error) => void errors.push(error as unknown as Json))
  client.socket.on('message', (data) => void frames.push(String(data)))
  client.socket.on('close', (closed) => (code = closed))
  const events = (): Json[] => frames.map((frame) => JSON.parse(frame) as Json)
  // The vendor has its session before the client has its own.
  const [session] = await Promise.all([vendor.session(before + 1), opened])
  return {
    frames,
    client,
    errors,
    events,
    vendor: session,
    async heard(type, count = 1) {
      const found = (): Json[] => events().filter((event) => event['type'] === type)
      return until(`${type} at the client`, () => (found().length >= count ? found().at(-1) : undefined))
    },
    closed: () => until('the end of the session', () => code),
  }
}

const ask = (client: OpenAIRealtimeWS, text: string): void => {
  client.send({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] } })
  client.send({ type: 'response.create' })
}
const calls = (talked: Talk): string[] => talked.frames.filter((frame) => frame.includes('function_call'))

describe('a realtime session', () => {
  test("carries words and sound byte for byte, with the caller's credential, on record before the upstream is asked", async () => {
    const one = await talk()
    expect(one.vendor.path).toBe('/v1/realtime?model=gpt-realtime')
    expect(one.vendor.headers.authorization).toBe(`Bearer ${secrets.openai}`)
    expect(JSON.stringify(one.vendor.headers)).not.toContain(secrets.alice)
    const decision = await gateway.recordThat((record) => record.kind === 'model_operation' && record.type === 'decision')
    expect(decision).toMatchObject({
      operation: 'realtime',
      principal: 'alice',
      subject: 'gpt-test',
      credential: 'openai-team',
      verdict: 'allow',
    })
    ask(one.client, 'Hello.')
    await one.vendor.heard('response.create')
    const [created, ...rest] = answerEvents('resp_1', [], 'Hi.')
    const deltas = [
      '{"type":"response.output_audio.delta",  "response_id":"resp_1","delta":"AAA="}',
      '{"delta":"\\u0041AB=", "response_id":"resp_1","type":"response.output_audio.delta"}',
    ]
    one.vendor.say(created as object, ...deltas, ...rest)
    await one.heard('response.done')
    expect(one.frames.slice(1)).toEqual([JSON.stringify(created), ...deltas, ...rest.map((event) => JSON.stringify(event))])
    one.client.close()
    await until('the end at the vendor', () => one.vendor.closed)
    const outcome = await gateway.recordThat((record) => record.type === 'outcome' && record.id === decision.id)
    expect(outcome).toMatchObject({ outcome: 'ok' })
  })

  test('a call that is allowed comes whole, after its decision', async () => {
    const one = await talk()
    ask(one.client, 'What time is it?')
    await one.vendor.heard('response.create')
    const said = answerEvents('resp_2', [{ id: 'call_time', name: 'get_time', args: { zone: 'UTC' } }])
    const last = said.findIndex((event) => (event as Json)['type'] === 'response.output_item.done')
    one.vendor.say(...said.slice(0, last))
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(calls(one)).toEqual([])
    one.vendor.say(...said.slice(last))
    await one.heard('response.done')
    expect(one.frames.slice(1)).toEqual(said.map((event) => JSON.stringify(event)))
    const record = await gateway.recordThat((decided) => decided.kind === 'tool_proposal' && decided.toolCallId === 'call_time')
    expect(record).toMatchObject({ action: 'release', subject: 'get_time' })
    const shown = await gateway.cli(['turns', 'show', String(record.turn)])
    expect(shown.stdout).toContain('get_time')
    one.client.close()
  })

  test('what was read narrows the session: the next call is refused, the model is told, and the turn goes on', async () => {
    const one = await talk()
    one.client.send({
      type: 'session.update',
      session: { type: 'realtime', tools: [tool('web_fetch'), tool('send_mail'), tool('get_time')] },
    })
    expect((await one.vendor.heard('session.update'))['session'].tools).toHaveLength(3)
    ask(one.client, 'Read the page and mail it.')
    await one.vendor.heard('response.create')
    one.vendor.say(...answerEvents('resp_3', [{ id: 'call_web', name: 'web_fetch' }]))
    await one.heard('response.done')
    one.client.send({ type: 'conversation.item.create', item: { type: 'function_call_output', call_id: 'call_web', output: 'a page' } })
    one.client.send({ type: 'response.create' })
    await one.vendor.heard('response.create', 2)
    const before = one.frames.length
    one.vendor.say(
      ...answerEvents('resp_4', [
        { id: 'call_mail', name: 'send_mail' },
        { id: 'call_time2', name: 'get_time' },
      ]),
    )
    await one.heard('response.done', 2)
    const seen = one.frames.slice(before).join('\n')
    expect(seen).not.toContain('send_mail')
    expect(seen).not.toContain('call_mail')
    expect(seen).toContain('call_time2')
    expect((await one.heard('response.done', 2))['response'].output.map(({ call_id: id }: Json) => id)).toEqual(['call_time2'])
    expect((await one.vendor.heard('conversation.item.create', 3))['item']).toMatchObject({
      type: 'function_call_output',
      call_id: 'call_mail',
      output: expect.stringContaining('not run'),
    })
    // The client goes on with what it was given.
    expect(one.vendor.events.filter((event) => event['type'] === 'response.create')).toHaveLength(2)
    one.client.send({ type: 'conversation.item.create', item: { type: 'function_call_output', call_id: 'call_time2', output: 'noon' } })
    one.client.send({ type: 'response.create' })
    await one.vendor.heard('response.create', 3)
    // All refused: nobody sees the answer, and the model is asked again.
    vendor.respond((event, session) => {
      if (event['type'] !== 'conversation.item.create' || event['item'].type !== 'function_call_output') return
      session.say({ type: 'conversation.item.added', previous_item_id: 'item_call_mail2', item: event['item'] })
    })
    const all = one.frames.length
    one.vendor.say(...answerEvents('resp_5', [{ id: 'call_mail2', name: 'send_mail' }]))
    const own = await one.vendor.heard('conversation.item.create', 5)
    await one.vendor.heard('response.create', 4)
    one.vendor.say({
      type: 'conversation.item.added',
      previous_item_id: own['item'].id,
      item: { id: 'item_m', type: 'message', role: 'assistant', content: [] },
    })
    one.vendor.say(...answerEvents('resp_6', [], 'I could not mail it.'))
    await one.heard('response.done', 3)
    const rest = one.events().slice(all)
    expect(JSON.stringify(rest)).not.toContain('mail2')
    expect(JSON.stringify(rest)).not.toContain('resp_5')
    expect(rest[0]).toMatchObject({ type: 'conversation.item.added', previous_item_id: null })
    const record = await gateway.recordThat((decided) => decided.kind === 'tool_proposal' && decided.toolCallId === 'call_mail')
    expect(record).toMatchObject({ action: 'refuse', labelBefore: { trust: 'untrusted' } })
    const shown = await gateway.cli(['turns', 'show', String(record.turn)])
    expect(shown.stdout).toContain('send_mail')
    expect(shown.stdout).toContain('web_fetch')
    // What cannot be called any more leaves the offer.
    one.client.send({
      type: 'session.update',
      session: { type: 'realtime', tools: [tool('send_mail'), tool('get_time')], tool_choice: { type: 'function', name: 'send_mail' } },
    })
    const updated = (await one.vendor.heard('session.update', 2))['session']
    expect([updated.tools.map(({ name }: Json) => name), updated.tool_choice]).toEqual([['get_time'], 'auto'])
    vendor.respond(() => {})
    one.client.close()
  })

  test('a session that has a name goes on under it, with what it has read', async () => {
    const one = await talk(secrets.alice, { 'x-turnward-session': 'spoken' })
    one.client.send({ type: 'response.create' })
    await one.vendor.heard('response.create')
    one.vendor.say(...answerEvents('resp_n', [{ id: 'call_n', name: 'web_fetch' }]))
    await one.heard('response.done')
    one.client.send({ type: 'conversation.item.create', item: { type: 'function_call_output', call_id: 'call_n', output: 'a page' } })
    await one.vendor.heard('conversation.item.create')
    one.client.close()
    const other = await talk(secrets.alice, { 'x-turnward-session': 'spoken' })
    other.vendor.say(...answerEvents('resp_o', [{ id: 'call_o', name: 'send_mail' }]))
    await other.vendor.heard('response.create')
    expect(calls(other)).toEqual([])
    other.client.close()
  })

  test('a result of a call that nobody made, and calls that the client makes up, count as strange', async () => {
    const made = { type: 'function_call', call_id: 'call_up', name: 'get_time', arguments: '{}' } as const
    const output = { type: 'function_call_output', call_id: 'call_none', output: 'noon' } as const
    for (const item of [made, output]) {
      const one = await talk()
      one.client.send({ type: 'conversation.item.create', item })
      const sent = (await one.vendor.heard('conversation.item.create'))['item']
      one.vendor.say({ type: 'conversation.item.added', item: sent })
      if (item === made) {
        await one.heard('conversation.item.added')
        one.client.send({ type: 'conversation.item.create', item: { ...made, name: 'read_notes' } })
        expect((await one.heard('error'))['error'].message).toContain('there is such a call already')
      }
      one.vendor.say(...answerEvents('resp_p', [{ id: 'call_p', name: 'send_mail' }]))
      await one.vendor.heard('response.create')
      expect(one.frames.join('')).not.toContain('send_mail')
      one.client.close()
    }
  })

  test('a model that keeps proposing what is refused is not asked for ever', async () => {
    const one = await talk(secrets.bob)
    let round = 0
    vendor.respond((event, session) => {
      if (event['type'] === 'response.create')
        session.say(...answerEvents(`resp_r${(round += 1)}`, [{ id: `call_r${round}`, name: 'send_mail' }]))
    })
    one.client.send({ type: 'response.create' })
    const error = await one.heard('error')
    expect(error['error'].code).toBe('policy.refused')
    expect(round).toBe(3)
    expect(calls(one)).toEqual([])
    vendor.respond(() => {})
    one.client.close()
  })
})

describe('what a client may not say is refused by name, and nothing of it is sent', () => {
  const mcp = { type: 'mcp', server_label: 'x', server_url: 'https://x.example' }
  test.each([
    ['mcp tools', { type: 'session.update', session: { type: 'realtime', tools: [mcp] } }, 'tools[0].type'],
    ['mcp tools of one answer', { type: 'response.create', response: { tools: [mcp] } }, 'tools[0].type'],
    ['stored prompts', { type: 'session.update', session: { type: 'realtime', prompt: { id: 'p' } } }, 'prompt'],
    ['transcription sessions', { type: 'session.update', session: { type: 'transcription' } }, 'session.type'],
    ['approvals', { type: 'conversation.item.create', item: { type: 'mcp_approval_response' } }, 'item.type'],
    ['events nobody knows', { type: 'session.explode' }, 'session.explode'],
    ['another model', { type: 'session.update', session: { type: 'realtime', model: 'gpt-other' } }, 'session.model'],
  ])('%s', async (_name, event, named) => {
    const one = await talk()
    one.client.socket.send(JSON.stringify({ event_id: 'mine', ...event }))
    const { error } = await one.heard('error')
    expect(error).toMatchObject({ event_id: 'mine', code: 'request.unsupported', message: expect.stringContaining(named) })
    one.client.send({ type: 'input_audio_buffer.clear' })
    await one.vendor.heard('input_audio_buffer.clear')
    expect(one.vendor.events).toHaveLength(1)
    one.client.close()
  })

  test('a model for transcripts that is not granted', async () => {
    const one = await talk(secrets.bob)
    one.client.send({ type: 'session.update', session: { type: 'realtime', audio: { input: { transcription: { model: 'whisper-1' } } } } })
    expect((await one.heard('error'))['error'].code).toBe('grant.model')
    one.client.close()
  })

  test('keys that two readers would read differently', async () => {
    const one = await talk()
    one.client.socket.send('{"type":"session.update","type":"response.create"}')
    expect((await one.heard('error'))['error'].code).toBe('request.ambiguous_key')
    one.client.close()
  })
})

describe('who is not let in gets an answer, and no session', () => {
  const refused = (path: string, headers: Record<string, string> = {}, protocols: string[] = []): Promise<{ status: number; body: Json }> =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}${path}`, protocols, { headers })
      socket.on('error', reject)
      socket.on('open', () => reject(new Error('it was let in')))
      socket.on('unexpected-response', (_request, response) => {
        let text = ''
        response.on('data', (chunk) => (text += String(chunk)))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Json }))
      })
    })
  const as = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` })

  test.each([
    ['a stranger', '/v1/realtime?model=gpt-test', {}, 401, 'auth.missing_key'],
    ['an unknown key', '/v1/realtime?model=gpt-test', as('tw_nobody'), 401, 'auth.unknown_key'],
    ['a model nobody granted', '/v1/realtime?model=claude-test', as(secrets.bob), 404, 'grant.model'],
    ['an upstream without it', '/v1/realtime?model=claude-test', as(secrets.alice), 400, 'request.unsupported'],
    ['transcription', '/v1/realtime?intent=transcription', as(secrets.alice), 400, 'request.unsupported'],
    ['a call over WebRTC', '/v1/realtime?call_id=rtc_1', as(secrets.alice), 400, 'request.unsupported'],
    ['no model', '/v1/realtime', as(secrets.alice), 400, 'request.invalid'],
    ['Responses', '/v1/responses', as(secrets.alice), 400, 'request.unsupported'],
  ])('%s', async (_name, path, headers, status, code) => {
    const answer = await refused(path, headers)
    expect([answer.status, answer.body['error'].code]).toEqual([status, code])
  })

  test.each(['calls', 'client_secrets', 'sessions', 'transcription_sessions'])('POST /v1/realtime/%s is refused by name', async (path) => {
    const response = await fetch(`${gateway.url}/v1/realtime/${path}`, { method: 'POST', headers: as(secrets.alice), body: '{}' })
    const body = (await response.json()) as Json
    expect([response.status, body['error'].code]).toEqual([400, 'request.unsupported'])
    expect(body['error'].message).toContain(path)
  })

  test('an upstream that refuses', async () => {
    vendor.refuse(503)
    expect(await refused('/v1/realtime?model=gpt-test', as(secrets.alice))).toMatchObject({
      status: 502,
      body: { error: { code: 'upstream.failed' } },
    })
    vendor.refuse(401)
    expect((await refused('/v1/realtime?model=gpt-test', as(secrets.alice))).body['error'].code).toBe('upstream.credential')
    vendor.refuse(undefined)
  })

  test("a browser's key comes as a protocol, and goes no further", async () => {
    const count = vendor.sessions.length
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/realtime?model=gpt-test`, [
      'realtime',
      `openai-insecure-api-key.${secrets.alice}`,
    ])
    await new Promise((resolve) => socket.on('open', resolve))
    expect(socket.protocol).toBe('realtime')
    expect(JSON.stringify((await vendor.session(count + 1)).headers)).not.toContain(secrets.alice)
    socket.close()
  })
})

describe('a session that breaks', () => {
  test('an upstream that is gone is told, and the client is let go', async () => {
    const one = await talk()
    one.vendor.socket.terminate()
    expect((await one.heard('error'))['error'].code).toBe('upstream.failed')
    expect(await one.closed()).toBe(1011)
  })

  test.each([
    ['no JSON', 'garbage'],
    ['a call with two arguments', ''],
    ['a call in an event nobody knows', JSON.stringify({ type: 'response.surprise', call: { type: 'function_call', name: 'send_mail' } })],
    ["a run of the vendor's", JSON.stringify({ type: 'response.mcp_call.in_progress', item_id: 'i' })],
    ['too much', JSON.stringify({ type: 'rate_limits.updated', pad: 'x'.repeat(300_000) })],
  ])('an upstream that says %s', async (name, frame) => {
    const one = await talk()
    if (name.startsWith('a call with two')) {
      const said = answerEvents('resp_x', [{ id: 'call_x', name: 'get_time', args: { a: 1 } }])
      one.vendor.say(
        ...said.map((event) =>
          (event as Json)['type'] === 'response.function_call_arguments.done' ? { ...event, arguments: '{"a":2}' } : event,
        ),
      )
    } else one.vendor.say(frame)
    expect((await one.heard('error'))['error'].code).toBe('upstream.malformed')
    expect(await one.closed()).toBe(1011)
    expect(calls(one)).toEqual([])
    await until('the end at the vendor', () => one.vendor.closed)
  })

  test('a client that is gone ends it at the upstream', async () => {
    const one = await talk()
    one.client.socket.terminate()
    await until('the end at the vendor', () => one.vendor.closed)
  })

  test('an event that is too large ends it', async () => {
    const one = await talk()
    one.client.send({ type: 'input_audio_buffer.append', audio: 'A'.repeat(300_000) })
    await one.closed()
    expect(one.vendor.events).toEqual([])
    await until('the end at the vendor', () => one.vendor.closed)
  })
})

test.each([
  ['garbage', Buffer.alloc(64, 0xff)],
  [
    'an event that was not waited for',
    Buffer.concat([Buffer.from([0x81, 0x80 + 35, 0, 0, 0, 0]), Buffer.from('{"type":"input_audio_buffer.clear"}')]),
  ],
])('%s right behind the handshake ends nothing but the session', async (name, behind) => {
  const { hostname, port } = new URL(gateway.url)
  const count = vendor.sessions.length
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  const head = `GET /v1/realtime?model=gpt-test HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${secrets.alice}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`
  socket.write(Buffer.concat([Buffer.from(head), behind]))
  const session = await vendor.session(count + 1)
  if (name === 'garbage') await until('the end at the vendor', () => session.closed)
  else await session.heard('input_audio_buffer.clear')
  socket.destroy()
  expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200)
})

test('a handshake that is none is answered, and opens nothing for long', async () => {
  const response = await new Promise<string>((resolve) => {
    const { hostname, port } = new URL(gateway.url)
    const socket = connect(Number(port), hostname)
    let text = ''
    socket.on('data', (chunk) => (text += String(chunk)))
    socket.on('close', () => resolve(text))
    socket.write(
      `GET /v1/realtime?model=gpt-test HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${secrets.alice}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`,
    )
  })
  expect(response).toMatch(/^HTTP\/1.1 400 /)
  expect(response).toContain('request.invalid')
})

test('the example of the page runs', async () => {
  const page = await readFile(join(import.meta.dirname, '../../docs/realtime.md'), 'utf8')
  const program = /^```js\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? ''
  vendor.respond((event, session) => {
    if (event['type'] === 'response.create') session.say(...answerEvents('resp_doc', [], 'Hello to you.'))
  })
  const env = { ...process.env, TURNWARD_URL: gateway.url, TURNWARD_KEY: secrets.alice }
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], { env })
  expect(stdout).toBe('Hello to you.')
  vendor.respond(() => {})
})

test('who does not read is not read from', async () => {
  const one = await talk()
  const sound = { type: 'response.output_audio.delta', response_id: 'r', delta: 'A'.repeat(100_000) }
  one.client.socket.pause()
  for (let count = 0; count < 500; count += 1) one.vendor.say(sound)
  await new Promise((resolve) => setTimeout(resolve, 500))
  // Most of it still waits at the vendor.
  expect(one.vendor.socket.bufferedAmount).toBeGreaterThan(20_000_000)
  one.client.socket.resume()
  await one.heard('response.output_audio.delta', 500)
  expect(one.vendor.socket.bufferedAmount).toBe(0)
  one.client.close()
})

test('who loses the grant loses the session, with the next thing that is said', async () => {
  const one = await talk(secrets.bob)
  await gateway.reload({ ...config, grants: [{ principals: ['alice'], models: ['*'], tools: ['*'] }] })
  one.client.send({ type: 'response.create' })
  expect((await one.heard('error'))['error'].code).toBe('grant.model')
  await one.closed()
  expect(one.vendor.events).toEqual([])
})

test('a gateway that stops says so', async () => {
  const one = await talk()
  gateway.signal('SIGTERM')
  expect((await one.heard('error'))['error'].code).toBe('gateway.draining')
  expect(await one.closed()).toBe(1001)
  expect(await gateway.exited).toBe(0)
})
