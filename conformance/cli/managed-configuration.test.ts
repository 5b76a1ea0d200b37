/** `turnward config` at a running gateway. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import type { CliResult } from '../harness/cli.ts'
import { startGoverned, type GovernedGateway } from '../harness/governed-gateway.ts'
import type { Json } from '../harness/json.ts'

const root = 'tw_conformance_config_root_000000000'
let governed: GovernedGateway

beforeAll(async () => {
  governed = await startGoverned((config) => ({
    ...config,
    principals: { ...config['principals'], root: {} },
    keys: { ...config['keys'], root: { principal: 'root', secret: root, scopes: ['admin'] } },
    identity: { roles: { admin: { people: ['root'] } } },
  }))
})
afterAll(() => governed?.close())

const config = (...args: string[]): Promise<CliResult> => governed.gateway.cli(['config', ...args, '--url', governed.url, '--key', root])

/** Writes a document that was exported, changed. */
async function changed(name: string, change: (objects: Json) => object): Promise<string> {
  const { revision, objects } = parse((await config('export')).stdout) as { readonly revision: number; readonly objects: Json }
  const path = join(governed.gateway.dir, name)
  await writeFile(path, stringify({ revision, objects: change(objects) }))
  return path
}

const route = (model: string, upstream = 'openai'): object => ({ model, upstreams: [upstream] })

test('what is exported is compared, checked, applied and taken back', async () => {
  const path = await changed('managed.yaml', () => ({ routes: { chat: route('gpt-4.1'), fast: route('gpt-4.1-mini') } }))
  expect(await config('diff', path)).toMatchObject({ code: 5, stdout: '+ routes/chat\n+ routes/fast\n' })
  expect(await config('check', path)).toMatchObject({ code: 0, stdout: 'Nothing is wrong.\n' })
  expect(await config('apply', path, '--dry-run')).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing was changed') })
  expect(await config('apply', path, '--reason', 'two models')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Revision 1 runs.'),
  })
  const again = await changed('again.yaml', (objects) => objects)
  expect(await config('diff', again)).toMatchObject({ code: 0, stdout: 'Nothing is different.\n' })
  expect(await config('apply', again)).toMatchObject({ code: 0, stdout: 'Nothing is different from revision 1.\n' })

  const other = await changed('other.yaml', ({ routes: { chat } }) => ({ routes: { chat: { ...chat, description: 'for everybody' } } }))
  const { stdout } = await config('apply', other, '--json')
  expect(JSON.parse(stdout)).toMatchObject({ revision: 2, applied: true, changes: [{ change: 'changed' }, { change: 'removed' }] })
  const stale = await config('apply', again)
  expect([stale.code, stale.stderr]).toEqual([3, expect.stringContaining('config.changed')])

  expect((await config('history')).stdout).toMatch(/^2 +\S+Z +root +apply +-\n1 +\S+Z +root +apply +two models$/m)
  expect((await config('show', '2')).stdout).toContain('~ routes/chat\n    description: not set -> "for everybody"\n- routes/fast')
  expect((await config('rollback', '1')).stdout).toContain('Revision 3 runs.')
  expect(await config('apply', other, '--force')).toMatchObject({ code: 0, stdout: expect.stringContaining('Revision 4 runs.') })
  expect(await config('rollback', '77')).toMatchObject({ code: 3 })
})

test('`doctor` says before a restart what would be left out', async () => {
  const { configPath } = governed.gateway
  const doctor = async (): Promise<string> => (await governed.gateway.cli(['doctor'])).stdout
  expect(await doctor()).toMatch(/^ok +objects made over the API: revision \d+$/m)
  const before = await readFile(configPath, 'utf8')
  const file = JSON.parse(before) as Json
  await writeFile(configPath, JSON.stringify({ ...file, routes: [...file['routes'], { model: 'gpt-4.1', upstreams: ['openai'] }] }))
  expect(await doctor()).toMatch(/^PROBLEM +objects made over the API: .*leaves out routes\/chat.*takes no calls$/m)
  await writeFile(configPath, before)
})

test('what does not go with the rest changes nothing, and every problem is told with its place', async () => {
  const before = (await config('export')).stdout
  const path = await changed('broken.yaml', (objects) => ({
    ...objects,
    routes: { one: route('a', 'nowhere'), two: route('b', 'nobody') },
  }))
  for (const verb of [['check'], ['apply', '--dry-run']]) {
    const { code, stdout } = await config(...verb, path)
    expect(code).toBe(3)
    expect(stdout).toContain('routes/one (routes[2].upstreams[0])  there is no upstream `nowhere`')
    expect(stdout).toContain('routes/two')
  }
  const refused = await config('apply', path, '--json')
  expect([refused.code, JSON.parse(refused.stderr)]).toMatchObject([3, { error: { code: 'config.not_compiled' } }])
  expect((await config('export')).stdout).toBe(before)
  await writeFile(path, 'routes: {}')
  expect(await config('apply', path)).toMatchObject({ code: 1, stderr: expect.stringContaining('it has no `objects`') })
})
