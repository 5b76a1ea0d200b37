/** Operations whose requests carry files: granted by the model in the form, and sent as the form that was read. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import OpenAI, { toFile } from 'openai'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, type GovernedGateway } from '../harness/governed-gateway.ts'
import type { VendorReply, VendorRequest } from '../harness/vendor.ts'

let governed: GovernedGateway
let client: OpenAI

beforeAll(async () => {
  governed = await startGoverned((config) => ({
    ...config,
    routes: [
      { model: 'ears', upstreams: [{ upstream: 'openai', model: 'gpt-4o-transcribe' }] },
      { model: 'secret-model', upstreams: ['openai'] },
    ],
    grants: [{ principals: ['alice'], models: ['ears'] }],
  }))
  client = new OpenAI({ apiKey: secrets.alice, baseURL: `${governed.url}/v1`, maxRetries: 0 })
})
afterAll(() => governed?.close())

const json = (body: unknown): VendorReply => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  parts: [JSON.stringify(body)],
})
const sound = Buffer.from([0, 13, 10, 45, 45, 255, 0, 128])
const formOf = ({ bytes, headers }: VendorRequest): Promise<FormData> =>
  new Response(new Uint8Array(bytes), { headers: { 'content-type': String(headers['content-type']) } }).formData()

/** A form as bytes, one text or file per part. */
function form(parts: readonly string[], boundary = 'xyz'): Buffer {
  return Buffer.from(`${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}--${boundary}--\r\n`)
}
const text = (name: string, value: string): string => `content-disposition: form-data; name="${name}"\r\n\r\n${value}`
const file = `content-disposition: form-data; name="file"; filename="a.wav"\r\ncontent-type: audio/wav\r\n\r\nRIFF`
const send = (body: Buffer, contentType = 'multipart/form-data; boundary=xyz', key = secrets.alice): Promise<Response> =>
  fetch(`${governed.url}/v1/audio/transcriptions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': contentType },
    body: new Uint8Array(body),
  })

describe('a form with a file', () => {
  test('goes on with the name the upstream knows, its other parts as they were, and our credential', async () => {
    governed.vendors.openai.respond(() => json({ text: 'hello' }))
    const spoken = await client.audio.transcriptions.create({ model: 'ears', file: await toFile(sound, 'ton ä.wav'), language: 'de' })
    expect(spoken.text).toBe('hello')
    const sent = governed.vendors.openai.last()
    const parts = await formOf(sent)
    const sentFile = parts.get('file') as File
    expect([sent.path, parts.get('model'), parts.get('language'), sentFile.name]).toEqual([
      '/v1/audio/transcriptions',
      'gpt-4o-transcribe',
      'de',
      'ton ä.wav',
    ])
    expect(Buffer.from(await sentFile.arrayBuffer())).toEqual(sound)
    expect(sent.headers['authorization']).toBe(`Bearer ${secrets.openai}`)
    const outcome = await governed.gateway.recordThat((one) => one.type === 'outcome' && one.operation === 'transcriptions')
    expect(outcome).toMatchObject({ kind: 'model_operation', subject: 'ears', principal: 'alice', outcome: 'ok' })
  })

  test('of a picture, and a translation, as well', async () => {
    governed.vendors.openai.respond(() => json({ data: [], text: 'hi' }))
    await client.images.edit({ model: 'ears', image: [await toFile(sound, 'a.png'), await toFile(sound, 'b.png')], prompt: 'p' })
    const sent = governed.vendors.openai.last()
    expect([sent.path, (await formOf(sent)).getAll('image[]')]).toEqual(['/v1/images/edits', [expect.any(File), expect.any(File)]])
    await client.audio.translations.create({ model: 'ears', file: await toFile(sound, 'a.wav') })
    expect(governed.vendors.openai.last().path).toBe('/v1/audio/translations')
  })
})

test.each<[string, Buffer, string | undefined, number, string]>([
  ['without a model', form([file]), undefined, 400, 'request.invalid'],
  ['with two models', form([text('model', 'ears'), text('model', 'secret-model'), file]), undefined, 400, 'request.invalid'],
  ['with a file as the model', form([file.replace('name="file"', 'name="model"')]), undefined, 400, 'request.invalid'],
  ['with a model nobody granted', form([text('model', 'secret-model'), file]), undefined, 404, 'grant.model'],
  ['that is JSON', Buffer.from('{"model":"ears"}'), 'application/json', 400, 'request.invalid'],
  ['with another boundary', form([text('model', 'ears')], 'abc'), undefined, 400, 'request.invalid'],
  ['that is cut off', form([text('model', 'ears'), file]).subarray(0, 90), undefined, 400, 'request.invalid'],
  ['of too many parts', form(Array.from({ length: 101 }, (_, at) => text(`p${at}`, 'x'))), undefined, 400, 'request.invalid'],
  ['without a boundary', form([text('model', 'ears')]), 'multipart/form-data', 400, 'request.invalid'],
])('a form %s is refused and not sent', async (_what, body, contentType, status, code) => {
  const before = governed.vendors.openai.requests.length
  const answer = await send(body, contentType)
  expect([answer.status, ((await answer.json()) as { error: { code: string } }).error.code]).toEqual([status, code])
  expect(governed.vendors.openai.requests).toHaveLength(before)
})

test('two readings of one form are not possible: what was read is what is sent', async () => {
  governed.vendors.openai.respond(() => json({ text: '' }))
  const body = Buffer.concat([form([text('model', 'ears'), file]), Buffer.from(`--xyz\r\n${text('model', 'secret-model')}\r\n--xyz--`)])
  expect((await send(body)).status).toBe(200)
  const sent = governed.vendors.openai.last()
  expect(sent.bytes.toString()).not.toContain('secret-model')
})
