/** Embeddings in one vendor's form from an upstream of another's: as many requests as it needs, one answer, nothing dropped without a word. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import OpenAI from 'openai'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, type GovernedGateway } from '../harness/governed-gateway.ts'
import { post } from '../harness/raw-http.ts'
import type { VendorReply, VendorRequest } from '../harness/vendor.ts'

let governed: GovernedGateway

beforeAll(async () => {
  governed = await startGoverned((config) => {
    const { base_url: address, credential } =
      (config['upstreams'] as Record<string, { base_url: string; credential: string }>)['openai'] ?? {}
    const base_url = String(address).replace(/\/v1$/, '')
    return {
      ...config,
      upstreams: {
        ...config['upstreams'],
        cohere: { kind: 'cohere', base_url, credential },
        bedrock: { kind: 'bedrock', region: 'eu-central-1', base_url, credential },
      },
      routes: [
        { model: 'openai-embed', upstreams: ['openai'] },
        { model: 'cohere-embed', upstreams: [{ upstream: 'cohere', model: 'embed-v4.0' }] },
        { model: 'titan', upstreams: [{ upstream: 'bedrock', model: 'amazon.titan-embed-text-v2:0' }] },
        { model: 'odd', upstreams: [{ upstream: 'bedrock', model: '../../model/cohere.embed' }] },
        {
          model: 'neither',
          upstreams: [
            { upstream: 'cohere', model: 'embed-v4.0' },
            { upstream: 'bedrock', model: 'amazon.titan-embed-text-v2:0' },
          ],
        },
        { model: 'openai-first', upstreams: ['openai', { upstream: 'cohere', model: 'embed-v4.0' }] },
        { model: 'either', upstreams: [{ upstream: 'cohere', model: 'embed-v4.0' }, 'openai'] },
      ],
      grants: [{ principals: ['alice'], models: ['*'] }],
    }
  })
})
afterAll(() => governed?.close())
beforeEach(() => governed.vendors.openai.respond(answerEmbeddings))

const json = (body: unknown, status = 200): VendorReply => ({
  status,
  headers: { 'content-type': 'application/json' },
  parts: [JSON.stringify(body)],
})

/** A vendor that embeds a text as its length, in every form. */
function answerEmbeddings({ path, body: asked }: VendorRequest): VendorReply {
  const { texts = [], input, inputText = '' } = asked as { texts?: string[]; input?: string[]; inputText?: string }
  const vector = (text: string): number[] => [text.length, 0.5]
  if (path === '/v2/embed')
    return json({ id: 'e', embeddings: { float: texts.map(vector) }, meta: { billed_units: { input_tokens: texts.length } } })
  if (path.endsWith('/invoke'))
    return json(
      input === undefined && texts.length > 0
        ? { embeddings: texts.map(vector) }
        : { embedding: vector(inputText), inputTextTokenCount: 1 },
    )
  return json({
    data: (input ?? []).map((text, index) => ({ object: 'embedding', index, embedding: vector(text) })),
    usage: { prompt_tokens: 7 },
  })
}

const vendor = () => governed.vendors.openai
const texts = ['a', 'bb', 'ccc']

describe('the official SDK, which asks for vectors in base64,', () => {
  test.each([
    ['cohere-embed', ['/v2/embed']],
    ['titan', texts.map(() => '/model/amazon.titan-embed-text-v2%3A0/invoke')],
  ])('gets the vectors of %s', async (model, paths) => {
    const before = vendor().requests.length
    const client = new OpenAI({ apiKey: secrets.alice, baseURL: `${governed.url}/v1`, maxRetries: 0 })
    const answer = await client.embeddings.create({ model, input: texts })
    expect(answer.data.map(({ embedding }) => embedding)).toEqual(texts.map((text) => [text.length, 0.5]))
    expect([answer.model, answer.usage]).toEqual([model, { prompt_tokens: 3, total_tokens: 3 }])
    const sent = vendor().requests.slice(before)
    expect(sent.map(({ path }) => path)).toEqual(paths)
    for (const { headers } of sent) expect(headers['authorization']).toBe(`Bearer ${secrets.openai}`)
  })
})

test('a client of Cohere gets the vectors of OpenAI, and is told what could not be said', async () => {
  const answer = await post(`${governed.url}/v2/embed`, secrets.alice, {
    model: 'openai-embed',
    texts,
    input_type: 'search_query',
    embedding_types: ['float'],
  })
  expect(JSON.parse(answer.text)).toMatchObject({ embeddings: { float: texts.map((text) => [text.length, 0.5]) }, texts })
  expect(answer.headers['x-turnward-warnings']).toBe('left out: input_type')
  const { 'x-turnward-call': modelCall } = answer.headers
  const decision = await governed.gateway.recordThat((one) => one.modelCall === modelCall && one.type === 'decision')
  expect(decision).toMatchObject({ operation: 'embeddings', leftOut: ['input_type'], upstream: 'openai' })
})

