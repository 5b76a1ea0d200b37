/** Converse on the wire: bytes, frames and errors as a client of AWS's sees them, and what broken upstreams come to. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { converseFrames, converseMessage, eventStreamHeaders, frame, framesOf } from '../harness/converse-wire.ts'
import { secrets } from '../harness/governed-config.ts'
import { bedrockKeys, startGoverned, withBedrock, type GovernedGateway } from '../harness/governed-gateway.ts'
import { say } from '../harness/model-answer.ts'
import { offeredTools } from '../harness/model-history.ts'
import { startVendor, type Vendor, type VendorReply } from '../harness/vendor.ts'

let governed: GovernedGateway
let bedrock: Vendor

beforeAll(async () => {
  bedrock = await startVendor()
  governed = await startGoverned((config) => withBedrock({ ...config, turns: { tell_user: 'never' } }, bedrock.url))
})
afterAll(async () => {
  await governed.close()
  await bedrock.close()
})

interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Buffer
}

const ask = { messages: [{ role: 'user', content: [{ text: 'Hi.' }] }] }

/** Not `fetch`, which tidies paths up before it sends them. */
async function send(method: string, path: string, body = '', headers: Record<string, string> = {}): Promise<Answered> {
  const { hostname, port } = new URL(governed.url)
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const all = { authorization: `Bearer ${secrets.alice}`, 'content-type': 'application/json', ...headers }
    httpRequest({ hostname, port, method, path, headers: all }, resolve).on('error', reject).end(body)
  })
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return {
    status: response.statusCode ?? 0,
    headers: new Headers(response.headers as Record<string, string>),
    bytes: Buffer.concat(chunks),
  }
}

const post = (path: string, body: object | string = ask, headers: Record<string, string> = {}): Promise<Answered> =>
  send('POST', path, typeof body === 'string' ? body : JSON.stringify(body), headers)

const converse = '/model/nova-test/converse'
const stream = '/model/nova-test/converse-stream'

