/** `turnward upstreams`: what is wrong with an upstream is told in terms an administrator can act on, and never with a secret. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCli, type CliResult } from '../harness/cli.ts'
import type { Json } from '../harness/json.ts'
import { startVendor, type Vendor, type VendorReply } from '../harness/vendor.ts'

const secret = 'sk-a-secret-of-the-vendor-000'
let home: string
let vendor: Vendor
let reply: (path: string) => VendorReply

const json = (status: number, body: unknown, headers: Record<string, string> = {}): VendorReply => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  parts: [JSON.stringify(body)],
})
const list = json(200, { object: 'list', data: [{ id: 'good' }] })
const answer = json(200, {
  id: 'c1',
  object: 'chat.completion',
  created: 1,
  model: 'good',
  choices: [{ index: 0, message: { role: 'assistant', content: 'ready' }, finish_reason: 'stop' }],
})
const error = (status: number, message: string, more: object = {}, headers = {}): VendorReply =>
  json(status, { error: { message, type: 'x', ...more } }, headers)

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'turnward-upstreams-'))
  vendor = await startVendor(({ path }) => reply(path))
  const config = {
    credentials: { key: { secret: '${VENDOR_KEY}' } },
    upstreams: {
      vendor: { kind: 'groq', base_url: vendor.url, credential: 'key' },
      closed: { kind: 'vllm', base_url: 'http://127.0.0.1:1/v1', credential: 'none' },
      nowhere: { kind: 'mistral', base_url: 'https://nobody.invalid/v1', credential: 'key' },
      edge: { kind: 'kong', base_url: vendor.url, credential: 'none' },
    },
  }
  await writeFile(join(home, 'turnward.yaml'), JSON.stringify(config))
})
afterAll(async () => {
  await vendor?.[Symbol.asyncDispose]()
  await rm(home, { recursive: true, force: true })
})

const run = (...args: string[]): Promise<CliResult> =>
  runCli(['upstreams', ...args], { cwd: home, env: { PATH: process.env['PATH'] ?? '', HOME: home, VENDOR_KEY: secret } })

async function verdicts(...args: string[]): Promise<{ code: number | null; verdicts: unknown[]; text: string }> {
  const { code, stdout, stderr } = await run('test', ...args, '--json')
  expect(`${stdout}${stderr}`).not.toContain(secret)
  const tests = (JSON.parse(stdout) as Json)['tests'] as Json[]
  return { code, verdicts: tests.map(({ verdict }) => verdict), text: stdout }
}

test('an upstream that answers is well, and was asked with its key', async () => {
  reply = (path) => (path.endsWith('/models') ? list : answer)
  expect(await verdicts('vendor', '--model', 'good')).toMatchObject({ code: 0, verdicts: ['ok', 'ok'] })
  expect(vendor.last().headers['authorization']).toBe(`Bearer ${secret}`)
  expect(vendor.last().body).toMatchObject({ model: 'good', max_tokens: 256 })
})

test.each<[string, VendorReply, string]>([
  ['a key that is refused', error(401, `Incorrect API key provided: ${secret}`), 'key'],
  ['a key that may not', error(403, 'You are not allowed to do this'), 'key'],
  ['a key that is refused as a bad request', error(400, 'API key not valid. Please pass a valid API key.'), 'key'],
  ['a model nobody knows', error(404, 'The model `bad` does not exist'), 'model'],
  ['a model that is refused', error(400, 'Invalid model name'), 'model'],
  ['nothing left to spend', error(429, 'You exceeded your current quota', { code: 'insufficient_quota' }), 'quota'],
  ['credit that ran out', error(400, 'Your credit balance is too low'), 'quota'],
  ['payment that is due', error(402, 'Payment required'), 'quota'],
  ['an edge that throttles', error(503, 'slow down', {}, { 'x-ai-ratelimit-remaining-a': '0' }), 'quota'],
  ['trouble at the vendor', error(500, 'oops'), 'vendor'],
  ['a page of something else', { status: 404, headers: { 'content-type': 'text/html' }, parts: ['<html>nginx</html>'] }, 'address'],
  ['a page instead of an answer', { status: 200, headers: { 'content-type': 'text/html' }, parts: ['<html>hi</html>'] }, 'address'],
])('%s is told as such', async (_, refused, verdict) => {
  reply = (path) => (path.endsWith('/models') ? list : refused)
  expect(await verdicts('vendor', '--model', 'bad')).toMatchObject({ code: 5, verdicts: ['ok', verdict] })
})

test.each([
  ['closed', 'nothing listens'],
  ['nowhere', 'host name'],
])('%s cannot be reached, and why', async (name, why) => {
  const told = await verdicts(name, '--model', 'any')
  expect(told).toMatchObject({ code: 4, verdicts: ['network'] })
  expect(told.text).toContain(why)
})

test('where there is no list of models, one must be named; what is not configured is refused by name', async () => {
  expect((await run('test', 'edge')).stderr).toContain('--model')
  expect((await run('test', 'vendr')).stderr).toContain('Did you mean `vendor`?')
  expect((await run('test', 'vendor', '--credential', 'other')).stderr).toContain('no credential of this name')
  expect((await run('list')).stdout).toMatch(/vendor\s+groq\s+http/)
})
