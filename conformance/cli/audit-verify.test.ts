/** `turnward audit verify`: a log that was altered in any way is found out, with exit code 5; one that was not verifies. */
import { generateKeyPairSync } from 'node:crypto'
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { runCli, type CliResult } from '../harness/cli.ts'
import type { Json } from '../harness/json.ts'
import { until } from '../harness/until.ts'
import { ada, startOffice, type Office } from '../mcp/office.ts'
import { modernRequest } from '../mcp/raw-rpc.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'turnward-verbs-'))
  return () => rm(home, { recursive: true, force: true })
})

function run(args: readonly string[]): Promise<CliResult> {
  return runCli(args, { cwd: home, env: { PATH: process.env['PATH'] ?? '', HOME: home } })
}

let office: Office
let copies = 0
beforeAll(async () => {
  office = await startOffice({ audit: { checkpoint_records: 10 } })
  for (let n = 1; n <= 5; n += 1) {
    for (const [tool, args] of [
      ['office__count', { n }],
      ['office__read_news', {}],
    ] as const) {
      await modernRequest({ url: `${office.gateway.url}/mcp/main`, key: ada }, 'tools/call', { name: tool, arguments: args })
    }
  }
  await until('the first checkpoint', async () => {
    const { stdout } = await office.gateway.cli(['audit', 'verify', '--json'])
    return Number((JSON.parse(stdout) as Json)['checkpoints']) > 0 ? true : undefined
  })
})
afterAll(() => office?.[Symbol.asyncDispose]())

/** A copy of the log with a configuration of its own, changed by SQL. */
async function tampered(...statements: string[]): Promise<CliResult> {
  copies += 1
  const folder = join(home, `copy-${copies}`)
  await mkdir(folder)
  await cp(office.gateway.dataDir, join(folder, 'data'), {
    recursive: true,
    filter: (path) => !path.endsWith('.lock') && !path.endsWith('.sock'),
  })
  await chmod(join(folder, 'data'), 0o700)
  const database = new DatabaseSync(join(folder, 'data/decisions.db'))
  for (const statement of statements) database.exec(statement)
  database.close()
  await writeFile(join(folder, 'turnward.yaml'), 'version: 1\ndata_dir: ./data\n')
  return run(['audit', 'verify', '--json', '--config', join(folder, 'turnward.yaml')])
}

test('a log nobody touched verifies, also while the gateway writes', async () => {
  const { code, stdout } = await office.gateway.cli(['audit', 'verify', '--json'])
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, problems: [] })
  expect((await office.gateway.cli(['audit', 'verify'])).stdout).toMatch(/^ok: \d+ records/)
  expect(await tampered()).toMatchObject({ code: 0 })
})

test.each([
  ['a word in a record', ['UPDATE records SET record = replace(record, \'"allow"\', \'"deny"\') WHERE seq = 3'], 'edited', 3],
  [
    'a record and its hash',
    ["UPDATE records SET hash = replace(hash, 'a', 'b'), record = replace(record, '\"ada\"', '\"eve\"') WHERE seq = 4"],
    'edited',
    4,
  ],
  ['where the records of a turn are looked for', ['UPDATE chain SET spans_until = 4'], 'edited', 1],
  ['a record taken out', ['DELETE FROM records WHERE seq = 5'], 'missing', 5],
  ['the end cut off', ['DELETE FROM records WHERE seq > 4', 'DELETE FROM checkpoints'], 'tail_cut', undefined],
  ['everything', ['DELETE FROM records', 'DELETE FROM checkpoints'], 'tail_cut', undefined],
])('%s changed is found, and ends with 5', async (_what, statements, kind, seq) => {
  const { code, stdout } = await tampered(...statements)
  expect(code).toBe(5)
  const report = JSON.parse(stdout) as Json
  expect(report['ok']).toBe(false)
  expect(report['problems']).toContainEqual(expect.objectContaining(seq === undefined ? { kind } : { kind, seq }))
})

test('two records in each other’s place are found', async () => {
  const { code, stdout } = await tampered(
    'UPDATE records SET seq = 1000000 WHERE seq = 3',
    'UPDATE records SET seq = 3 WHERE seq = 4',
    'UPDATE records SET seq = 4 WHERE seq = 1000000',
  )
  expect(code).toBe(5)
  expect((JSON.parse(stdout) as Json)['ok']).toBe(false)
})

test('a log that is not there ends with 4', async () => {
  await writeFile(join(home, 'turnward.yaml'), 'version: 1\n')
  expect(await run(['audit', 'verify'])).toMatchObject({ code: 4 })
})

test('the key of another log does not verify this one', async () => {
  const other = join(home, 'other.pub')
  await writeFile(other, generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }))
  const { code, stdout } = await office.gateway.cli(['audit', 'verify', '--json', '--public-key', other])
  expect(code).toBe(5)
  expect((JSON.parse(stdout) as Json)['problems']).toContainEqual(expect.objectContaining({ kind: 'checkpoint' }))
})