describe('a Bedrock upstream', () => {
  test('gets the client’s bytes, and the client the upstream’s', async () => {
    bedrock.respond((request) => say(request, { text: 'Sunny. 🌤️', calls: [{ id: 'a', name: 'get_time' }] }))
    const body = '{ "messages" : [ {"role":"user","content":[{"text":"H\\u0069"}]} ], "x": 1.50 }'
    const whole = await post(converse, body)
    expect(bedrock.last().bytes.toString()).toBe(body)
    expect(whole.bytes.toString()).toBe(converseMessage({ text: 'Sunny. 🌤️', calls: [{ id: 'a', name: 'get_time' }] }))
    const streamed = await post(stream, body)
    expect(bedrock.last().bytes.toString()).toBe(body)
    expect(streamed.headers.get('content-type')).toBe('application/vnd.amazon.eventstream')
    expect(streamed.bytes.equals(Buffer.concat(converseFrames({ text: 'Sunny. 🌤️', calls: [{ id: 'a', name: 'get_time' }] })))).toBe(true)
    expect(streamed.headers.get('x-amzn-requestid')).toBe('b2a3c4d5-vendor')
  })

  test('is not offered tools that the session may not use any more, in a body that is otherwise the client’s', async () => {
    const tools = ['web_fetch', 'send_mail'].map((name) => ({ toolSpec: { name, inputSchema: { json: { type: 'object' } } } }))
    const fetched = [
      ...ask.messages,
      { role: 'assistant', content: [{ toolUse: { toolUseId: 'a', name: 'web_fetch', input: {} } }] },
      { role: 'user', content: [{ toolResult: { toolUseId: 'a', content: [{ text: 'a page' }] } }] },
    ]
    bedrock.respond((request) => say(request, { text: 'ok' }))
    await post(converse, { messages: fetched, toolConfig: { tools, toolChoice: { tool: { name: 'send_mail' } } } })
    expect(offeredTools(bedrock.last())).toEqual(['web_fetch'])
    expect(bedrock.last().body.toolConfig.toolChoice).toEqual({ auto: {} })
    await post(converse, { messages: fetched, toolConfig: { tools: tools.slice(1) } })
    expect(offeredTools(bedrock.last())).toEqual(['no_tool_available'])
  })

  test.each<[string, VendorReply, number, string, RegExp]>([
    [
      'an exception of its own passes as it is',
      {
        status: 424,
        headers: { 'x-amzn-errortype': 'ModelErrorException' },
        parts: ['{"message":"the model failed","originalStatusCode":500}'],
      },
      424,
      'ModelErrorException',
      /^\{"message":"the model failed","originalStatusCode":500\}$/,
    ],
    [
      'a throttled call',
      { status: 429, headers: { 'x-amzn-errortype': 'ThrottlingException' }, parts: ['{"message":"Too many requests"}'] },
      429,
      'ThrottlingException',
      /^\{"message":"Too many requests"\}$/,
    ],
    [
      'a model that this account may not use',
      {
        status: 403,
        headers: { 'x-amzn-errortype': 'AccessDeniedException' },
        parts: ['{"Message":"You don’t have access to the model."}'],
      },
      403,
      'AccessDeniedException',
      /access to the model/,
    ],
    [
      'a signature that is refused is ours to mend',
      {
        status: 403,
        headers: { 'x-amzn-errortype': 'UnrecognizedClientException' },
        parts: ['{"message":"The security token AKIDCONFORMANCE is invalid."}'],
      },
      502,
      'InternalServerException',
      /the credential aws-team was refused/,
    ],
    [
      'a page of an edge',
      { status: 503, headers: { 'content-type': 'text/html' }, parts: ['<html>busy</html>'] },
      503,
      'ServiceUnavailableException',
      /bedrock/,
    ],
    [
      'an answer that is none',
      { status: 200, parts: ['{"Output":{"__type":"UnknownOperationException"}}'] },
      502,
      'InternalServerException',
      /no content/,
    ],
  ])('%s', async (_, reply, status, name, words) => {
    bedrock.respond(() => reply)
    for (const path of [converse, stream]) {
      if (path === stream && reply.status === 200) continue
      const answer = await post(path)
      expect([answer.status, answer.headers.get('x-amzn-errortype')]).toEqual([status, name])
      expect(answer.bytes.toString()).toMatch(words)
      expect(answer.bytes.toString()).not.toMatch(new RegExp(`${bedrockKeys.secret}|${bedrockKeys.id}`))
    }
  })
})

test.each([converse, stream])('a conversation is one session, by its words alone: %s', async (path) => {
  const answer = {
    text: 'I look.',
    thinking: { text: 'Hm.', signature: 'sig' },
    calls: [{ id: 'a', name: 'get_time', args: { zone: 'CET' } }],
  }
  const first = [{ role: 'user', content: [{ text: `What time is it? ${path}` }] }]
  const said = JSON.parse(converseMessage(answer)) as { output: { message: object } }
  const then = [...first, said.output.message, { role: 'user', content: [{ toolResult: { toolUseId: 'a', content: [{ text: 'noon' }] } }] }]
  bedrock.respond((request) => say(request, answer))
  const one = await post(path, { messages: first })
  bedrock.respond((request) => say(request, { text: 'Noon.' }))
  const two = await post(path, { messages: then })
  expect(two.headers.get('x-turnward-session')).toBe(one.headers.get('x-turnward-session'))
  expect(two.headers.get('x-turnward-turn')).toBe(one.headers.get('x-turnward-turn'))
  const other = await post(path, { messages: [{ role: 'user', content: [{ text: 'Something else.' }] }] })
  expect(other.headers.get('x-turnward-session')).not.toBe(one.headers.get('x-turnward-session'))
})

