/** Status 200 says nothing yet: until a byte of it has gone out, an answer that fails is another upstream's to give. */
import { describe, expect, test } from 'vitest'
import { eventsOf, say, streamHeaders } from '../../../../conformance/harness/model-answer.ts'
import { startVendor, type VendorReply, type VendorRequest } from '../../../../conformance/harness/vendor.ts'
import { configOf, type ConfigInput, keys, openFloors } from '../../invariants/floors.fixture.ts'

const kinds = ['openai', 'anthropic'] as const
type Kind = (typeof kinds)[number]

const secret = 'sk-provider-secret-1234'
const pathOf = (kind: Kind): string => (kind === 'openai' ? '/v1/chat/completions' : '/v1/messages')
const json = { 'content-type': 'application/json' }
const stream = (...parts: string[]): VendorReply => ({ headers: { 'content-type': 'text/event-stream' }, parts })

function overloaded(kind: Kind, words = 'Overloaded'): string {
  return kind === 'openai'
    ? `data: ${JSON.stringify({ error: { message: words, code: 429 } })}\n\n`
    : `event: error\ndata: ${JSON.stringify({ type: 'error', error: { type: 'overloaded_error', message: words } })}\n\n`
}

async function ask(
  kind: Kind,
  isStream: boolean,
  broken: (request: VendorRequest) => VendorReply | Promise<VendorReply>,
  hasNext = true,
  turns: ConfigInput['turns'] = {},
  onHead: () => void = () => {},
  limits: ConfigInput['limits'] = {},
) {
  await using first = await startVendor(broken)
  await using second = await startVendor((request) => say(request, { text: 'from the second' }))
  const upstream = (url: string) => ({ kind, base_url: url, credential: 'vendor' })
  const config = configOf({
    credentials: { vendor: { secret } },
    turns,
    limits,
    upstreams: { first: upstream(first.url), second: upstream(second.url) },
    routes: [{ model: '*', upstreams: hasNext ? ['first', 'second'] : ['first'] }],
  })
  await using floors = await openFloors({ config })
  const body = { model: 'm', max_tokens: 10, stream: isStream, messages: [{ role: 'user', content: 'go' }] }
  const headers = { authorization: `Bearer ${keys.alice}`, 'content-type': 'application/json' }
  const answer = await fetch(`${floors.url}${pathOf(kind)}`, { method: 'POST', headers, body: JSON.stringify(body) })
  onHead()
  const text = await answer.text()
  return { status: answer.status, text, asked: [first.requests.length, second.requests.length], records: floors.log.records }
}

describe.each(kinds)('an upstream of %s that answers 200', (kind) => {
  test.each<[string, boolean, (request: VendorRequest) => VendorReply]>([
    ['with an error as its first event', true, () => stream(overloaded(kind))],
    ['with comments and then an error', true, () => stream(': PROCESSING\n\n', ': PROCESSING\n\n', overloaded(kind))],
    ['with an empty stream', true, () => stream()],
    ['with a page instead of a stream', true, () => stream('<html>\n<body>Sorry</body>\n\n')],
    [
      'with an error instead of a message',
      false,
      () => ({ headers: json, parts: [JSON.stringify({ type: 'error', error: { type: 'overloaded_error', message: 'no' } })] }),
    ],
    ['with nothing', false, () => ({ headers: json, parts: [] })],
    ['with a page', false, () => ({ headers: { 'content-type': 'text/html' }, parts: ['<html>Sorry</html>'] })],
  ])('%s is passed over for the next one', async (_how, isStream, broken) => {
    const { status, text, asked, records } = await ask(kind, isStream, broken)
    expect({ status, asked }).toEqual({ status: 200, asked: [1, 1] })
    expect(text.replaceAll(/[^a-z]/g, '')).toContain('second')
    expect(text).not.toMatch(/PROCESSING|Overloaded|Sorry/)
    expect(records.filter((record) => record.kind === 'model_call').map(({ type, upstream }) => [type, upstream])).toEqual([
      ['decision', 'first'],
      ['decision', 'second'],
      ['outcome', 'second'],
    ])
  })

  test('and fails is told of as a failure, in its own words and without its credential, when nobody else can answer', async () => {
    const { status, text, records } = await ask(kind, true, () => stream(overloaded(kind, `Overloaded for ${secret}`)), false)
    expect(status).toBe(kind === 'openai' ? 429 : 529)
    expect(JSON.parse(text)).toMatchObject({
      error: { message: expect.stringContaining('Overloaded for [hidden]'), code: 'upstream.failed' },
    })
    expect(records.find(({ type }) => type === 'outcome')).toMatchObject({ outcome: 'error', errorCode: 'upstream.failed' })
  })

  test('and fails in the middle says so itself, without its credential', async () => {
    const { status, text, asked } = await ask(kind, true, (request) => ({
      headers: streamHeaders(request),
      parts: [...eventsOf(request, { text: 'Half an answer' }).slice(0, 3), overloaded(kind, `Overloaded for ${secret}`)],
    }))
    expect({ status, asked }).toEqual({ status: 200, asked: [1, 0] })
    expect(text.endsWith(overloaded(kind, 'Overloaded for [hidden]'))).toBe(true)
  })
})

