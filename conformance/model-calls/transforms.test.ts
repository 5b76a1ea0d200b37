/** Transforms where a request is more than one call, as official clients see them: batches, answers made in the background, and tools that are run here. */
import { rm } from 'node:fs/promises'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { batchLines, beginBatch, chatLine, endedBatch } from '../harness/batches.ts'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, type GovernedGateway } from '../harness/governed-gateway.ts'
import { say } from '../harness/model-answer.ts'
import { until } from '../harness/until.ts'
import { makeOfficeFolder, officeConfig } from '../mcp/office.ts'
import { serversReady } from '../mcp/upstream-servers.ts'

let governed: GovernedGateway
let folder: string
let alice: OpenAI
let claude: Anthropic

const transforms = {
  'who-asks': {
    dialects: ['chat-completions', 'responses'],
    patch: [{ op: 'add', path: '/metadata/asked_by', expression: 'principal.id + " in " + dialect' }],
  },
  short: {
    dialects: ['messages'],
    when: 'body.max_tokens > 100',
    patch: [{ op: 'replace', path: '/max_tokens', value: 100 }],
  },
  'no-tiers': { dialects: ['chat-completions'], patch: [{ op: 'replace', path: '/service_tier', value: 'default' }] },
  'one-name': {
    dialects: ['chat-completions', 'responses', 'messages'],
    on: 'response',
    when: '!stream',
    patch: [{ op: 'add', path: '/model', value: 'house-model' }],
  },
  'never-streamed': { dialects: ['chat-completions', 'messages'], on: 'response', patch: [{ op: 'add', path: '/x', value: 1 }] },
}

beforeAll(async () => {
  folder = await makeOfficeFolder()
  const { servers, contracts } = officeConfig(folder)
  governed = await startGoverned((config) => ({
    ...config,
    transforms,
    routes: [
      { model: 'free-test', upstreams: ['openai'], transforms: ['who-asks', 'one-name'] },
      { model: 'strict-test', upstreams: ['openai'], transforms: ['no-tiers'] },
      { model: 'whole-test', upstreams: ['openai'], transforms: ['never-streamed'] },
      { model: 'claude-test', upstreams: ['anthropic'], transforms: ['short', 'one-name'] },
      { model: 'whole-claude-test', upstreams: ['anthropic'], transforms: ['never-streamed'] },
    ],
    turns: { tell_user: 'never' },
    servers,
    groups: { ...config['groups'], hr: {} },
    gateways: { main: { servers: ['office'] } },
    contracts: { ...config['contracts'], ...contracts },
  }))
  await serversReady(governed.url)
  governed.respond((request) => say(request, { text: 'Done.' }))
  alice = new OpenAI({ apiKey: secrets.alice, baseURL: `${governed.url}/v1`, maxRetries: 0 })
  claude = new Anthropic({ apiKey: secrets.alice, baseURL: governed.url, maxRetries: 0 })
})
afterAll(async () => {
  await governed?.close()
  await rm(folder, { recursive: true, force: true })
})

const messages = [{ role: 'user' as const, content: 'Hello.' }]
const sent = (from = 0) => governed.vendors.openai.requests.slice(from).map(({ body }) => body.metadata as unknown)
const seen = () => governed.vendors.openai.requests.length

test('official clients read what was changed, and what could not be', async () => {
  const before = seen()
  const chat = await alice.chat.completions.create({ model: 'free-test', messages, metadata: { own: 'x' } })
  const response = await alice.responses.create({ model: 'free-test', input: 'Hello.', store: false })
  expect([chat.model, chat.choices[0]?.message.content, response.model, response.output_text]).toEqual([
    'house-model',
    'Done.',
    'house-model',
    'Done.',
  ])
  expect(sent(before)).toEqual([{ own: 'x', asked_by: 'alice in chat-completions' }, { asked_by: 'alice in responses' }])
  const message = await claude.messages.create({ model: 'claude-test', max_tokens: 4096, messages })
  expect([message.model, governed.vendors.anthropic.last().body.max_tokens]).toEqual(['house-model', 100])
  const refused = { status: 400, code: 'transform.request' }
  await expect(alice.chat.completions.create({ model: 'strict-test', messages })).rejects.toMatchObject(refused)
  await expect(alice.chat.completions.create({ model: 'whole-test', messages, stream: true })).rejects.toBeInstanceOf(
    OpenAI.BadRequestError,
  )
  await expect(claude.messages.stream({ model: 'whole-claude-test', max_tokens: 9, messages }).finalMessage()).rejects.toBeInstanceOf(
    Anthropic.BadRequestError,
  )
})

test('lines of a batch are changed each for itself, and refused each for itself', async () => {
  const before = seen()
  const lines = [chatLine('changed', { messages }, 'free-test'), chatLine('refused', { messages }, 'strict-test')]
  const batch = await endedBatch(alice, (await beginBatch(alice, lines)).id)
  expect(batch.request_counts).toEqual({ total: 2, completed: 1, failed: 1 })
  expect(sent(before)).toEqual([{ asked_by: 'alice in chat-completions' }])
  const [line] = await batchLines(alice, batch.output_file_id)
  expect(line?.response.body.model).toBe('house-model')
  const [failed] = await batchLines(alice, batch.error_file_id)
  expect([failed?.custom_id, failed?.response.body.error.code]).toEqual(['refused', 'transform.request'])
})

test('an answer made in the background is changed as it is kept', async () => {
  const before = seen()
  const begun = await alice.responses.create({ model: 'free-test', background: true, input: 'Hello.' })
  const done = await until('the answer', async () => {
    const shown = await alice.responses.retrieve(begun.id)
    return shown.status === 'in_progress' || shown.status === 'queued' ? undefined : shown
  })
  expect([done.status, done.output_text, done.model]).toEqual(['completed', 'Done.', 'house-model'])
  expect(sent(before)).toEqual([{ asked_by: 'alice in responses' }])
})

test.each([false, true])('every round with tools that are run here is changed (stream: %s)', async (stream) => {
  const before = seen()
  let asked = 0
  governed.respond((request) => {
    asked += 1
    return say(request, asked === 1 ? { calls: [{ id: 'call_1', name: 'office__read_news', args: {} }] } : { text: 'Done.' })
  })
  const office = { type: 'mcp', server_label: 'office', server_url: `${governed.url}/mcp/main`, require_approval: 'never' } as const
  const body = { model: 'free-test', input: 'Hello.', tools: [office] }
  const answer = stream ? await alice.responses.stream(body).finalResponse() : await alice.responses.create(body)
  expect([answer.output_text, answer.model === 'house-model']).toEqual(['Done.', !stream])
  expect(sent(before)).toEqual([{ asked_by: 'alice in responses' }, { asked_by: 'alice in responses' }])
  governed.respond((request) => say(request, { text: 'Done.' }))
})

test('a count of tokens is of the request as its client sent it', async () => {
  governed.respond(() => ({ headers: { 'content-type': 'application/json' }, parts: ['{"input_tokens":7}'] }))
  const { input_tokens: counted } = await claude.messages.countTokens({ model: 'claude-test', messages })
  expect([counted, governed.vendors.anthropic.last().body]).toEqual([7, { model: 'claude-test', messages }])
})