describe('a stream that is broken', () => {
  const frames = converseFrames({ text: 'Sunny, 21 °C.', calls: [{ id: 'call_time', name: 'get_time', args: { zone: 'CET' } }] })
  const whole = Buffer.concat(frames)
  const start = frames[0] as Buffer

  /** How a client learns what became of it: a status, or frames of which the last one is an exception. */
  async function told(reply: VendorReply): Promise<string> {
    bedrock.respond(() => reply)
    const answer = await post(stream)
    if (answer.status !== 200) return String(answer.headers.get('x-amzn-errortype'))
    const last = framesOf(answer.bytes).at(-1)
    return String(last?.type)
  }
  const streamed = (...parts: Buffer[]): VendorReply => ({ headers: eventStreamHeaders, parts })
  const failures = /^(internalServer|InternalServer)Exception$/

  test('by a cut at any byte is told as such, and shows no call that was not whole', async () => {
    // What comes after the end of the message is its cost, which an answer is whole without.
    const end = whole.length - (frames.at(-1) as Buffer).length
    for (let at = 0; at < whole.length; at += 1) {
      bedrock.respond(() => streamed(whole.subarray(0, at)))
      const answer = await post(stream)
      if (at >= end) {
        expect(framesOf(answer.bytes).at(-1)?.type).toBe('messageStop')
        continue
      }
      const last = answer.status === 200 ? framesOf(answer.bytes).at(-1)?.type : answer.headers.get('x-amzn-errortype')
      expect([at, last]).toEqual([at, expect.stringMatching(failures)])
      expect(answer.bytes.includes('call_time')).toBe(false)
    }
  })

  test('by a reset connection is told as such', async () => {
    for (const count of [0, 1, 3, frames.length - 2]) {
      expect(await told({ ...streamed(...frames.slice(0, count)), ends: 'reset' })).toMatch(failures)
    }
  })

  test('by damaged bytes is told as such', async () => {
    for (let at = 0; at < whole.length; at += 7) {
      const damaged = Buffer.from(whole)
      damaged[at] = (damaged[at] as number) ^ 0x41
      bedrock.respond(() => streamed(damaged))
      const answer = await post(stream)
      const last = answer.status === 200 ? framesOf(answer.bytes).at(-1)?.type : answer.headers.get('x-amzn-errortype')
      expect([at, last]).toEqual([at, expect.stringMatching(failures)])
    }
  })

  test.each<[string, () => Buffer]>([
    ['a length of nothing', () => Buffer.alloc(64)],
    ['a length of four gigabytes', () => Buffer.alloc(64, 0xff)],
    ['server-sent events', () => Buffer.from('event: messageStart\ndata: {"role":"assistant"}\n\n')],
    ['frames whose payload is no JSON', () => frame('contentBlockDelta', Buffer.from('{"contentBlockIndex":0,'))],
    ['frames whose payload is a list', () => frame('contentBlockDelta', Buffer.from('[]'))],
    ['a block that is not started', () => frame('contentBlockDelta', { contentBlockIndex: 0, delta: { toolUse: { input: '{}' } } })],
    [
      'two starts of a block',
      () =>
        Buffer.concat(
          [0, 0].map((contentBlockIndex) =>
            frame('contentBlockStart', { contentBlockIndex, start: { toolUse: { toolUseId: 'a', name: 'b' } } }),
          ),
        ),
    ],
  ])('by %s is told as such', async (_, bytes) => {
    expect(await told(streamed(start, bytes()))).toMatch(failures)
  })

  test('ends when its client leaves', async () => {
    bedrock.respond(() => ({ ...streamed(...frames.slice(0, 3)), ends: 'never' }))
    const asked = bedrock.requests.length
    const request = httpRequest(`${governed.url}${stream}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secrets.alice}`, 'content-type': 'application/json' },
    })
    request.end(JSON.stringify(ask))
    await new Promise((resolve) => request.once('response', (response) => response.once('data', resolve)))
    request.destroy()
    await bedrock.received(asked + 1)
    expect(await bedrock.last().ended).toBe('left')
  })
})

