/**
 * Requests of Responses that name this gateway as an MCP server: its tools run within the request, under the policy, on behalf
 * of whoever makes it. The official SDK, a real MCP server, an upstream of each kind; whole and streamed.
 */
import { rm } from 'node:fs/promises'
import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, withGemini, withResponses, type GovernedGateway } from '../harness/governed-gateway.ts'
import { say, vendorError, type ModelAnswer } from '../harness/model-answer.ts'
import { historyOf, offeredTools, requireCoherent, type HistoryMessage } from '../harness/model-history.ts'
import { readRecords } from '../harness/records.ts'
import { makeOfficeFolder, officeConfig, ranIn } from '../mcp/office.ts'
import { serversReady } from '../mcp/upstream-servers.ts'

type Item = OpenAI.Responses.ResponseOutputItem
type Body = Omit<OpenAI.Responses.ResponseCreateParamsNonStreaming, 'model' | 'stream'>

let governed: GovernedGateway
let folder: string
let alice: OpenAI
let bob: OpenAI
let asked = 0
let questions = 0

/** Two conversations of the same words are one, as far as anybody can tell. */
const question = (text: string): string => `${text} (${(questions += 1)})`

beforeAll(async () => {
  folder = await makeOfficeFolder()
  const office = officeConfig(folder)
  governed = await startGoverned((config) =>
    withResponses(
      withGemini(
        {
          ...config,
          turns: { tell_user: 'never' },
          servers: office.servers,
          groups: { ...config['groups'], hr: {} },
          rules: office.rules,
          gateways: { main: { servers: ['office'] }, other: { servers: ['office'] } },
          contracts: { ...config['contracts'], ...office.contracts },
          grants: [...(config['grants'] as unknown as object[]), { principals: ['bob'], gateways: ['main'], tools: ['office__count'] }],
        },
        (config['upstreams'] as unknown as { openai: { base_url: string } }).openai.base_url,
      ),
    ),
  )
  await serversReady(governed.url)
  const client = (apiKey: string): OpenAI => new OpenAI({ apiKey, baseURL: `${governed.url}/v1`, maxRetries: 0 })
  alice = client(secrets.alice)
  bob = client(secrets.bob)
})
afterAll(async () => {
  await governed.close()
  await rm(folder, { recursive: true, force: true })
})

/** The model says the next of these each time it is asked. */
function script(...answers: readonly ((history: readonly HistoryMessage[]) => ModelAnswer)[]): void {
  asked = 0
  governed.respond((request) => {
    const answer = answers[Math.min(asked, answers.length - 1)]
    asked += 1
    return say(request, answer?.(requireCoherent(request)) ?? { text: '' })
  })
}

const makes = (tool: string, args: object = {}, id = `call_${tool}`): { id: string; name: string; args: object } => ({
  id,
  name: `office__${tool}`,
  args,
})

function server(more: object = {}): OpenAI.Responses.Tool.Mcp {
  return { type: 'mcp', server_label: 'office', server_url: `${governed.url}/mcp/main`, require_approval: 'never', ...more }
}

const ranSince = async (count: number): Promise<readonly string[]> => (await ranIn(folder)).slice(count).map(({ tool }) => tool)

