/** Servers with a child for each principal, and children that sleep: real processes, told apart by their pid. */
import { afterEach, describe, expect, test } from 'vitest'
import type { JsonObject } from '../core/json.ts'
import type { CallOptions } from './catalogue.ts'
import type { FleetOptions } from './fleet/fleet-options.ts'
import { callerNamed, plainRunner, startFleet, type TestConfig, type TestFleet } from './running-parts.fixture.ts'
import type { Runner } from './runners/runner.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** Remembers every start, and whether its process still runs. */
function countingRunner(): { readonly runner: Runner; readonly pids: number[]; readonly running: Set<number> } {
  const pids: number[] = []
  const running = new Set<number>()
  const runner: Runner = {
    ...plainRunner,
    async start(options) {
      const child = await plainRunner.start(options)
      pids.push(child.pid)
      running.add(child.pid)
      child.ended.then(() => running.delete(child.pid)).catch(() => {})
      return child
    },
  }
  return { runner, pids, running }
}

/** Keeps one note, and asks its client's requests under ids that every child of it has alike. */
const keeper = `
  let note = 'nothing'
  const held = []
  const send = (m) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...m }) + '\\n')
  require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, method, params } = JSON.parse(line)
    const reply = (result) => send({ id, result })
    const text = (text) => reply({ content: [{ type: 'text', text }] })
    if (method === 'initialize') return reply({ protocolVersion: '2025-06-18', capabilities: { tools: {}, resources: { subscribe: true } }, serverInfo: { name: 'x', version: '1' } })
    if (method === 'tools/list') return reply({ tools: ['keep', 'read', 'die', 'hold', 'let'].map((name) => ({ name, inputSchema: { type: 'object' } })) })
    if (method === 'resources/list') return reply({ resources: [{ uri: 'note://own', name: 'note' }] })
    if (method === 'resources/subscribe') { reply({}); return send({ method: 'notifications/resources/updated', params: { uri: 'note://own' } }) }
    if (method === 'resources/read') return reply({ contents: [{ uri: 'note://own', text: note }] })
    if (method !== 'tools/call') return id === undefined ? undefined : send({ id, error: { code: -32601, message: 'no' } })
    const { name, arguments: args } = params
    if (name === 'die') process.exit(3)
    if (name === 'hold') return held.push(() => text(process.pid + ' ' + id + ' ' + note))
    if (name === 'let') { for (const go of held.splice(0)) go(); return text('went') }
    if (name === 'keep') { note = args.note; send({ method: 'notifications/resources/updated', params: { uri: 'note://own' } }) }
    text(process.pid + ' ' + id + ' ' + note)
  })`

const server = (more: JsonObject = {}): JsonObject => ({ transport: 'stdio', command: ['node', '-e', keeper], per: 'principal', ...more })
const configWith = (more: JsonObject = {}): TestConfig => ({ servers: { s: server(more) }, gateways: { g: { servers: ['s'] } } })

function start(config: TestConfig, options: Partial<FleetOptions> = {}) {
  const children = countingRunner()
  const fleet = startFleet(config, { runners: new Map([['bubblewrap', children.runner]]), ...options })
  closing.push(() => fleet.fleet.close())
  return { fleet, ...children }
}

const calling: CallOptions = { signal: new AbortController().signal, onProgress: undefined, meta: undefined }

async function call({ fleet, snapshot }: TestFleet, person: string, name: string, args: JsonObject = {}): Promise<string> {
  const mine = fleet.for(snapshot(), callerNamed(person))
  const tool = (await mine.catalogue('g')).resolve(`s__${name}`)
  if (tool === undefined) throw new Error(`no ${name}: ${JSON.stringify(fleet.status())}`)
  const { content } = await mine.call(tool, args, calling)
  return (content as unknown as readonly { readonly text: string }[])[0]?.text ?? ''
}

const pidOf = (answer: string): string => answer.split(' ')[0] ?? ''
const noteOf = (answer: string): string => answer.split(' ').slice(2).join(' ')

