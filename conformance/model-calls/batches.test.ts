/** Batches that run here, line by line, as governed calls: by the official SDKs of two vendors, on upstreams of another dialect, none of which has ever heard of a batch. */
import Anthropic from '@anthropic-ai/sdk'
import OpenAI, { toFile } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, withParts, type GovernedGateway } from '../harness/governed-gateway.ts'
import type { Json } from '../harness/json.ts'
import { say } from '../harness/model-answer.ts'
import { until } from '../harness/until.ts'
import type { VendorReply } from '../harness/vendor.ts'

let governed: GovernedGateway
let alice: OpenAI
let bob: OpenAI
let claude: Anthropic

beforeAll(async () => {
  governed = await startGoverned(withParts({ batches: { max_open: 3, max_lines: 20, at_once: 2 }, turns: { tell_user: 'never' } }))
  const client = (apiKey: string): OpenAI => new OpenAI({ apiKey, baseURL: `${governed.url}/v1`, maxRetries: 0 })
  alice = client(secrets.alice)
  bob = client(secrets.bob)
  claude = new Anthropic({ apiKey: secrets.alice, baseURL: governed.url, maxRetries: 0 })
})
afterAll(() => governed?.close())

const chat = (customId: string, body: object = {}, model = 'claude-test'): object => ({
  custom_id: customId,
  method: 'POST',
  url: '/v1/chat/completions',
  body: { model, messages: [{ role: 'user', content: `Question ${customId}.` }], ...body },
})

async function upload(client: OpenAI, lines: readonly (object | string)[]): Promise<string> {
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n')
  return (await client.files.create({ file: await toFile(Buffer.from(text), 'lines.jsonl'), purpose: 'batch' })).id
}

async function begin(
  client: OpenAI,
  lines: readonly (object | string)[],
  endpoint: OpenAI.BatchCreateParams['endpoint'] = '/v1/chat/completions',
): Promise<OpenAI.Batch> {
  return client.batches.create({ input_file_id: await upload(client, lines), endpoint, completion_window: '24h', metadata: { of: 'test' } })
}

const ended = (client: OpenAI, id: string): Promise<OpenAI.Batch> =>
  until('the end of the batch', async () => {
    const batch = await client.batches.retrieve(id)
    return ['validating', 'in_progress', 'finalizing', 'cancelling'].includes(batch.status) ? undefined : batch
  })

async function linesOf(client: OpenAI, file: string | undefined | null): Promise<Json[]> {
  if (typeof file !== 'string') return []
  const text = await (await client.files.content(file)).text()
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Json)
}

describe('a batch of OpenAI’s client', () => {
  test('of Chat Completions on an upstream of Messages: each line is a call on record', async () => {
    governed.respond((request) => say(request, { text: 'An answer.' }))
    const before = governed.vendors.anthropic.requests.length
    const begun = await begin(alice, [chat('one'), chat('two'), chat('three')])
    expect(begun).toMatchObject({ object: 'batch', endpoint: '/v1/chat/completions', completion_window: '24h', metadata: { of: 'test' } })
    expect(begun.request_counts?.total).toBe(3)
    const batch = await ended(alice, begun.id)
    expect(batch).toMatchObject({ id: begun.id, status: 'completed', request_counts: { total: 3, completed: 3, failed: 0 } })
    expect(batch.error_file_id).toBeNull()
    const sent = governed.vendors.anthropic.requests.slice(before)
    expect(sent.map(({ path }) => path)).toEqual(Array.from({ length: 3 }, () => '/v1/messages'))
    const lines = await linesOf(alice, batch.output_file_id)
    expect(lines.map((line) => [line.custom_id, line.response.status_code, line.error])).toEqual([
      ['one', 200, null],
      ['two', 200, null],
      ['three', 200, null],
    ])
    expect(lines[0]?.response.body.choices[0].message.content).toBe('An answer.')
    const file = await alice.files.retrieve(batch.output_file_id ?? '')
    expect(file).toMatchObject({ purpose: 'batch_output', filename: `${batch.id}_output.jsonl` })
    const record = await governed.gateway.recordThat((one) => one.modelCall === lines[1]?.response.request_id && one.type === 'outcome')
    expect(record).toMatchObject({
      kind: 'model_call',
      principal: 'alice',
      subject: 'claude-test',
      batch: { id: batch.id, customId: 'two' },
    })
  })
})