describe.each([
  { upstream: 'responses', vendor: 'openai', model: 'pro-test' },
  { upstream: 'chat', vendor: 'openai', model: 'gpt-test' },
  { upstream: 'messages', vendor: 'anthropic', model: 'claude-test' },
  { upstream: 'gemini', vendor: 'openai', model: 'gemini-test' },
] as const)('tools of this gateway, on a model of a $upstream upstream', ({ vendor: of, model }) => {
  describe.each([false, true])('(stream: %s)', (stream) => {
    const vendor = () => governed.vendors[of]
    let before = 0

    beforeEach(async () => {
      before = (await ranIn(folder)).length
    })

    const ask = (body: Body, by = alice): Promise<OpenAI.Responses.Response> =>
      stream ? by.responses.stream({ ...body, model }).finalResponse() : by.responses.create({ ...body, model })

    test('are listed, run, and told as the vendor tells of them', async () => {
      script(
        () => ({ text: 'I look.', calls: [makes('read_news')] }),
        (history) => ({ text: `It says: ${history.at(-1)?.results[0]?.text}` }),
      )
      const answer = await ask({ input: question('What is new?'), tools: [server()] })
      expect(answer.output.map(({ type }) => type)).toEqual(['mcp_list_tools', 'message', 'mcp_call', 'message'])
      const [list, , call] = answer.output as [Item, Item, OpenAI.Responses.ResponseOutputItem.McpCall, Item]
      expect(list).toMatchObject({
        server_label: 'office',
        tools: expect.arrayContaining([expect.objectContaining({ name: 'office__send' })]),
      })
      expect(call).toMatchObject({
        server_label: 'office',
        name: 'office__read_news',
        arguments: '{}',
        status: 'completed',
        output: 'The cafeteria is open again.',
        error: null,
      })
      expect(answer.output_text).toBe('I look.It says: The cafeteria is open again.')
      expect(answer.status).toBe('completed')
      expect(await ranSince(before)).toEqual(['read_news'])
      expect(offeredTools(vendor().last())).toContain('office__read_news')
    })

    test.each(['the id of the answer', 'its items'])('go on in the next request, by %s', async (way) => {
      script(
        () => ({ text: 'Two things.', calls: [makes('read_news', {}, 'call_a'), makes('count', { n: 3 }, 'call_b')] }),
        () => ({ calls: [makes('count', { n: 4 }, 'call_c')] }),
        () => ({ text: 'Done.' }),
      )
      const asks = question('News, and count.')
      const first = await ask({ input: asks, tools: [server()] })
      expect(first.output.map(({ type }) => type)).toEqual(['mcp_list_tools', 'message', 'mcp_call', 'mcp_call', 'mcp_call', 'message'])
      const records = async () => readRecords(governed.gateway.cli)
      const { session, turn } = (await records()).at(-1) ?? {}

      script(() => ({ text: 'Nothing more.' }))
      const goOn = { role: 'user' as const, content: 'And now?' }
      const items = [{ role: 'user' as const, content: asks }, ...(first.output as OpenAI.Responses.ResponseInputItem[]), goOn]
      const more = way === 'its items' ? { input: items } : { previous_response_id: first.id, input: [goOn] }
      const second = await ask({ ...more, tools: [server()] })
      // What was listed once is known.
      expect(second.output.map(({ type }) => type)).toEqual(['message'])
      const history = historyOf(vendor().last())
      expect(history.slice(0, 2)).toMatchObject([
        { role: 'user', text: asks, calls: [], results: [] },
        { text: 'Two things.', calls: [{ id: 'call_a' }, { id: 'call_b' }] },
      ])
      expect(history.flatMap((message) => message.results)).toEqual([
        { id: 'call_a', text: 'The cafeteria is open again.' },
        { id: 'call_b', text: 'counted 3' },
        { id: 'call_c', text: 'counted 4' },
      ])
      expect(history.slice(-2).map(({ text }) => text)).toEqual(['Done.', 'And now?'])
      // The conversation is known by every message of it: what it has read counts, and nothing of it is foreign.
      const last = (await records()).at(-1)
      expect(last?.session).toBe(session)
      expect(last?.turn).not.toBe(turn)
    })

    test('what they have read counts at once: what it forbids is neither run nor lost', async () => {
      script(
        () => ({ calls: [makes('read_web')] }),
        () => ({ calls: [makes('publish')] }),
        (history) => ({ text: `Told: ${history.at(-1)?.results.at(-1)?.text}` }),
      )
      const answer = await ask({ input: question('Read and publish.'), tools: [server()] })
      expect(await ranSince(before)).toEqual(['read_web'])
      expect(answer.output_text).toMatch(/^Told: not run: /)
      expect(answer.output.filter(({ type }) => type === 'mcp_call')).toHaveLength(1)
      const records = await readRecords(governed.gateway.cli)
      expect(records.filter(({ subject }) => subject === 'office__publish').at(-1)).toMatchObject({
        kind: 'tool_proposal',
        verdict: 'deny',
      })
      const read = records.filter(({ subject, kind }) => subject === 'office__read_web' && kind === 'tool_call').at(-1)
      expect(read?.turn).toBe(records.at(-1)?.turn)
      expect(read?.session).toBe(records.at(-1)?.session)
    })

    test('a person is asked first where the request wants it, and the call runs when it is approved', async () => {
      script(() => ({ text: 'May I?', calls: [makes('count', { n: 1 })] }))
      const tools = [server({ require_approval: { always: { tool_names: ['office__count'] } } })]
      const first = await ask({ input: question('Count.'), tools })
      const request = first.output.at(-1) as OpenAI.Responses.ResponseOutputItem.McpApprovalRequest
      expect(request).toMatchObject({ type: 'mcp_approval_request', name: 'office__count', server_label: 'office', arguments: '{"n":1}' })
      expect(await ranSince(before)).toEqual([])
      const say = (approve: boolean): OpenAI.Responses.ResponseInputItem[] => [
        { type: 'mcp_approval_response', approval_request_id: request.id, approve },
      ]

      script((history) => ({ text: `Then: ${history.at(-1)?.results[0]?.text}` }))
      const refused = await ask({ previous_response_id: first.id, input: say(false), tools })
      expect(refused.output_text).toBe('Then: not run: the person said no')
      expect(await ranSince(before)).toEqual([])

      const approved = await ask({ previous_response_id: first.id, input: say(true), tools })
      expect(approved.output.map(({ type }) => type)).toEqual(['mcp_call', 'message'])
      expect(approved.output[0]).toMatchObject({ approval_request_id: request.id, output: 'counted 1' })
      expect(approved.output_text).toBe('Then: counted 1')
      expect(await ranSince(before)).toEqual(['count'])

      script(() => ({ text: 'Yes.' }))
      await ask({ previous_response_id: approved.id, input: question('Sure?'), tools })
      expect(requireCoherent(vendor().last()).flatMap(({ results }) => results)).toEqual([{ id: 'call_count', text: 'counted 1' }])
      expect(await ranSince(before)).toEqual(['count'])
    })

    test('calls of the client leave with the answer, and both are answered in the next one', async () => {
      script(() => ({ text: 'Both.', calls: [makes('count', { n: 1 }), { id: 'call_time', name: 'get_time', args: {} }] }))
      const tools = [server(), { type: 'function' as const, name: 'get_time', parameters: { type: 'object' }, strict: false }]
      const first = await ask({ input: question('Count, and the time.'), tools })
      expect(first.output.map(({ type }) => type)).toEqual(['mcp_list_tools', 'message', 'mcp_call', 'function_call'])
      expect(await ranSince(before)).toEqual(['count'])
      script(() => ({ text: 'One, noon.' }))
      const output = [{ type: 'function_call_output' as const, call_id: 'call_time', output: 'noon' }]
      await ask({ previous_response_id: first.id, input: output, tools })
      const history = requireCoherent(vendor().last())
      expect(history[1]).toMatchObject({ text: 'Both.', calls: [{ id: 'call_count' }, { id: 'call_time' }] })
    })

    test('only those are offered that the request and the grants allow', async () => {
      script(() => ({ text: 'Nothing.' }))
      await ask({ input: question('Hello'), tools: [server({ allowed_tools: ['office__count', 'read_news'] })] })
      expect(offeredTools(vendor().last())).toEqual(expect.arrayContaining(['office__count', 'office__read_news']))
      expect(offeredTools(vendor().last())).toHaveLength(2)
    })
  })
})