describe('a server with a child for each principal', () => {
  test('lists come from one child, however many people ask', async () => {
    const { fleet, pids } = start(configWith({ era: 'legacy' }))
    for (const person of ['ada', 'bob', 'carol']) {
      const { tools, reads } = await fleet.fleet.for(fleet.snapshot(), callerNamed(person)).catalogue('g')
      expect([tools.length, reads.resources.length]).toEqual([5, 1])
    }
    expect(pids).toHaveLength(1)
  })

  test('what one keeps nobody else has, though the requests of all have the same ids', async () => {
    const { fleet, pids } = start(configWith())
    const people = ['ada', 'bob', 'carol', 'dan']
    await Promise.all(people.map((person) => call(fleet, person, 'keep', { note: `canary of ${person}` })))
    const answers = await Promise.all(people.map((person) => call(fleet, person, 'read')))
    expect(answers.map(noteOf)).toEqual(people.map((person) => `canary of ${person}`))
    expect(new Set(answers.map(pidOf)).size).toBe(4)
    expect(new Set(answers.map((answer) => answer.split(' ')[1])).size).toBe(1)
    // The first one shows what there is, and has worked for nobody; it was asked for its era, and they were not.
    expect(pids.length).toBe(2 + 4)
    expect(answers.map(pidOf)).not.toContain(String(pids[1]))
  })

  test('resources are read where their reader has his child, and only he is told of changes', async () => {
    const { fleet } = start(configWith())
    const told: string[] = []
    for (const person of ['ada', 'bob']) {
      const mine = fleet.fleet.for(fleet.snapshot(), callerNamed(person))
      await mine.catalogue('g')
      mine.watchResource('s', 'note://own', () => told.push(person))
    }
    // Each child tells once that somebody watches.
    await expect.poll(() => told.toSorted()).toEqual(['ada', 'bob'])
    await call(fleet, 'ada', 'keep', { note: 'of ada' })
    await expect.poll(() => told.length).toBe(3)
    expect(told[2]).toBe('ada')
    const read = (person: string) =>
      fleet.fleet.for(fleet.snapshot(), callerNamed(person)).ask('s', 'resources/read', { uri: 'note://own' }, calling)
    expect(await read('ada')).toMatchObject({ contents: [{ text: 'of ada' }] })
    expect(await read('bob')).toMatchObject({ contents: [{ text: 'nothing' }] })
  })

  test('the bound counts those that work: the next person is refused, and let in when one of them rests', async () => {
    const { fleet, running } = start(configWith({ era: 'legacy', max_children: 2 }))
    const [ada, bob] = [call(fleet, 'ada', 'hold'), call(fleet, 'bob', 'hold')]
    await expect.poll(() => running.size).toBe(3)
    await expect(call(fleet, 'carol', 'read')).rejects.toMatchObject({ code: 'mcp.server_busy', subject: 's' })
    await expect.poll(() => call(fleet, 'ada', 'let')).toBe('went')
    await ada
    expect(noteOf(await call(fleet, 'carol', 'read'))).toBe('nothing')
    expect(running.size).toBe(3)
    await call(fleet, 'bob', 'let')
    await bob
  })

  test('a child that died is started again for its owner alone, when he comes', async () => {
    const { fleet, pids } = start(configWith({ era: 'legacy' }))
    await call(fleet, 'bob', 'keep', { note: 'of bob' })
    await expect(call(fleet, 'ada', 'die')).rejects.toMatchObject({ why: 'it ended (exit 3)' })
    expect(pids).toHaveLength(3)
    expect(noteOf(await call(fleet, 'ada', 'read'))).toBe('nothing')
    expect(noteOf(await call(fleet, 'bob', 'read'))).toBe('of bob')
    expect(pids).toHaveLength(4)
  })

  test('one that dies again and again waits longer each time, by the clock', async () => {
    let now = 0
    const clock = { now: () => now, monotonic: () => now }
    const { fleet, pids } = start(configWith({ era: 'legacy' }), { clock })
    const die = (): Promise<string> => call(fleet, 'ada', 'die')
    await expect(die()).rejects.toMatchObject({ why: 'it ended (exit 3)' })
    await expect(die()).rejects.toMatchObject({ why: 'it ended (exit 3)' })
    const started = pids.length
    await expect(die()).rejects.toMatchObject({ why: expect.stringContaining('failed 2 times, next try in 1 s') })
    expect(pids).toHaveLength(started)
    now = 1000
    expect(noteOf(await call(fleet, 'ada', 'read'))).toBe('nothing')
    expect(pids).toHaveLength(started + 1)
  })

  test('idle children end, and the shared one too; what there is stays listed, and a call starts what it needs', async () => {
    let now = 0
    const clock = { now: () => now, monotonic: () => now }
    const { fleet, pids, running } = start(configWith({ era: 'legacy', idle_ms: 60_000 }), { clock })
    await call(fleet, 'ada', 'keep', { note: 'of ada' })
    now = 59_000
    await call(fleet, 'ada', 'read')
    now = 61_000
    await expect.poll(() => running.size).toBe(1)
    expect(fleet.fleet.status()).toMatchObject([{ state: 'asleep', tools: 5 }])
    now = 120_000
    await expect.poll(() => running.size).toBe(0)
    const started = pids.length
    const { tools, missing } = await fleet.catalogue('g')
    expect([tools.length, missing.size, pids.length]).toEqual([5, 0, started])
    expect(noteOf(await call(fleet, 'ada', 'read'))).toBe('nothing')
    // Hers, and still not the shared one.
    expect(pids).toHaveLength(started + 1)
  })

  test('a configuration without the server ends every child of it', async () => {
    const { fleet, running } = start(configWith())
    for (const person of ['ada', 'bob']) await call(fleet, person, 'read')
    expect(running.size).toBe(3)
    fleet.swap({ servers: {}, gateways: {} })
    await expect.poll(() => running.size).toBe(0)
  })

  test('a call that runs keeps the children of a server that has left the configuration', async () => {
    const { fleet, running } = start(configWith({ era: 'legacy' }))
    const release = fleet.fleet.hold(fleet.snapshot())
    const before = fleet.snapshot()
    const mine = fleet.fleet.for(before, callerNamed('ada'))
    const catalogue = await mine.catalogue('g')
    const tool = (name: string) => catalogue.resolve(`s__${name}`) ?? expect.fail(name)
    const held = mine.call(tool('hold'), {}, calling)
    await expect.poll(() => running.size).toBe(2)
    fleet.swap({ servers: {}, gateways: {} })
    release()
    expect(await mine.call(tool('let'), {}, calling)).toMatchObject({ content: [{ text: 'went' }] })
    expect(await held).toMatchObject({ content: [{ type: 'text' }] })
    await expect.poll(() => running.size).toBe(0)
  })
})

