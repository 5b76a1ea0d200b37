/**
 * Invariant 10, of files (`10-export-and-apply.test.ts` has what is made over the API): a configuration that is loaded again, written anew
 * from its resolved form, spelt in another order or split over files is the same revision; and one that says something else is not.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { configSchema } from '@turnward/contract/config'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { compileSnapshot } from '../config/compile.ts'
import { loadConfig } from '../config/load.ts'
import { isObject, type JsonObject } from '../core/json.ts'
import { configOf, type ConfigInput } from './floors.fixture.ts'

const env = {
  TEAM: 'sk-team-secret',
  ALICE_KEY_OF_THESE_TESTS: 'tw_revision_alice_0000000000',
  BOB_KEY_OF_THESE_TESTS: 'tw_revision_bob_000000000000',
  TOKEN: 'server-token',
}
const config: ConfigInput = configOf({
  keys: {
    'alice-key': { principal: 'alice', secret: '${ALICE_KEY_OF_THESE_TESTS}', expires: '2099-01-01' },
    'bob-key': { principal: 'bob', secret: '${BOB_KEY_OF_THESE_TESTS}' },
  },
  credentials: { team: { secret: '${TEAM}' } },
  upstreams: { vendor: { kind: 'openai', credential: 'team', headers: { 'x-edge': '${TOKEN}' } } },
  routes: [{ model: 'gpt-*', upstreams: ['vendor'] }],
  servers: { office: { transport: 'http', url: 'https://mcp.example/mcp', headers: { authorization: 'Bearer ${TOKEN}' } } },
  contracts: { office__send: { effects: ['egress'], requires: { audience: { includes: ['$args.to'] } } } },
  rules: [{ name: 'never', when: "tool.name == 'x'", verdict: 'deny', reason: 'Never.' }],
})

let folder = ''
let files = 0
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'turnward-revision-'))))
afterAll(() => rm(folder, { recursive: true, force: true }))

async function write(text: string, name = `c${(files += 1)}/turnward.yaml`): Promise<string> {
  const path = join(folder, name)
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, text)
  return path
}

const revisionOf = async (text: string, variables: Readonly<Record<string, string>> = env): Promise<string> =>
  (await loadConfig(await write(text), variables)).revision

/** The same object with the keys of every object in another order. Lists keep theirs: they mean something. */
function shuffled(value: unknown, seed: number): unknown {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, seed))
  if (!isObject(value)) return value
  const entries = Object.entries(value as JsonObject).map(([key, item], index) => ({ key, item, at: (index * 31 + seed * 17) % 97 }))
  return Object.fromEntries(entries.sort((a, b) => a.at - b.at).map(({ key, item }) => [key, shuffled(item, seed)]))
}

describe('the same configuration', () => {
  test('has the same revision when it is loaded again', async () => {
    const path = await write(stringify(config))
    const [one, other] = [await loadConfig(path, env), await loadConfig(path, env)]
    expect(other.revision).toBe(one.revision)
    expect(one.revision).toMatch(/^[0-9a-f]{12}$/)
  })

  test('has the same revision when its resolved form, with every default written out, is loaded', async () => {
    const resolved = JSON.stringify(configSchema.parse(config))
    expect(await revisionOf(resolved)).toBe(await revisionOf(stringify(config)))
    // And again from there: writing it out is where it ends.
    expect(await revisionOf(JSON.stringify(configSchema.parse(JSON.parse(resolved))))).toBe(await revisionOf(resolved))
  })

  test('has the same revision in any order of keys, as YAML or as JSON', async () => {
    const expected = await revisionOf(stringify(config))
    await fc.assert(
      fc.asyncProperty(fc.nat(96), fc.boolean(), async (seed, asJson) => {
        const other = shuffled(config, seed)
        expect(await revisionOf(asJson ? JSON.stringify(other) : stringify(other))).toBe(expected)
      }),
      { numRuns: 20 },
    )
  })

  test('has the same revision when it is split over files', async () => {
    const { contracts, rules, ...rest } = config
    await write(stringify({ contracts, rules }), 'split/parts/policy.yaml')
    const path = await write(stringify({ ...rest, include: ['parts'] }), 'split/turnward.yaml')
    expect((await loadConfig(path, env)).revision).toBe(await revisionOf(stringify(config)))
  })

  test('compiles to the same policy, whichever way it came', async () => {
    const loaded = await loadConfig(await write(stringify(config)), env)
    const resolve = (text: string): string =>
      text.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => (env as Record<string, string>)[name] ?? '')
    const compiled = compileSnapshot(configSchema.parse(JSON.parse(resolve(JSON.stringify(config)))), { files: [], dataDir: folder })
    expect(compiled.revision).toBe(loaded.revision)
    expect(JSON.stringify(compiled.policy)).toBe(JSON.stringify(loaded.policy))
  })
})

describe('another configuration', () => {
  test.each(Object.keys(env))('has another revision when the secret %s is another one, which the revision does not show', async (name) => {
    const changed = await revisionOf(stringify(config), { ...env, [name]: 'tw_another_secret_0000000000' })
    expect(changed).not.toBe(await revisionOf(stringify(config)))
  })

  test.each([
    { part: 'a grant', change: { grants: [] } },
    { part: 'a contract', change: { contracts: { office__send: { effects: ['egress'] } } } },
    { part: 'a rule', change: { rules: [] } },
    {
      part: 'the order of rules',
      change: { rules: [{ name: 'first', when: 'true', verdict: 'warn' as const, reason: 'x' }, ...(config.rules ?? [])] },
    },
    { part: 'a limit', change: { limits: { max_keys: 1000 } } },
    { part: 'the posture', change: { policy: { posture: 'strict' as const } } },
  ])('has another revision when $part differs', async ({ change }) => {
    expect(await revisionOf(stringify({ ...config, ...change }))).not.toBe(await revisionOf(stringify(config)))
  })
})
