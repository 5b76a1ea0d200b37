import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { configJsonSchema } from '@turnward/contract/config'
import { afterAll, describe, expect, test } from 'vitest'
import { realDisk } from './disk.ts'
import { attemptLoad } from './load.ts'
import { objectKinds } from './managed/kinds.ts'
import { managedText, readManagedObjects, runningObjects } from './managed/managed-objects.ts'
import { diskWith, managedSource } from './managed/managed-source.ts'
import { readOpeningSettings } from './opening-settings.ts'
import { ConfigError } from './problems.ts'
import type { Snapshot } from './snapshot.ts'

const folder = mkdtempSync(join(tmpdir(), 'turnward-sources-'))
const path = join(folder, 'turnward.yaml')
const secretFile = join(folder, 'vendor.key')
afterAll(() => rmSync(folder, { recursive: true }))

const file = `
upstreams:
  local: { kind: openai-compatible, base_url: "http://127.0.0.1:1/v1" }
routes:
  - { model: "a", upstreams: [local] }
limits:
  rules:
    - { name: daily, count: requests, limit: 10, window: 1d }
contracts:
  mail__send: { effects: [egress], override: true }
managed:
  references: [VENDOR_*, "file:${folder}/*"]
`
const env = { SECRET: 'from the environment', VENDOR_KEY: 'of the vendor, from the environment' }

async function attempt(objects: object, text = file): Promise<Snapshot | ConfigError> {
  writeFileSync(path, text)
  const managed = managedText({ revision: 3, leftOut: [], objects: readManagedObjects(objects) })
  return (await attemptLoad(path, env, [managedSource], diskWith(realDisk, managed))).outcome
}

async function load(objects: object, text = file): Promise<Snapshot> {
  const outcome = await attempt(objects, text)
  if (outcome instanceof ConfigError) throw outcome
  return outcome
}

async function problemsOf(objects: object, text = file): Promise<string> {
  const outcome = await attempt(objects, text)
  return outcome instanceof ConfigError ? outcome.text : 'no problem'
}

const chat = { model: 'b', upstreams: ['local'] }

describe('a configuration of a file and of objects that were made over the API', () => {
  test('is one: objects of each refer to objects of the other', async () => {
    const snapshot = await load(
      { routes: { chat }, upstreams: { other: { kind: 'ollama' } } },
      `${file.replace('routes:', 'routes:\n  - { model: c, upstreams: [other] }')}`,
    )
    expect([...snapshot.routes.names].toSorted()).toEqual(['a', 'b', 'c'])
    expect(snapshot.managed).toEqual({ revision: 3, leftOut: [], holdsCalls: false })
  })

  test('knows where each object was written, what it is called and what was written', async () => {
    const { origins, objects } = await load({
      routes: { chat },
      principals: { eve: {} },
      limits: { hourly: { count: 'requests', limit: 5, window: '1h' } },
    })
    expect(origins.get('upstreams.local')).toEqual({ source: path, line: 3, column: 3 })
    expect(origins.get('principals.eve')?.source).toBe('console')
    expect([...(objects.get('routes')?.keys() ?? [])]).toEqual(['0', 'chat'])
    expect(objects.get('routes')?.get('chat')).toMatchObject({ value: chat, origin: { source: 'console' } })
    expect([...(objects.get('limits')?.keys() ?? [])]).toEqual(['daily', 'hourly'])
  })

  test.each([
    ['upstreams/local', { upstreams: { local: { kind: 'openai' } } }, 3],
    ['limits/daily', { limits: { daily: { count: 'requests', limit: 9, window: '1d' } } }, 8],
    ['contracts/mail__send', { contracts: { mail__send: {} } }, 10],
  ])('has each name once: %s of the file cannot be made a second time', async (name, objects, line) => {
    expect(await problemsOf(objects)).toMatch(
      new RegExp(`console:\\d+:\\d+ .*\`${name}\` is in turnward.yaml:${line}, and can be changed there only`),
    )
  })

  test('says which source a problem is in', async () => {
    expect(await problemsOf({ routes: { chat: { model: 'b', upstreams: ['nowhere'] } } })).toMatch(
      /^console:\d+:\d+ .*no upstream `nowhere`/,
    )
  })

  test('takes no settings of the gateway itself, and no kinds that are unknown, from anywhere but the file', () => {
    for (const section of ['listen', 'store', 'data_dir', 'include', 'identity', 'policy', 'managed'])
      expect(() => readManagedObjects({ [section]: {} })).toThrow(/there is no kind/)
  })

  test('gives way to a draft of a policy, which is decided beside it', async () => {
    const rule = { when: 'true', verdict: 'deny', reason: 'Never.' }
    const draft = join(folder, 'draft.yaml')
    writeFileSync(draft, JSON.stringify({ rules: [{ name: 'never', ...rule, reason: 'In the draft.' }] }))
    const { shadow, policy } = await load({ rules: { never: rule } }, `${file}policy: { shadow: draft.yaml }\n`)
    expect(policy.rules.map(({ reason }) => reason)).toEqual(['Never.'])
    expect(shadow?.policy.rules.map(({ reason }) => reason)).toEqual(['In the draft.'])
  })

  test('can be written again from what runs', async () => {
    const objects = readManagedObjects({
      routes: { chat },
      limits: { hourly: { count: 'requests', limit: 5, window: '1h' } },
      credentials: { c: { secret: '${VENDOR_KEY}' } },
    })
    expect(runningObjects(await load(objects))).toEqual(objects)
  })

  test('has a kind for every map and list of objects of the schema but those that only the file has', () => {
    const { properties } = configJsonSchema() as {
      readonly properties: Readonly<Record<string, { readonly additionalProperties?: unknown; readonly type?: string }>>
    }
    const collections = Object.entries(properties).filter(
      ([, { type, additionalProperties: of }]) => type === 'array' || (type === 'object' && typeof of === 'object'),
    )
    const known = new Set(objectKinds.map(({ path: [section] }) => section))
    expect(
      collections
        .map(([section]) => section)
        .filter((section) => !known.has(section))
        .toSorted(),
    ).toEqual(['include', 'packs'])
  })

  test('is what the file alone says when nothing was made', async () => {
    const alone = (await attemptLoad(path, env)).outcome
    expect(alone).toMatchObject({ revision: (await load({})).revision, managed: { revision: 0 } })
  })
})