test('a stream numbers its events, and its items, without a gap', async () => {
  script(
    () => ({ text: 'I look.', calls: [makes('read_news'), makes('count', { n: 9 }), makes('count', { n: 1 }, 'call_one')] }),
    () => ({ text: 'That is all.' }),
  )
  const events: OpenAI.Responses.ResponseStreamEvent[] = []
  for await (const event of await alice.responses.create({ model: 'gpt-test', stream: true, input: question('Look.'), tools: [server()] }))
    events.push(event)
  expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, at) => at))
  const added = events.flatMap((event) => (event.type === 'response.output_item.added' ? [event.output_index] : []))
  expect(added).toEqual(added.map((_, at) => at))
  const done = events.flatMap((event) => (event.type === 'response.output_item.done' ? [[event.output_index, event.item] as const] : []))
  const end = events.at(-1)
  expect(end?.type).toBe('response.completed')
  if (end?.type !== 'response.completed') return
  expect(done.toSorted(([a], [b]) => a - b).map(([, item]) => item)).toEqual(end.response.output)
  expect(events.filter(({ type }) => type === 'response.created')).toHaveLength(1)
  expect(events.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['response.mcp_list_tools.completed', 'response.mcp_call_arguments.done', 'response.mcp_call.completed']),
  )
  // One of them was refused by a rule, and is nobody's to see.
  expect(end.response.output.flatMap((item) => (item.type === 'mcp_call' ? [item.arguments] : []))).toEqual(['{}', '{"n":1}'])
  expect(end.response.usage).toMatchObject({ total_tokens: expect.any(Number) })
})