test('an error in an envelope that is not the dialect’s is told in the dialect’s', async () => {
  const { text } = await ask('openai', true, (request) => ({
    headers: streamHeaders(request),
    parts: [
      ...eventsOf(request, { text: 'Half' }).slice(0, 3),
      `data: ${JSON.stringify({ error: true, message: 'the edge gave up' })}\n\n`,
    ],
  }))
  const last = text.trimEnd().split('\n\n').at(-1) ?? ''
  expect(JSON.parse(last.replace('data: ', ''))).toMatchObject({
    error: { message: expect.stringContaining('the edge gave up'), code: 'upstream.failed' },
  })
  expect(text).not.toContain('"error":true')
})

describe.each(kinds)('an answer of %s that has begun with comments of ours only', (kind) => {
  /** The upstream fails once the client has the head of its answer. */
  const late = (hasNext: boolean) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const broken = async (): Promise<VendorReply> => {
      await promise
      return stream(overloaded(kind))
    }
    return ask(kind, true, broken, hasNext, { early_head_ms: 1 }, resolve)
  }

  test('may still come from the next upstream', async () => {
    const { status, text, asked } = await late(true)
    expect({ status, asked }).toEqual({ status: 200, asked: [1, 1] })
    expect(text).toMatch(/^: waiting/)
    expect(text.replaceAll(/[^a-z]/g, '')).toContain('second')
    expect(text).not.toContain('Overloaded')
  })

  test('ends in an error of its dialect when nobody else can give it', async () => {
    const { status, text } = await late(false)
    expect(status).toBe(200)
    expect(text).toMatch(/"code":"upstream.failed"/)
  })
})

test('comments of an upstream that stays quiet go out all the same, so that nobody takes it for gone', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const quiet = (request: VendorRequest): VendorReply => ({
    headers: streamHeaders(request),
    parts: [': PROCESSING\n\n', promise, ...eventsOf(request, { text: 'late' })],
  })
  const { text } = await ask('openai', true, quiet, false, { keep_alive_ms: 20 }, resolve)
  expect(text).toMatch(/^: PROCESSING/)
  expect(text).toContain('late')
})

test('nobody else is asked for a client that has gone', async () => {
  const leaving = new AbortController()
  await using first = await startVendor(() => ({ headers: json, parts: ['{"id":'], ends: 'never' }))
  await using second = await startVendor((request) => say(request, { text: 'for nobody' }))
  const upstream = (url: string) => ({ kind: 'openai' as const, base_url: url, credential: 'none' })
  const config = configOf({
    upstreams: { first: upstream(first.url), second: upstream(second.url) },
    routes: [{ model: '*', upstreams: ['first', 'second'] }],
  })
  await using floors = await openFloors({ config })
  const headers = { authorization: `Bearer ${keys.alice}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'go' }] })
  const asked = fetch(`${floors.url}/v1/chat/completions`, { method: 'POST', headers, body, signal: leaving.signal })
  await first.received(1)
  leaving.abort()
  await expect(asked).rejects.toThrow()
  expect(await first.last().ended).toBe('left')
  await expect.poll(() => floors.log.records.filter(({ type }) => type === 'outcome').map(({ outcome }) => outcome)).toEqual(['cancelled'])
  expect(second.requests).toHaveLength(0)
  expect(floors.log.records.filter(({ type, kind }) => type === 'decision' && kind === 'model_call')).toHaveLength(1)
})

test('an event too large to be one leaves nothing behind in what the next upstream says', async () => {
  // Refused while it is still torn: its end never comes.
  const huge = (request: VendorRequest): VendorReply => ({
    headers: streamHeaders(request),
    parts: [`data: {"choices":[],"x":"${'x'.repeat(4000)}`],
    ends: 'never',
  })
  const { status, text, asked } = await ask('openai', true, huge, true, {}, () => {}, { max_event_bytes: 2048 })
  expect({ status, asked }).toEqual({ status: 200, asked: [1, 1] })
  expect(text).not.toContain('xxx')
  expect(text).not.toContain('"error"')
  expect(text.replaceAll(/[^a-z]/g, '')).toContain('second')
})