describe('a server that all share', () => {
  test('sleeps when its configuration says so, stays listed, and is started by a call', async () => {
    let now = 0
    const clock = { now: () => now, monotonic: () => now }
    const { fleet, pids, running } = start(configWith({ per: 'replica', era: 'legacy', idle_ms: 5000 }), { clock })
    await call(fleet, 'ada', 'keep', { note: 'shared' })
    now = 4999
    expect(noteOf(await call(fleet, 'bob', 'read'))).toBe('shared')
    now = 9999
    await expect.poll(() => running.size).toBe(0)
    expect(noteOf(await call(fleet, 'bob', 'read'))).toBe('nothing')
    expect(pids).toHaveLength(2)
  })

  test('runs on without one', async () => {
    let now = 0
    const clock = { now: () => now, monotonic: () => now }
    const sleeping = start(
      {
        servers: { s: server({ per: 'replica', era: 'legacy' }), other: server({ per: 'replica', era: 'legacy', idle_ms: 1000 }) },
        gateways: { g: { servers: ['s', 'other'] } },
      },
      { clock },
    )
    await call(sleeping.fleet, 'ada', 'keep', { note: 'shared' })
    now = 24 * 3600 * 1000
    await expect.poll(() => sleeping.running.size).toBe(1)
    expect(noteOf(await call(sleeping.fleet, 'bob', 'read'))).toBe('shared')
  })
})