test('no more calls run than the request allows, and the model is told', async () => {
  const before = (await ranIn(folder)).length
  script(
    () => ({ calls: [makes('count', { n: 1 }, 'call_1'), makes('count', { n: 2 }, 'call_2')] }),
    (history) => ({
      text:
        history
          .at(-1)
          ?.results.map(({ text }) => text)
          .join(' ') ?? '',
    }),
  )
  const answer = await alice.responses.create({ model: 'pro-test', input: question('Count.'), tools: [server()], max_tool_calls: 1 })
  expect(await ranSince(before)).toEqual(['count'])
  expect(answer.output.flatMap((item) => (item.type === 'mcp_call' ? [item.status] : []))).toEqual(['completed', 'failed'])
  expect(governed.vendors.openai.last().body.tool_choice).toBe('none')
})

test('the model is not asked for ever', async () => {
  let at = 0
  script(() => ({ calls: [makes('count', { n: 1 }, `call_${(at += 1)}`)] }))
  const answer = await alice.responses.create({ model: 'claude-test', input: question('Count.'), tools: [server()] })
  expect(answer.output.filter(({ type }) => type === 'mcp_call')).toHaveLength(33)
  expect(answer.output.at(-1)).toMatchObject({ status: 'failed' })
  expect(asked).toBe(33)
})

test('a forced choice is met by the first call', async () => {
  script(
    () => ({ calls: [makes('count', { n: 1 })] }),
    () => ({ text: 'One.' }),
  )
  const choice = { type: 'mcp' as const, server_label: 'office', name: 'office__count' }
  await alice.responses.create({ model: 'pro-test', input: question('Count.'), tools: [server()], tool_choice: choice })
  const [first, second] = governed.vendors.openai.requests.slice(-2)
  expect(first?.body.tool_choice).toEqual({ type: 'function', name: 'office__count' })
  expect(second?.body.tool_choice).toBe('auto')
})

test.each([false, true])('an answer in the background may run them as well (stream: %s)', async (stream) => {
  script(
    () => ({ calls: [makes('count', { n: 1 })] }),
    () => ({ text: 'One.' }),
  )
  const body = { model: 'pro-test', input: question('Count.'), tools: [server()], background: true }
  const events: OpenAI.Responses.ResponseStreamEvent[] = []
  if (stream) for await (const event of await alice.responses.create({ ...body, stream })) events.push(event)
  const id = stream ? (events[0]?.type === 'response.created' ? events[0].response.id : '') : (await alice.responses.create(body)).id
  await expect.poll(async () => (await alice.responses.retrieve(id)).status).toBe('completed')
  const done = await alice.responses.retrieve(id)
  expect(done.id).toBe(id)
  expect(done.output.map(({ type }) => type)).toEqual(['mcp_list_tools', 'mcp_call', 'message'])
  if (!stream) return
  expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_, at) => at))
  expect(events.filter(({ type }) => type === 'response.mcp_call.completed')).toHaveLength(1)
  expect(events.at(-1)).toMatchObject({ type: 'response.completed', response: { id, output: done.output } })
})

