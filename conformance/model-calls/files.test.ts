/** Files that are kept here, by the official SDKs of two vendors: brought, shown, listed, deleted, and read by any upstream in the request that names them. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Anthropic, { toFile as toAnthropicFile } from '@anthropic-ai/sdk'
import OpenAI, { toFile } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startGateway } from '../harness/gateway-process.ts'
import { governedConfig, secretEnv, secrets } from '../harness/governed-config.ts'
import { startGoverned, withParts, type GovernedGateway } from '../harness/governed-gateway.ts'
import { say } from '../harness/model-answer.ts'
import { startVendor } from '../harness/vendor.ts'

let governed: GovernedGateway
let alice: OpenAI
let bob: OpenAI
let claude: Anthropic

const openaiClient = (url: string, apiKey: string): OpenAI => new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 })
const pdf = Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.from(Array.from({ length: 700_000 }, (_, at) => (at * 7919) % 256))])
const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 255])

beforeAll(async () => {
  governed = await startGoverned(withParts({ files: { max_bytes: 1_000_000, max_kept: 12, max_kept_bytes: 3_000_000 } }))
  // A vendor gives every answer an id of its own; the recorded one is always the same.
  let answers = 0
  governed.respond((request) => {
    const reply = say(request, { text: 'Read.' })
    answers += 1
    return { ...reply, parts: reply.parts.map((part) => String(part).replaceAll(/"(resp|chatcmpl|msg)[-_]/g, `"$1_n${answers}_`)) }
  })
  alice = openaiClient(governed.url, secrets.alice)
  bob = openaiClient(governed.url, secrets.bob)
  claude = new Anthropic({ apiKey: secrets.alice, baseURL: governed.url, maxRetries: 0 })
})
afterAll(() => governed?.close())

/** What the vendor was sent last. */
const sent = (vendor: 'openai' | 'anthropic') => governed.vendors[vendor].last()

describe('OpenAI’s client', () => {
  test('brings a file, finds it again byte for byte, and deletes it', async () => {
    const made = await alice.files.create({ file: await toFile(pdf, 'Bericht ä.pdf'), purpose: 'user_data' })
    expect(made).toMatchObject({ object: 'file', bytes: pdf.length, filename: 'Bericht ä.pdf', purpose: 'user_data', status: 'processed' })
    expect(made.expires_at).toBeGreaterThan(made.created_at)
    expect(await alice.files.retrieve(made.id)).toEqual(made)
    const content = await alice.files.content(made.id)
    expect(Buffer.from(await content.arrayBuffer()).equals(pdf)).toBe(true)
    expect(content.headers.get('content-disposition')).toContain('Bericht%20%C3%A4.pdf')
    expect((await alice.files.waitForProcessing(made.id)).status).toBe('processed')
    expect(await alice.files.delete(made.id)).toEqual({ id: made.id, object: 'file', deleted: true })
    await expect(alice.files.retrieve(made.id)).rejects.toMatchObject({ status: 404, code: 'file.not_found' })
    // No vendor has heard of it.
    expect(governed.vendors.openai.requests.filter(({ path }) => path.includes('files'))).toEqual([])
  })

  test('lists its files page by page, of one purpose, in both orders', async () => {
    const ids: string[] = []
    for (const purpose of ['batch', 'user_data', 'batch'] as const)
      ids.push((await alice.files.create({ file: await toFile(Buffer.from('{}'), `${purpose}.jsonl`), purpose })).id)
    const listed: string[] = []
    for await (const file of alice.files.list({ limit: 1 })) listed.push(file.id)
    expect(listed).toEqual(ids.toReversed())
    expect((await alice.files.list({ order: 'asc' })).data.map(({ id }) => id)).toEqual(ids)
    expect((await alice.files.list({ purpose: 'batch', order: 'asc' })).data.map(({ id }) => id)).toEqual([ids[0], ids[2]])
    await expect(alice.files.list({ after: 'file-nothing' })).rejects.toMatchObject({ status: 400 })
    for (const id of ids) await alice.files.delete(id)
  })

  test('never sees another caller’s: its id is unknown like any other', async () => {
    const { id } = await alice.files.create({ file: await toFile(png, 'a.png'), purpose: 'vision' })
    const unknown = await bob.files.retrieve('file-000000000000000000000000').catch((error: unknown) => error)
    for (const ask of [() => bob.files.retrieve(id), () => bob.files.content(id), () => bob.files.delete(id)])
      await expect(ask()).rejects.toMatchObject({ status: 404, message: (unknown as Error).message })
    expect((await bob.files.list()).data).toEqual([])
    const file = { type: 'file' as const, file: { file_id: id } }
    await expect(bob.chat.completions.create({ model: 'gpt-test', messages: [{ role: 'user', content: [file] }] })).rejects.toMatchObject({
      status: 400,
      code: 'file.not_found',
      message: expect.stringContaining(id),
    })
    await alice.files.delete(id)
  })

  test('gets no room without end, and is told what to do', async () => {
    const bring = (bytes: Buffer) => bob.files.create({ file: new File([new Uint8Array(bytes)], 'x.bin'), purpose: 'user_data' })
    await expect(bring(Buffer.alloc(1_000_001, 1))).rejects.toMatchObject({
      status: 413,
      message: expect.stringContaining('files.max_bytes'),
    })
    const kept = [await bring(Buffer.alloc(900_000, 1)), await bring(Buffer.alloc(900_000, 1)), await bring(Buffer.alloc(900_000, 1))]
    await expect(bring(Buffer.alloc(900_000, 1))).rejects.toMatchObject({
      status: 403,
      code: 'file.no_room',
      message: expect.stringContaining('DELETE'),
    })
    await bob.files.delete(kept[0]?.id ?? '')
    kept[0] = await bring(Buffer.alloc(800_000, 1))
    const many = await Promise.allSettled(Array.from({ length: 12 }, () => bring(Buffer.from('x'))))
    expect(many.filter(({ status }) => status === 'fulfilled')).toHaveLength(9)
    for (const { id } of (await bob.files.list()).data) await bob.files.delete(id)
  })

  test.each<[string, string | FormData, string | undefined]>([
    ['that is no form', '{}', 'application/json'],
    ['without a purpose', form({ file: new File(['x'], 'x.txt') }), undefined],
    ['for a purpose of the vendor’s own', form({ file: new File(['x'], 'x.txt'), purpose: 'fine-tune' }), undefined],
    ['without a file', form({ purpose: 'batch' }), undefined],
    ['with an empty file', form({ file: new File([], 'x.txt'), purpose: 'batch' }), undefined],
    ['with a field nobody knows', form({ file: new File(['x'], 'x.txt'), purpose: 'batch', owner: 'bob' }), undefined],
  ])('is refused an upload %s', async (_what, body, type) => {
    const headers = { authorization: `Bearer ${secrets.alice}`, ...(type === undefined ? {} : { 'content-type': type }) }
    const answer = await fetch(`${governed.url}/v1/files`, { method: 'POST', headers, body })
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringMatching(/request\.(invalid|unsupported)/)])
    expect((await alice.files.list()).data).toEqual([])
  })
})