test('a client of Cohere reaches Cohere as it is', async () => {
  const bytes = '{"model":"embed-v4.0",  "texts":["a"],"input_type":"search_query","embedding_types":["int8"]}'
  const answer = await post(`${governed.url}/v2/embed`, secrets.alice, bytes.replace('embed-v4.0', 'cohere-embed'))
  expect([answer.status, vendor().last().bytes.toString()]).toEqual([200, bytes])
})

test('more texts than the upstream takes at once go out in parts and come back in order, and are one decision', async () => {
  const many = Array.from({ length: 30 }, (_, at) => 'x'.repeat(at + 1))
  const before = vendor().requests.length
  const answer = await post(`${governed.url}/v1/embeddings`, secrets.alice, { model: 'titan', input: many })
  const { data } = JSON.parse(answer.text) as { data: { embedding: number[] }[] }
  expect(data.map(({ embedding }) => embedding[0])).toEqual(many.map(({ length }) => length))
  expect(vendor().requests.length - before).toBe(30)
  const { 'x-turnward-call': modelCall } = answer.headers
  await governed.gateway.recordThat((one) => one.modelCall === modelCall && one.type === 'outcome')
  expect((await governed.gateway.turnRecords()).filter((one) => one.modelCall === modelCall && one.type === 'decision')).toHaveLength(1)
})

test('one that is busy is passed over; what is wrong with the request is told at once', async () => {
  let asked = 0
  vendor().respond((request) => (++asked === 1 ? json({ message: 'busy' }, 503) : answerEmbeddings(request)))
  const answer = await post(`${governed.url}/v1/embeddings`, secrets.alice, { model: 'either', input: texts })
  expect([answer.status, vendor().last().path]).toEqual([200, '/v1/embeddings'])
  vendor().respond(() => json({ message: `too long for ${secrets.openai}` }, 400))
  const before = vendor().requests.length
  const refused = await post(`${governed.url}/v1/embeddings`, secrets.alice, { model: 'either', input: texts })
  expect([refused.status, vendor().requests.length - before]).toEqual([400, 1])
  expect(refused.text).toContain('too long')
  expect(refused.text).not.toContain(secrets.openai)
})

test.each<[string, VendorReply]>([
  ['no JSON', { status: 200, headers: {}, parts: ['<html>'] }],
  ['too few vectors', json({ embeddings: { float: [[1]] } })],
])('an answer with %s is an error and no vector', async (_what, reply) => {
  vendor().respond(() => reply)
  const answer = await post(`${governed.url}/v1/embeddings`, secrets.alice, { model: 'cohere-embed', input: texts })
  expect([answer.status, (JSON.parse(answer.text) as { error: { code: string } }).error.code]).toEqual([502, 'upstream.malformed'])
})

test('a name of a model leads nowhere else than where models are', async () => {
  expect((await post(`${governed.url}/v1/embeddings`, secrets.alice, { model: 'odd', input: 'a' })).status).toBe(200)
  expect(vendor().last().path).toBe('/model/..%2F..%2Fmodel%2Fcohere.embed/invoke')
})

test('tokens, which mean nothing to another vendor, are refused by name', async () => {
  const before = vendor().requests.length
  const answer = await post(`${governed.url}/v1/embeddings`, secrets.alice, { model: 'cohere-embed', input: [1, 2] })
  expect([answer.status, vendor().requests.length - before]).toEqual([400, 0])
  expect(answer.text).toContain('request.unsupported')
})

describe('tokens where another upstream of the route could take them', () => {
  const ask = (model: string) => post(`${governed.url}/v1/embeddings`, secrets.alice, { model, input: [[1, 2]] })

  test('reach the one that speaks the form of the caller, as they came, and nobody else is asked or on record', async () => {
    const before = vendor().requests.length
    const answer = await ask('either')
    expect([answer.status, vendor().requests.length - before]).toEqual([200, 1])
    expect(vendor().last()).toMatchObject({ path: '/v1/embeddings', body: { input: [[1, 2]] } })
    const decisions = (await governed.gateway.turnRecords()).filter(
      (record) => record.type === 'decision' && record.modelCall === answer.headers['x-turnward-call'],
    )
    expect(decisions).toMatchObject([{ upstream: 'openai' }])
  })

  test('are refused by name when none of them can', async () => {
    const answer = await ask('neither')
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('request.unsupported')])
  })

  test('are told to come again when the one that can is busy', async () => {
    vendor().respond(() => json({ message: 'busy' }, 503))
    const answer = await ask('openai-first')
    expect([answer.status, answer.text]).toEqual([503, expect.stringContaining('busy')])
  })
})
