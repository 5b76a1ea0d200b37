/** A request that names a gateway which does not list its tools: the model searches and runs them within the request. */
import { rm } from 'node:fs/promises'
import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, withResponses, type GovernedGateway } from '../harness/governed-gateway.ts'
import { say, type ModelAnswer } from '../harness/model-answer.ts'
import { offeredTools, requireCoherent, type HistoryMessage } from '../harness/model-history.ts'
import { makeOfficeFolder, officeConfig, ranIn } from '../mcp/office.ts'
import { serversReady } from '../mcp/upstream-servers.ts'

const search = 'turnward__search_tools'
const run = 'turnward__run_tool'

let governed: GovernedGateway
let folder: string
let alice: OpenAI

beforeAll(async () => {
  folder = await makeOfficeFolder()
  const office = officeConfig(folder)
  governed = await startGoverned((config) =>
    withResponses({
      ...config,
      turns: { tell_user: 'never' },
      servers: office.servers,
      groups: { ...config['groups'], hr: {} },
      rules: office.rules,
      gateways: { main: { servers: ['office'], listing: 'search', always: ['office__count'] } },
      contracts: { ...config['contracts'], ...office.contracts },
    }),
  )
  await serversReady(governed.url)
  alice = new OpenAI({ apiKey: secrets.alice, baseURL: `${governed.url}/v1`, maxRetries: 0 })
})
afterAll(async () => {
  await governed?.close()
  await rm(folder, { recursive: true, force: true })
})

let asked = 0
function script(...answers: readonly ((history: readonly HistoryMessage[]) => ModelAnswer)[]): void {
  asked = 0
  governed.respond((request) => {
    const answer = answers[Math.min(asked, answers.length - 1)]
    asked += 1
    return say(request, answer?.(requireCoherent(request)) ?? { text: '' })
  })
}

let questions = 0
const ask = (more: object = {}): Promise<OpenAI.Responses.Response> =>
  alice.responses.create({
    model: 'pro-test',
    input: `What is new? (${(questions += 1)})`,
    tools: [{ type: 'mcp', server_label: 'office', server_url: `${governed.url}/mcp/main`, require_approval: 'never', ...more }],
  })
const runs = (name: string, args: object = {}): ModelAnswer => ({
  calls: [{ id: `call_${name}`, name: run, args: { name, arguments: args } }],
})

test('the model is offered the search, finds a tool, and runs it', async () => {
  script(
    () => ({ calls: [{ id: 'call_search', name: search, args: { query: 'news' } }] }),
    () => runs('office__read_news'),
    (history) => ({ text: `It says: ${history.at(-1)?.results[0]?.text}` }),
  )
  const answer = await ask()
  expect(offeredTools(governed.vendors.openai.last()).toSorted()).toEqual(['office__count', run, search])
  expect(JSON.stringify(answer.output.filter(({ type }) => type === 'mcp_call')[0])).toContain('office__read_news')
  expect(answer.output_text).toBe('It says: The cafeteria is open again.')
  expect((await ranIn(folder)).at(-1)?.tool).toBe('read_news')
  const record = await governed.gateway.recordThat(
    ({ kind, type, subject }) => kind === 'tool_call' && type === 'decision' && subject === 'office__read_news',
  )
  // The search has read nothing that would count.
  expect(record).toMatchObject({ ticket: 'matched', labelBefore: { trust: 'trusted' } })
})

test('what is run is decided as itself', async () => {
  const before = (await ranIn(folder)).length
  script(
    () => runs('office__count', { n: 9 }),
    () => ({ text: 'Well.' }),
  )
  await ask()
  expect(await ranIn(folder)).toHaveLength(before)
  expect(
    await governed.gateway.recordThat(
      ({ kind, subject, action }) => kind === 'tool_proposal' && subject === 'office__count' && action === 'refuse',
    ),
  ).toMatchObject({
    calledAs: run,
  })
})

test('a person who is to be asked before some tool is asked before whatever is run', async () => {
  const before = (await ranIn(folder)).length
  script(() => runs('office__send', { to: 'bob@example.com' }))
  const { output } = await ask({ require_approval: { always: { tool_names: ['office__send'] }, never: { tool_names: [run, search] } } })
  expect(output.map(({ type }) => type)).toContain('mcp_approval_request')
  expect(await ranIn(folder)).toHaveLength(before)
})

test('a request that chooses among the tools is offered those it chooses', async () => {
  script(() => ({ text: 'Nothing.' }))
  await ask({ allowed_tools: ['office__read_news', 'office__count'] })
  expect(offeredTools(governed.vendors.openai.last()).toSorted()).toEqual(['office__count', 'office__read_news'])
})