function form(fields: Readonly<Record<string, string | File>>): FormData {
  const made = new FormData()
  for (const [name, value] of Object.entries(fields)) made.append(name, value)
  return made
}

describe('Anthropic’s client, at the same path,', () => {
  test('brings a file, finds it again, pages through the list, and deletes it', async () => {
    const made = await claude.beta.files.upload({ file: await toAnthropicFile(pdf, 'report.pdf', { type: 'application/pdf' }) })
    expect(made).toMatchObject({ type: 'file', filename: 'report.pdf', mime_type: 'application/pdf', size_bytes: pdf.length })
    const other = await claude.beta.files.upload({ file: await toAnthropicFile(Buffer.from('hi'), 'a.txt', { type: 'text/plain' }) })
    expect(await claude.beta.files.retrieveMetadata(made.id)).toEqual(made)
    expect(Buffer.from(await (await claude.beta.files.download(made.id)).arrayBuffer()).equals(pdf)).toBe(true)
    const listed: string[] = []
    for await (const file of claude.beta.files.list({ limit: 1 })) listed.push(file.id)
    expect(listed).toEqual([other.id, made.id])
    for (const { id } of [made, other]) expect(await claude.beta.files.delete(id)).toEqual({ id, type: 'file_deleted' })
    await expect(claude.beta.files.retrieveMetadata(made.id)).rejects.toMatchObject({
      status: 404,
      error: { type: 'error', error: { type: 'not_found_error' } },
    })
  })
})

test('a client of Gemini keeps none, and is told so in its own words', async () => {
  const answer = await fetch(`${governed.url}/v1/files`, { headers: { 'x-goog-api-key': secrets.alice } })
  expect([answer.status, await answer.json()]).toMatchObject([400, { error: { code: 400, message: expect.stringContaining('gemini') } }])
})

