/** The two steps in which a worker takes a configuration: it changes nothing before the second, and takes nothing it has not made. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { DiskReading } from '../../config/disk.ts'
import { keptOf, RunningConfig } from '../../config/running-config.ts'
import { silentLogger } from '../../core/logger.ts'
import { FollowedConfig } from './followed-config.ts'

let folder: string
let path: string
let config: FollowedConfig
let swaps: string[]

const text = (...models: string[]): string =>
  `upstreams: { x: { kind: openai } }\nroutes:\n${models.map((model) => `  - { model: '${model}', upstreams: [x] }\n`).join('')}`

/** What the owner reads when the file holds this, and its revision. */
async function read(content: string, env: Record<string, string> = {}) {
  writeFileSync(path, content)
  const owner = await RunningConfig.open(path, env, silentLogger, { agree: async () => undefined })
  owner.close()
  return { reading: owner.reading as DiskReading, revision: owner.current.revision, kept: keptOf(owner.current) }
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'turnward-followed-'))
  path = join(folder, 'turnward.yaml')
  const { reading, kept } = await read(text('one'))
  config = await FollowedConfig.open({ path, reading, kept, problem: null }, {}, silentLogger, async () => true)
  swaps = []
  config.onSwap((next, previous) => swaps.push(`${previous.routes.names.join()} > ${next.routes.names.join()}`))
})
afterEach(() => {
  config.close()
  rmSync(folder, { recursive: true, force: true })
})

test('it is made in the first step and taken in the second, from what the owner has read and not from the file', async () => {
  const { reading, revision } = await read(text('one', 'two'))
  writeFileSync(path, 'no configuration')
  expect(await config.prepare(reading)).toBe(revision)
  expect({ now: config.current.routes.names, swaps }).toEqual({ now: ['one'], swaps: [] })
  expect(config.commit(revision)).toBe(true)
  expect({ now: config.current.routes.names, swaps }).toEqual({ now: ['one', 'two'], swaps: ['one > one,two'] })
})

test('nothing is taken that was not made: it says so, and stays as it is', async () => {
  const { reading } = await read(text('one', 'two'))
  await config.prepare(reading)
  expect(config.commit('another revision')).toBe(false)
  expect({ now: config.current.routes.names, swaps }).toEqual({ now: ['one'], swaps: [] })
})

test('what cannot be made here is refused, and what was made before it is not taken any more', async () => {
  const { reading, revision } = await read(text('one', 'two'))
  const here = { MODEL: 'three' }
  const elsewhere = await read(text('one', '${MODEL}'), here)
  expect(await config.prepare(reading)).toBe(revision)
  await expect(config.prepare(elsewhere.reading)).rejects.toThrow(/MODEL/)
  expect(config.commit(revision)).toBe(false)
  expect({ now: config.current.routes.names, swaps }).toEqual({ now: ['one'], swaps: [] })
})
