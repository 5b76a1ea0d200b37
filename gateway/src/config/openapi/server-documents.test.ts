import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { diskOf, realDisk, recordedDisk, type Disk } from '../disk.ts'
import { attemptLoad } from '../load.ts'
import { ConfigError } from '../problems.ts'
import type { Snapshot } from '../snapshot.ts'

let folder: string
let config: string
let document: string
const write = (operationId: string): Promise<void> =>
  writeFile(document, JSON.stringify({ openapi: '3.1.0', paths: { '/a': { get: { operationId } } } }))
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnward-documents-'))
  config = join(folder, 'turnward.yaml')
  document = join(folder, 'api.json')
  await writeFile(config, 'servers: { api: { transport: openapi, document: ./api.json, base_url: "https://api.example" } }')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function load(disk: Disk = realDisk): Promise<{ readonly snapshot: Snapshot; readonly inputs: ReadonlySet<string> }> {
  const { outcome, inputs } = await attemptLoad(config, {}, [], disk)
  if (outcome instanceof ConfigError) throw outcome
  return { snapshot: outcome, inputs }
}
const toolsOf = (snapshot: Snapshot) => snapshot.servers.get('api')?.api?.operations.map(({ name }) => name)

test('a document is part of the configuration: it is watched, and another one is another revision of its server', async () => {
  await write('one')
  const before = await load()
  expect(before.inputs).toContain(document)
  expect(toolsOf(before.snapshot)).toEqual(['one'])
  await write('two')
  const after = await load()
  expect(toolsOf(after.snapshot)).toEqual(['two'])
  expect(after.snapshot.revision).not.toBe(before.snapshot.revision)
  expect(after.snapshot.servers.get('api')?.digest).not.toBe(before.snapshot.servers.get('api')?.digest)
  await write('one')
  expect((await load()).snapshot.revision).toBe(before.snapshot.revision)
})

test('what one process has read another one runs on, whatever has become of the document', async () => {
  await write('one')
  const { disk, reading } = recordedDisk()
  const { snapshot } = await load(disk)
  await write('two')
  const elsewhere = await load(diskOf(JSON.parse(JSON.stringify(reading)) as typeof reading))
  expect(toolsOf(elsewhere.snapshot)).toEqual(['one'])
  expect(elsewhere.snapshot.revision).toBe(snapshot.revision)
})
