/** A started server is asked for its era once, not at every start of the gateway. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { stateBackends, type SharedState } from '../../state/backends.fixture.ts'
import type { StateStore } from '../../state/state-store.ts'
import { startFleet, type TestFleet } from '../running-parts.fixture.ts'
import { RememberedEras } from './remembered-eras.ts'

/** Notes each start, and speaks what the file says that stands beside it. */
const script = `
  const fs = require('fs')
  fs.appendFileSync(process.env.STARTS, '.')
  const era = fs.readFileSync(process.env.STARTS + '.era', 'utf8')
  let isOpen = era === 'modern'
  require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, method } = JSON.parse(line)
    const send = (m) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, ...m }) + '\\n')
    const no = { error: { code: -32601, message: 'no' } }
    if (id === undefined) return
    if (method === 'initialize' && era === 'legacy') isOpen = true
    if (method === 'server/discover') send(era === 'modern' ? { result: { supportedVersions: ['2026-07-28'], capabilities: { tools: {} } } } : no)
    else if (method === 'initialize') send(era === 'legacy' ? { result: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } } } : no)
    else if (method === 'tools/list' && isOpen) send({ result: { tools: [{ name: 't', inputSchema: { type: 'object' } }] } })
    else if (method !== 'subscriptions/listen') send(no)
  })`

describe.each(stateBackends)('the era of a server ($name)', ({ isMissing, make }) => {
  describe.skipIf(isMissing)('that is remembered', () => {
    let shared: SharedState
    let state: StateStore
    let folder: string
    const open: TestFleet[] = []
    beforeAll(async () => {
      shared = await make()
      state = await shared.open()
    })
    afterAll(() => shared[Symbol.asyncDispose]())
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'turnward-eras-'))
    })
    afterEach(async () => {
      for (const fleet of open.splice(0)) await fleet.fleet.close()
      rmSync(folder, { recursive: true, force: true })
    })

    const starts = (): number => readFileSync(join(folder, 'starts'), 'utf8').length
    const speaks = (era: string): void => {
      rmSync(join(folder, 'starts.era'), { force: true })
      appendFileSync(join(folder, 'starts.era'), era)
    }

    /** A gateway from its start to its end. Gives the tools it shows. */
    async function run(more: object = {}): Promise<readonly string[]> {
      const fleet = startFleet(
        {
          servers: { s: { transport: 'stdio', command: ['node', '-e', script], env: { STARTS: join(folder, 'starts') }, ...more } },
          gateways: { g: { servers: ['s'] } },
        },
        { eras: new RememberedEras(state, systemClock) },
      )
      open.push(fleet)
      await expect.poll(() => fleet.fleet.status()[0]?.state).toBe('ready')
      const names = (await fleet.catalogue('g')).tools.map(({ name }) => name)
      await fleet.fleet.close()
      return names
    }

    test.each(['legacy', 'modern'])('(%s) makes the second start of the gateway start it once', async (era) => {
      speaks(era)
      expect(await run()).toEqual(['s__t'])
      expect(starts()).toBe(2)
      expect(await run()).toEqual(['s__t'])
      expect(starts()).toBe(3)
    })

    test('is not believed of another configuration', async () => {
      speaks('legacy')
      await run()
      await run({ timeout_ms: 1234 })
      expect(starts()).toBe(4)
    })

    test.each([
      ['legacy', 'modern'],
      ['modern', 'legacy'],
    ])('and is wrong (%s, and it speaks %s now) is found out, and remembered anew', async (before, after) => {
      speaks(before)
      await run()
      speaks(after)
      expect(await run()).toEqual(['s__t'])
      const asked = starts()
      expect(await run()).toEqual(['s__t'])
      expect(starts()).toBe(asked + 1)
    })
  })
})

test('where nothing can be remembered every server is asked', async () => {
  const broken = {
    get: () => Promise.reject(new Error('down')),
    put: () => Promise.reject(new Error('down')),
    change: () => Promise.reject(new Error('down')),
  }
  const eras = new RememberedEras(broken, systemClock)
  const server = { name: 's', digest: 'd' } as Parameters<RememberedEras['of']>[0]
  expect(await eras.of(server)).toBeUndefined()
  await eras.note(server, 'modern')
  await eras.forget(server)
})