describe('the entrance', () => {
  test.each([
    ['/model/nova-test', 404, 'ResourceNotFoundException'],
    ['/model/nova-test/other', 404, 'ResourceNotFoundException'],
    ['/model/%2e%2e/converse', 400, 'ValidationException'],
    ['/model/a%2F..%2F..%2Fx/converse', 400, 'ValidationException'],
    ['/model/%00/converse', 400, 'ValidationException'],
    ['/model/%ff/converse', 400, 'ValidationException'],
    ['/model/bedrock%2F..%2Fx/converse', 400, 'ValidationException'],
    ['/model/nobody-has-this/converse', 404, 'ResourceNotFoundException'],
    ['/model/nova-test/invoke-with-bidirectional-stream', 400, 'ValidationException'],
  ])('%s is refused in the words of AWS', async (path, status, name) => {
    const before = bedrock.requests.length
    const answer = await post(path)
    expect([answer.status, answer.headers.get('x-amzn-errortype')]).toEqual([status, name])
    expect(JSON.parse(answer.bytes.toString())).toMatchObject({
      message: expect.any(String),
      code: expect.stringMatching(/^(request|route|grant)\./),
    })
    expect(bedrock.requests.length).toBe(before)
  })

  test.each([
    ['a field in another spelling', '{"messages":[],"toolconfig":{}}'],
    ['a field twice', '{"messages":[],"messages":[]}'],
    ['a call in another spelling', '{"messages":[{"role":"assistant","content":[{"tooluse":{}}]}]}'],
  ])('%s is refused', async (_, body) => {
    const answer = await post(converse, body)
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.bytes.toString())).toMatchObject({ code: 'request.ambiguous_key' })
  })

  test('only GET and POST are what they are', async () => {
    const answer = await send('GET', converse)
    expect([answer.status, answer.headers.get('allow'), answer.headers.get('x-amzn-errortype')]).toEqual([
      405,
      'POST',
      'ValidationException',
    ])
  })

  test('a call is on record with the id of the credential it was signed with', async () => {
    bedrock.respond((request) => say(request, { text: 'ok' }))
    const answer = await post(converse)
    const call = answer.headers.get('x-turnward-call')
    const record = await governed.gateway.recordThat(
      (one) => JSON.stringify(one).includes(String(call)) && JSON.stringify(one).includes('aws-team'),
    )
    expect(JSON.stringify(record)).not.toContain(bedrockKeys.id)
  })
})

describe('`turnward upstreams test`', () => {
  const refused = (status: number, name: string, message: string): VendorReply => ({
    status,
    headers: { 'x-amzn-errortype': name },
    parts: [JSON.stringify({ message })],
  })

  test.each<[string, VendorReply, string]>([
    ['an answer', { parts: [converseMessage({ text: 'ready' })] }, 'ok'],
    ['a signature that is refused', refused(403, 'UnrecognizedClientException', `The token ${bedrockKeys.id} is invalid.`), 'key'],
    ['a key that may not', refused(403, 'AccessDeniedException', 'Not authorized.'), 'key'],
    ['a model nobody knows', refused(400, 'ValidationException', 'The provided model identifier is invalid.'), 'model'],
    ['a model that is gone', refused(404, 'ResourceNotFoundException', 'This model version has reached the end of its life.'), 'model'],
    ['too many calls', refused(429, 'ThrottlingException', 'Too many tokens, please wait.'), 'quota'],
    ['trouble at the vendor', refused(500, 'InternalServerException', 'oops'), 'vendor'],
    ['a page of something else', { headers: { 'content-type': 'text/html' }, parts: ['<html>hi</html>'] }, 'address'],
  ])('tells %s apart', async (_, reply, verdict) => {
    bedrock.respond(() => reply)
    const { stdout, stderr } = await governed.gateway.cli(['upstreams', 'test', 'bedrock', '--model', 'amazon.nova-lite-v1:0', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ tests: [{ verdict }] })
    expect(`${stdout}${stderr}`).not.toMatch(new RegExp(`${bedrockKeys.secret}|${bedrockKeys.id}`))
    expect(bedrock.last().path).toBe('/v1/model/amazon.nova-lite-v1%3A0/converse')
  })
})
