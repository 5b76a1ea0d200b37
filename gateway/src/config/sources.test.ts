import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { loadConfig } from './load.ts'
import { readOpeningSettings } from './opening-settings.ts'
import { ConfigError } from './problems.ts'
import { textSource } from './sources.ts'

const folder = mkdtempSync(join(tmpdir(), 'turnward-sources-'))
const path = join(folder, 'turnward.yaml')
afterAll(() => rmSync(folder, { recursive: true }))

const file = `
upstreams:
  local: { kind: openai-compatible, base_url: "http://127.0.0.1:1/v1" }
routes:
  - { model: "a", upstreams: [local] }
`

async function load(console: string, text = file) {
  writeFileSync(path, text)
  return loadConfig(path, { SECRET: 'from the environment' }, [textSource('console', async () => console)])
}

async function problemsOf(console: string, text = file): Promise<string> {
  const error = await load(console, text).catch((thrown: unknown) => thrown)
  return error instanceof ConfigError ? error.text : 'no problem'
}

describe('a configuration of several sources', () => {
  test('is one: objects of each refer to objects of the other', async () => {
    const snapshot = await load('routes:\n  - { model: b, upstreams: [local] }\nprincipals:\n  eve: {}')
    expect(snapshot.routes.names).toEqual(['a', 'b'])
    expect([...snapshot.principals.keys()]).toEqual(['eve'])
  })

  test('knows where each object was written', async () => {
    const { origins } = await load('{"principals": {"eve": {}}}')
    expect(origins.get('upstreams.local')).toEqual({ source: path, line: 3, column: 3 })
    expect(origins.get('principals.eve')).toEqual({ source: 'console', line: 1, column: 17 })
  })

  test('has each name once: a second owner is refused with both places', async () => {
    expect(await problemsOf('upstreams:\n  local: { kind: openai }')).toContain(
      'console:2:3  `upstreams.local` is declared twice; first at turnward.yaml:3',
    )
  })

  test('says which source a problem is in', async () => {
    expect(await problemsOf('routes:\n  - { model: b, upstreams: [nowhere] }')).toMatch(/^console:2:\d+ /)
    expect(await problemsOf('routes: [')).toMatch(/^console:1:/)
  })

  test('takes no settings of the gateway itself from anywhere but the file', async () => {
    for (const section of ['listen: { port: 1 }', 'store: { kind: sqlite }', 'data_dir: elsewhere', 'include: [/etc/passwd]'])
      expect(await problemsOf(section)).toContain('can be set in the configuration file only')
  })

  test('gives other sources nothing of the environment or of files', async () => {
    const { credentials } = await load('credentials: { c: { secret: "${SECRET}" } }')
    expect(credentials.get('c')?.secret).toBe('${SECRET}')
  })

  test('is the file alone when another source is empty', async () => {
    expect((await load('')).revision).toBe((await load(' \n')).revision)
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