describe('secrets in objects that were made over the API', () => {
  const ofCredential = (secret: unknown): object => ({ credentials: { c: { secret } } })

  test('are references to what the file allows: variables by their names, files by their paths', async () => {
    writeFileSync(secretFile, 'of the vendor, from a file\n')
    const { credentials, objects } = await load({
      credentials: { c: { secret: '${VENDOR_KEY}' }, f: { secret: `\${file:${secretFile}}` } },
    })
    expect(credentials.get('c')).toMatchObject({ secret: env.VENDOR_KEY })
    expect(credentials.get('f')).toMatchObject({ secret: 'of the vendor, from a file' })
    expect(objects.get('credentials')?.get('c')?.value).toEqual({ secret: '${VENDOR_KEY}' })
  })

  test.each([
    ['a variable that is not allowed', ofCredential('${SECRET}')],
    ['one of two variables', ofCredential('${VENDOR_KEY}${SECRET}')],
    ['a file that is not allowed', ofCredential('${file:/etc/passwd}')],
    ['the way from a folder that is allowed to another one', ofCredential(`\${file:${folder}/../../etc/passwd}`)],
    ['the identity of the machine', { credentials: { c: { google: { identity: 'auto' } } } }],
    ['a program', { servers: { s: { transport: 'stdio', command: ['/bin/sh'] } } }],
    ['a file of the machine', { servers: { s: { transport: 'openapi', document: '/etc/passwd' } } }],
  ])('are not %s', async (_what, objects) => {
    const problems = await problemsOf(objects)
    expect(problems).toMatch(/under `managed.references`|absolute path|which `managed.local_servers`/)
    expect(problems).not.toContain(env.SECRET)
  })

  const literal = 'correct-horse-battery-staple'
  test.each([
    ['a credential', ofCredential(literal)],
    ['a part of keys of AWS', { credentials: { c: { aws: { access_key_id: 'AKIDEXAMPLE', secret_access_key: literal } } } }],
    ['a fixed header', { upstreams: { u: { kind: 'ollama', headers: { 'x-team': literal } } } }],
    ['a virtual key', { keys: { k: { principal: 'p', secret: literal } }, principals: { p: {} } }],
    ['a default of a reference', ofCredential(`\${VENDOR_KEY:-${literal}}`)],
    [
      'a header of a server',
      { servers: { s: { transport: 'http', url: 'https://mcp.example/mcp', headers: { authorization: `Bearer ${literal}` } } } },
    ],
  ])('are refused where they are written out, and not said again: %s', async (_what, objects) => {
    const outcome = await attempt(objects)
    expect(outcome).toBeInstanceOf(ConfigError)
    const { problems, text } = outcome as ConfigError
    expect(problems.map(({ code }) => code)).toContain('config.literal_secret')
    expect(`${text}${JSON.stringify(problems)}`).not.toContain(literal)
  })

  test('stand for themselves where no secret stands', async () => {
    const { templates } = await load({ templates: { t: { messages: [{ role: 'user', text: 'echo ${SECRET}' }] } } })
    expect(JSON.stringify(templates.get('t')?.messages)).toContain('echo ${SECRET}')
  })
})

describe('the settings that open the store', () => {
  test('are read whatever else is wrong', async () => {
    writeFileSync(
      path,
      'data_dir: kept\nroutes: [{ model: a, upstreams: [nowhere] }]\nunknown: 1\nkeys: { k: { principal: p, secret: "${NOT_SET}" } }',
    )
    expect(await readOpeningSettings(path, {})).toMatchObject({ dataDir: join(folder, 'kept'), store: { kind: 'sqlite' } })
  })

  test('are refused at their place', async () => {
    writeFileSync(path, 'data_dir: 1')
    await expect(readOpeningSettings(path, {})).rejects.toMatchObject({ text: expect.stringMatching(/^turnward\.yaml:1:11 /) })
    await expect(readOpeningSettings(join(folder, 'none.yaml'), {})).rejects.toThrow(/does not exist/)
  })
})