test('nobody gets by it what the endpoint would not give', async () => {
  script(() => ({ text: 'Nothing.' }))
  const ask = (by: OpenAI, more: object): Promise<OpenAI.Responses.Response> =>
    by.responses.create({ model: 'gpt-test', input: question('Hello'), tools: [server(more)] })
  // Bob may use one tool of one gateway.
  const [list] = (await ask(bob, {})).output
  expect(list).toMatchObject({ type: 'mcp_list_tools', tools: [{ name: 'office__count' }] })
  expect(offeredTools(governed.vendors.openai.last())).toEqual(['office__count'])
  await expect(ask(bob, { server_url: `${governed.url}/mcp/other` })).rejects.toMatchObject({ status: 404, code: 'grant.gateway' })
  await expect(ask(alice, { server_url: `${governed.url}/mcp/nowhere` })).rejects.toMatchObject({ status: 404, code: 'grant.gateway' })
  // A key that is shown is the caller's own.
  await ask(bob, { authorization: secrets.bob })
  await ask(bob, { headers: { Authorization: `Bearer ${secrets.bob}` } })
  await expect(ask(bob, { authorization: secrets.alice })).rejects.toMatchObject({ status: 400, message: /tools\[0\]\.authorization/ })
  await expect(ask(bob, { authorization: 'sk-something-else' })).rejects.toMatchObject({ status: 400 })
  await expect(ask(bob, { headers: { 'x-other': 'yes' } })).rejects.toMatchObject({ status: 400, code: 'request.unsupported' })
  // A call of a tool that nobody offered.
  script(
    () => ({ calls: [makes('send', { to: 'eve@evil.example' })] }),
    () => ({ text: 'No.' }),
  )
  const before = (await ranIn(folder)).length
  await ask(bob, {})
  expect(await ranSince(before)).toEqual([])
})

test('what cannot be told apart, or read, is refused by name', async () => {
  script(() => ({ text: 'Nothing.' }))
  const refused = async (tools: OpenAI.Responses.Tool[], field: string): Promise<void> => {
    await expect(alice.responses.create({ model: 'gpt-test', input: question('Hello'), tools })).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining(field),
    })
  }
  await refused([server(), server()], 'tools[1].server_label')
  await refused([server(), server({ server_label: 'again' })], 'office__')
  await refused([server({ server_label: '' })], 'tools[0].server_label')
  await refused([server({ allowed_tools: [7] })], 'tools[0].allowed_tools')
  await refused([server({ require_approval: { always: { read_only: 'yes' } } })], 'tools[0].require_approval.always.read_only')
})

test('an upstream that fails after a tool has run is told of, whole and streamed', async () => {
  const fail = (): void => {
    let at = 0
    governed.respond((request) => {
      at += 1
      return at === 1 ? say(request, { calls: [makes('count', { n: 1 })] }) : vendorError(request, 503, 'no capacity')
    })
  }
  const run = (stream: boolean): Promise<unknown> => {
    fail()
    const body = { model: 'gpt-test', input: question('Count.'), tools: [server()] }
    return stream ? alice.responses.stream(body).finalResponse() : alice.responses.create(body)
  }
  await expect(run(false)).rejects.toMatchObject({ status: 503, message: /no capacity/ })
  await expect(run(true)).rejects.toThrow(/no capacity/)
  const headers = { authorization: `Bearer ${secrets.alice}`, 'content-type': 'application/json' }
  fail()
  const body = JSON.stringify({ model: 'gpt-test', input: 'Count.', tools: [server()], stream: true })
  const text = await (await fetch(`${governed.url}/v1/responses`, { method: 'POST', headers, body })).text()
  const types = text.split('\n').flatMap((line) => (line.startsWith('event: ') ? [line.slice(7)] : []))
  // The failure is the end, and the only one.
  expect(types.filter((type) => type === 'response.failed' || type === 'error' || type === 'response.completed')).toEqual([types.at(-1)])
  expect(types.at(-1)).not.toBe('response.completed')
})
