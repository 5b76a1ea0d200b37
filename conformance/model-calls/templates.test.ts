/** Templates where a request has more than one call in it: batches, answers made in the background, and tools that are run here. */
import { rm } from 'node:fs/promises'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { batchLines, beginBatch, chatLine, endedBatch } from '../harness/batches.ts'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, type GovernedGateway } from '../harness/governed-gateway.ts'
import { say } from '../harness/model-answer.ts'
import { historyOf } from '../harness/model-history.ts'
import { until } from '../harness/until.ts'
import { makeOfficeFolder, officeConfig, ranIn } from '../mcp/office.ts'
import { serversReady } from '../mcp/upstream-servers.ts'

let governed: GovernedGateway
let folder: string
let alice: OpenAI
let answers = 0

const templates = {
  expert: {
    messages: [
      { role: 'system', text: 'You know {{language}}.' },
      { role: 'user', text: 'Write {{program}}.' },
    ],
  },
  letter: {
    messages: [
      { role: 'system', text: 'Letters go to {{address}}.' },
      { role: 'user', text: 'Read the news, then write.' },
    ],
  },
  letterToEve: {
    messages: [
      { role: 'system', text: 'Letters go to eve@acme.example and are signed {{address}}.' },
      { role: 'user', text: 'Read the news, then write.' },
    ],
  },
}
const properties = { language: 'Go', program: 'a sort' }
const called = { template: 'expert', properties }

beforeAll(async () => {
  folder = await makeOfficeFolder()
  const { servers, contracts } = officeConfig(folder)
  governed = await startGoverned((config) => ({
    ...config,
    templates,
    routes: [
      { model: 'free-test', upstreams: ['openai'], templates: ['expert', 'letter', 'letterToEve'] },
      { model: 'bound-test', upstreams: ['openai'], templates: 'required' },
    ],
    turns: { tell_user: 'never' },
    servers,
    groups: { ...config['groups'], hr: {} },
    gateways: { main: { servers: ['office'] } },
    contracts: {
      ...config['contracts'],
      ...contracts,
      office__send: { args: { to: { role: 'destination', from: ['operator'] }, body: 'content' }, output: { trust: 'trusted' } },
    },
  }))
  await serversReady(governed.url)
  alice = new OpenAI({ apiKey: secrets.alice, baseURL: `${governed.url}/v1`, maxRetries: 0 })
})
afterAll(async () => {
  await governed?.close()
  await rm(folder, { recursive: true, force: true })
})

const vendor = () => governed.vendors.openai
/** What is said, behind the instructions of the template if they are there. */
const words = (request = vendor().last()): readonly string[] => [
  ...(request.bytes.includes('You know Go.') ? ['instructed'] : []),
  ...historyOf(request).map(({ role, text }) => `${role}: ${text}`),
]
const filled = ['instructed', 'user: Write a sort.']

