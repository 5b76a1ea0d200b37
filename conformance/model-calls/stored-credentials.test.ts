/** People, groups and the organisation bring provider keys of their own: whose key a call runs with is on record, the key nowhere. */
import { readdir, readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, type GovernedGateway } from '../harness/governed-gateway.ts'
import { say } from '../harness/model-answer.ts'
import { post } from '../harness/raw-http.ts'
import { until } from '../harness/until.ts'

const own = { alice: 'sk-of-alice-herself', staff: 'sk-of-the-staff', organisation: 'sk-of-everybody' }

let governed: GovernedGateway
beforeAll(async () => {
  governed = await startGoverned((config) => ({
    ...config,
    identity: { vault: { key: '${VAULT_KEY:-MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=}' } },
  }))
  governed.respond((request) => {
    const isKnown = Object.values(own).some((key) => request.headers.authorization === `Bearer ${key}`)
    if (request.method === 'GET')
      return isKnown
        ? { parts: ['{"object":"list","data":[]}'] }
        : { status: 401, parts: ['{"error":{"message":"Incorrect API key provided: sk-wrong","type":"invalid_request_error"}}'] }
    return say(request, { text: 'ok' })
  })
})
afterAll(() => governed.close())

const ask = (who: 'alice' | 'bob') =>
  post(`${governed.url}/v1/chat/completions`, secrets[who], { model: 'gpt-test', messages: [{ role: 'user', content: 'hi' }] })

/** The key the vendor gets. */
async function keyOf(who: 'alice' | 'bob'): Promise<string> {
  await ask(who)
  return String(governed.vendors.openai.last().headers.authorization).replace('Bearer ', '')
}

/** The credential on record. */
async function credentialOf(who: 'alice' | 'bob'): Promise<unknown> {
  const { headers } = await ask(who)
  return (await governed.gateway.recordThat(({ modelCall }) => modelCall === headers['x-turnward-call'])).credential
}

async function add(owner: readonly string[], key: string): Promise<string> {
  const { code, stdout, stderr } = await governed.gateway.cli(
    ['credentials', 'add', '--json', ...owner, '--upstream', 'openai'],
    `${key}\n`,
  )
  expect(code, stderr).toBe(0)
  expect(stdout + stderr).not.toContain(key)
  return (JSON.parse(stdout) as { id: string }).id
}

test("the nearest one counts: the person's, the group's, the organisation's, and what is configured when they are gone", async () => {
  expect(await credentialOf('alice')).toBe('openai-team')
  const organisation = await add(['--organisation'], own.organisation)
  await until("the organisation's", async () => ((await keyOf('bob')) === own.organisation ? true : undefined))
  await add(['--group', 'staff'], own.staff)
  await until("the group's", async () => ((await keyOf('alice')) === own.staff ? true : undefined))
  const alice = await add(['--for', 'alice'], own.alice)
  await until('her own', async () => ((await keyOf('alice')) === own.alice ? true : undefined))
  expect([await credentialOf('alice'), await credentialOf('bob'), await keyOf('bob')]).toEqual([alice, organisation, own.organisation])
  const { stdout } = await governed.gateway.cli(['credentials', 'list', '--json'])
  expect((JSON.parse(stdout) as { credentials: { owner: string }[] }).credentials.map(({ owner }) => owner)).toEqual([
    '',
    'alice',
    'group:staff',
  ])
  expect((await governed.gateway.cli(['credentials', 'remove', '--for', 'alice', '--upstream', 'openai'])).code).toBe(0)
  await until("the group's again", async () => ((await keyOf('alice')) === own.staff ? true : undefined))
})

test('one that the vendor refuses is not stored, and said to be the key and not the network', async () => {
  const wrong = await governed.gateway.cli(['credentials', 'add', '--for', 'bob', '--upstream', 'openai'], 'sk-wrong-and-long-enough')
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringMatching(/credential\.refused.*the upstream refuses the credential/s)])
  expect(wrong.stderr).not.toContain('sk-wrong-and-long-enough')
  const misspelt = await governed.gateway.cli(['credentials', 'add', '--for', 'bob', '--upstream', 'opnai'], 'sk-x')
  expect(misspelt.stderr).toContain('Did you mean `openai`?')
  const machine = await governed.gateway.cli(
    ['credentials', 'add', '--for', 'bob', '--upstream', 'openai', '--kind', 'aws'],
    '{"identity":"instance"}',
  )
  expect([machine.code, machine.stderr]).toEqual([1, expect.stringContaining('request.invalid')])
  expect((await governed.gateway.cli(['credentials', 'list', '--for', 'bob', '--json'])).stdout).toBe('{"credentials":[]}\n')
})

test('no key is in the data folder, in clear or encoded, nor in what the gateway says', async () => {
  await ask('alice')
  const files = await readdir(governed.gateway.dir, { recursive: true, withFileTypes: true })
  const contents = await Promise.all(files.filter((file) => file.isFile()).map((file) => readFile(`${file.parentPath}/${file.name}`)))
  for (const key of Object.values(own))
    for (const form of [key, Buffer.from(key).toString('base64').slice(4, 16), Buffer.from(key).toString('hex')])
      for (const content of contents) expect(content.includes(form)).toBe(false)
})