describe('a request that names a file', () => {
  test.each([
    ['gpt-test', 'openai'],
    ['claude-test', 'anthropic'],
  ] as const)('in Chat Completions is one with its content for %s', async (model, vendor) => {
    const { id } = await alice.files.create({ file: await toFile(pdf, 'report.pdf'), purpose: 'user_data' })
    await alice.chat.completions.create({
      model,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Sum up.' },
            { type: 'file', file: { file_id: id } },
          ],
        },
      ],
    })
    expect(sent(vendor).bytes.includes(pdf.toString('base64'))).toBe(true)
    expect(sent(vendor).bytes.includes(id)).toBe(false)
    await alice.files.delete(id)
  })

  test.each([
    ['gpt-test', 'openai'],
    ['claude-test', 'anthropic'],
  ] as const)('in Responses is one with its content for %s, also when the conversation goes on', async (model, vendor) => {
    const document = await alice.files.create({ file: await toFile(pdf, 'report.pdf'), purpose: 'user_data' })
    const picture = await alice.files.create({ file: await toFile(png, 'a.png'), purpose: 'vision' })
    const first = await alice.responses.create({
      model,
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_file', file_id: document.id },
            { type: 'input_image', file_id: picture.id, detail: 'auto' },
          ],
        },
      ],
    })
    const hasBoth = (): boolean => [pdf, png].every((content) => sent(vendor).bytes.includes(content.toString('base64')))
    expect(hasBoth()).toBe(true)
    await alice.responses.create({ model, input: 'Go on.', previous_response_id: first.id })
    expect(hasBoth()).toBe(true)
    // What is kept of the conversation has the names.
    expect(JSON.stringify((await alice.responses.inputItems.list(first.id)).data)).toContain(document.id)
    for (const { id } of [document, picture]) await alice.files.delete(id)
    await expect(alice.responses.create({ model, input: 'Go on.', previous_response_id: first.id })).rejects.toMatchObject({
      status: 400,
      code: 'file.not_found',
    })
  })

  test.each([
    ['gpt-test', 'openai'],
    ['claude-test', 'anthropic'],
  ] as const)('in Messages is one with its content for %s', async (model, vendor) => {
    const document = await claude.beta.files.upload({ file: await toAnthropicFile(pdf, 'report.pdf', { type: 'application/pdf' }) })
    const text = await claude.beta.files.upload({ file: await toAnthropicFile(Buffer.from('Buy milk.'), 'list.md') })
    await claude.beta.messages.create({
      model,
      max_tokens: 50,
      betas: ['files-api-2025-04-14'],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'document', source: { type: 'file', file_id: document.id } },
            { type: 'document', source: { type: 'file', file_id: text.id } },
          ],
        },
      ],
    })
    expect(sent(vendor).bytes.includes(pdf.toString('base64'))).toBe(true)
    expect(sent(vendor).bytes.includes('Buy milk.')).toBe(true)
    const upload = { type: 'container_upload' as const, file_id: text.id }
    await expect(
      claude.beta.messages.create({ model, max_tokens: 50, messages: [{ role: 'user', content: [upload] }] }),
    ).rejects.toMatchObject({ status: 400, message: expect.stringContaining('container') })
    for (const { id } of [document, text]) await claude.beta.files.delete(id)
  })

  test('in another spelling of the field names it all the same', async () => {
    const before = governed.vendors.openai.requests.length
    const body = `{"model":"gpt-test","messages":[{"role":"user","content":[{"type":"file","file":{"file\\u005fid":"file-of-the-vendor"}}]}]}`
    const answer = await fetch(`${governed.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${secrets.alice}`, 'content-type': 'application/json' },
      body,
    })
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('file.not_found')])
    expect(governed.vendors.openai.requests).toHaveLength(before)
  })
})

test('with `files.keep: false` nothing is kept, and ids are the upstream’s', async () => {
  await using other = await startGoverned(withParts({ files: { keep: false } }))
  other.answer({ text: 'Read.' })
  const client = openaiClient(other.url, secrets.alice)
  await expect(client.files.list()).rejects.toMatchObject({ status: 400, code: 'request.unsupported' })
  const file = { type: 'file' as const, file: { file_id: 'file-of-the-vendor' } }
  await client.chat.completions.create({ model: 'gpt-test', messages: [{ role: 'user', content: [file] }] })
  expect(other.vendors.openai.last().bytes.toString()).toContain('file-of-the-vendor')
})

test('a file outlives the process, and whoever reads its database reads nothing of it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'turnward-files-'))
  await using vendor = await startVendor()
  const config = { ...governedConfig({ openai: vendor.url, anthropic: vendor.url }), data_dir: folder }
  const content = Buffer.from('A secret list: milk, bread.')
  let id: string
  {
    await using gateway = await startGateway({ config, env: secretEnv })
    id = (
      await openaiClient(gateway.url, secrets.alice).files.create({ file: await toFile(content, 'secret-list.txt'), purpose: 'user_data' })
    ).id
    await gateway.stop('SIGKILL')
  }
  const bytes = Buffer.concat([
    await readFile(join(folder, 'turnward.db')),
    await readFile(join(folder, 'turnward.db-wal')).catch(() => Buffer.alloc(0)),
  ])
  for (const secret of ['milk', 'secret-list', id]) expect(bytes.includes(secret)).toBe(false)
  {
    await using gateway = await startGateway({ config, env: secretEnv })
    const client = openaiClient(gateway.url, secrets.alice)
    expect(await (await client.files.content(id)).text()).toBe(content.toString())
    expect((await client.files.list()).data.map(({ filename }) => filename)).toEqual(['secret-list.txt'])
  }
  await rm(folder, { recursive: true, force: true })
})