/** A vendor gives every answer an id of its own. */
function respond(text: string): void {
  governed.respond((request) => {
    const { parts, ...reply } = say(request, { text })
    const own = (part: string): string => part.replaceAll(/"(resp|chatcmpl|msg)[-_]/g, `"$1_${(answers += 1)}_`)
    return { ...reply, parts: parts.map((part) => (typeof part === 'string' ? own(part) : part)) }
  })
}

test('lines of a batch call them, each for itself; one that says more is refused by itself', async () => {
  respond('Done.')
  const lines = [
    chatLine('called', { ...called, messages: [] }, 'bound-test'),
    chatLine('plain', {}, 'bound-test'),
    chatLine('more', called, 'bound-test'),
  ]
  const batch = await endedBatch(alice, (await beginBatch(alice, lines)).id)
  expect(batch.request_counts).toEqual({ total: 3, completed: 1, failed: 2 })
  expect(vendor().requests.map((request) => words(request))).toEqual([filled])
  const failed = await batchLines(alice, batch.error_file_id)
  expect(failed.map((line) => [line.custom_id, line.response.status_code, line.response.body.error.code])).toEqual([
    ['plain', 400, 'request.template'],
    ['more', 400, 'request.template'],
  ])
})

describe.each(['free-test', 'bound-test'])('of the model %s', (model) => {
  test.each([false, true])('one is called for an answer that is made in the background (stream: %s)', async (stream) => {
    respond('At last.')
    const before = vendor().requests.length
    const body = { model, background: true, ...called } as OpenAI.Responses.ResponseCreateParamsNonStreaming
    const begun = stream ? await firstOf(await alice.responses.create({ ...body, stream: true })) : await alice.responses.create(body)
    const done = await until('the answer', async () => {
      const shown = await alice.responses.retrieve(begun.id)
      return shown.status === 'in_progress' || shown.status === 'queued' ? undefined : shown
    })
    expect([done.status, done.output_text]).toEqual(['completed', 'At last.'])
    expect(
      vendor()
        .requests.slice(before)
        .map((request) => words(request)),
    ).toEqual([filled])
  })

  test('one is no way to make the answer of anything else in the background', async () => {
    const before = vendor().requests.length
    const asked = alice.responses.create({ model, background: true, input: '{template://nothing}' })
    await expect(asked).rejects.toMatchObject({ status: 400, code: 'request.template' })
    expect(vendor().requests.length).toBe(before)
  })
})

async function firstOf(events: AsyncIterable<OpenAI.Responses.ResponseStreamEvent>): Promise<OpenAI.Responses.Response> {
  let response: OpenAI.Responses.Response | undefined
  for await (const event of events) if ('response' in event) response ??= event.response
  if (response === undefined) throw new Error('the stream has no response')
  return response
}

const office = (): OpenAI.Responses.Tool => ({
  type: 'mcp',
  server_label: 'office',
  server_url: `${governed.url}/mcp/main`,
  require_approval: 'never',
})

test.each([false, true])('rounds of tools that are run here go on from what it has made (stream: %s)', async (stream) => {
  let asked = 0
  governed.respond((request) => {
    asked += 1
    return say(request, asked === 1 ? { calls: [{ id: 'call_1', name: 'office__read_news', args: {} }] } : { text: 'Done.' })
  })
  const body = { model: 'free-test', ...called, tools: [office()] } as OpenAI.Responses.ResponseCreateParamsNonStreaming
  const answer = stream ? await alice.responses.stream(body as object).finalResponse() : await alice.responses.create(body)
  expect(answer.output_text).toBe('Done.')
  const [first, second] = vendor().requests.slice(-2)
  expect(words(first)).toEqual(filled)
  expect(words(second).slice(0, 2)).toEqual(filled)
  expect(historyOf(vendor().last()).flatMap(({ results }) => results.map(({ text }) => text))).toEqual(['The cafeteria is open again.'])
})

test.each([
  {
    template: 'letter',
    address: 'eve@acme.example',
    whose: 'its caller has put into instructions is no word of',
    ran: ['read_news'],
    stream: false,
  },
  {
    template: 'letter',
    address: 'eve@acme.example',
    whose: 'its caller has put into instructions is no word of',
    ran: ['read_news'],
    stream: true,
  },
  { template: 'letterToEve', address: 'the office', whose: 'it says itself is said by', ran: ['read_news', 'send'], stream: false },
  { template: 'letterToEve', address: 'the office', whose: 'it says itself is said by', ran: ['read_news', 'send'], stream: true },
])('what $whose the operator in any of these rounds (stream: $stream)', async ({ template, address, ran, stream }) => {
  let asked = 0
  const calls = [
    { id: 'call_1', name: 'office__read_news', args: {} },
    { id: 'call_2', name: 'office__send', args: { to: 'eve@acme.example', body: 'Hello.' } },
  ]
  governed.respond((request) => {
    const call = calls[asked]
    asked += 1
    return say(request, call === undefined ? { text: 'Done.' } : { calls: [call] })
  })
  const before = (await ranIn(folder)).length
  const body = { model: 'free-test', template, properties: { address }, tools: [office()] } as object
  const answer = stream
    ? await alice.responses.stream(body).finalResponse()
    : await alice.responses.create(body as OpenAI.Responses.ResponseCreateParamsNonStreaming)
  expect(answer.output_text).toBe('Done.')
  expect((await ranIn(folder)).slice(before).map(({ tool }) => tool)).toEqual(ran)
})

test('where one is required, tools are refused: they would say more', async () => {
  const [before, ran] = [vendor().requests.length, (await ranIn(folder)).length]
  const body = { model: 'bound-test', ...called, tools: [office()] } as OpenAI.Responses.ResponseCreateParamsNonStreaming
  await expect(alice.responses.create(body)).rejects.toMatchObject({ status: 400, code: 'request.template' })
  expect([vendor().requests.length, (await ranIn(folder)).length]).toEqual([before, ran])
})

test('where one is required, an answer is gone on from with nothing else', async () => {
  respond('Done.')
  const first = await alice.responses.create({ model: 'bound-test', ...called } as OpenAI.Responses.ResponseCreateParamsNonStreaming)
  const before = vendor().requests.length
  const more = { model: 'bound-test', previous_response_id: first.id }
  for (const body of [
    { ...more, ...called },
    { ...more, input: 'Anything.' },
    { ...more, input: '{template://expert}', properties },
  ])
    await expect(alice.responses.create(body as object)).rejects.toMatchObject({ status: 400, code: 'request.template' })
  expect(vendor().requests.length).toBe(before)
})

test('the model may be asked for what goes on from one where none is required', async () => {
  respond('Done.')
  const first = await alice.responses.create({ model: 'free-test', ...called } as OpenAI.Responses.ResponseCreateParamsNonStreaming)
  await alice.responses.create({ model: 'free-test', previous_response_id: first.id, input: 'Shorter.' })
  expect(words().slice(-3)).toEqual(['user: Write a sort.', 'assistant: Done.', 'user: Shorter.'])
})
