import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Logger } from '../core/logger.ts'
import { ConfigError } from './problems.ts'
import type { Snapshot } from './snapshot.ts'
import { RunningConfig } from './running-config.ts'

let folder: string
let main: string
let source: RunningConfig | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnward-watch-'))
  main = join(folder, 'turnward.yaml')
})
afterEach(() => {
  source?.close()
  source = undefined
  rmSync(folder, { recursive: true })
})

interface Entry {
  readonly level: string
  readonly fields: object
  readonly message: string
}

/** A logger that keeps everything and lets a test wait for a line. */
function recorder() {
  const entries: Entry[] = []
  const waiting: { readonly wanted: (entry: Entry) => boolean; readonly found: (entry: Entry) => void }[] = []
  const take = (level: string) => (fields: object, message: string) => {
    const entry = { level, fields, message }
    entries.push(entry)
    for (const wait of waiting) if (wait.wanted(entry)) wait.found(entry)
  }
  const logger: Logger = { debug: take('debug'), info: take('info'), warn: take('warn'), error: take('error') }
  return {
    entries,
    logger,
    next: (text: string) => new Promise<Entry>((found) => waiting.push({ wanted: (entry) => entry.message.includes(text), found })),
  }
}

const models = (...names: string[]) =>
  `upstreams: { x: { kind: openai } }\nroutes:\n${names.map((name) => `  - { model: ${name}, upstreams: [x] }\n`).join('')}`

async function open(text: string, env: Record<string, string> = {}) {
  writeFileSync(main, text)
  const log = recorder()
  source = await RunningConfig.open(main, env, log.logger)
  return { source, log }
}

/** The first swap whose snapshot is as wanted; an edit in two steps may swap twice. */
function swapped(of: RunningConfig, wanted: (snapshot: Snapshot) => boolean = () => true): Promise<Snapshot> {
  return new Promise((found) => {
    of.onSwap((next) => {
      if (wanted(next)) found(next)
    })
  })
}

describe('an edit takes effect by itself', () => {
  test('when the file is written in place', async () => {
    const { source: config } = await open(models('one'))
    const swap = swapped(config, (next) => next.routes.names.length === 2)
    writeFileSync(main, models('one', 'two'))
    expect((await swap).routes.names).toEqual(['one', 'two'])
    expect(config.current.routes.names).toEqual(['one', 'two'])
  })

  test('when an editor writes a new file and renames it over the old one', async () => {
    const { source: config } = await open(models('one'))
    for (const name of ['two', 'three']) {
      const swap = swapped(config)
      writeFileSync(join(folder, '.turnward.yaml.swp'), models(name))
      renameSync(join(folder, '.turnward.yaml.swp'), main)
      expect((await swap).routes.names).toEqual([name])
    }
  })

  test('in an included file, and in a file that appears in an included folder', async () => {
    mkdirSync(join(folder, 'conf'))
    writeFileSync(join(folder, 'conf', 'a.yaml'), 'routes: [{ model: a, upstreams: [x] }]')
    const { source: config } = await open(`include: [conf]\n${models('main')}`)
    const edited = swapped(config, (next) => next.routes.names.includes('aa'))
    writeFileSync(join(folder, 'conf', 'a.yaml'), 'routes: [{ model: aa, upstreams: [x] }]')
    expect((await edited).routes.names).toEqual(['main', 'aa'])
    const added = swapped(config, (next) => next.routes.names.includes('b'))
    writeFileSync(join(folder, 'conf', 'b.yaml'), 'routes: [{ model: b, upstreams: [x] }]')
    expect((await added).routes.names).toEqual(['main', 'aa', 'b'])
  })

  test('in a file that a value refers to', async () => {
    mkdirSync(join(folder, 'secrets'))
    writeFileSync(join(folder, 'secrets', 'a'), 'first')
    const { source: config } = await open('credentials: { a: { secret: "${file:secrets/a}" } }')
    const swap = swapped(config, (next) => next.credentials.get('a')?.secret === 'second')
    writeFileSync(join(folder, 'secrets', 'a'), 'second')
    expect((await swap).credentials.get('a')?.secret).toBe('second')
  })

  test('when Kubernetes swaps the link behind a mounted folder', async () => {
    for (const [version, name] of [
      ['v1', 'one'],
      ['v2', 'two'],
    ] as const) {
      mkdirSync(join(folder, version))
      writeFileSync(join(folder, version, 'turnward.yaml'), models(name))
    }
    symlinkSync('v1', join(folder, '..data'))
    symlinkSync('..data/turnward.yaml', main)
    const log = recorder()
    source = await RunningConfig.open(main, {}, log.logger)
    const swap = swapped(source)
    symlinkSync('v2', join(folder, '..data_tmp'))
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
    expect((await swap).routes.names).toEqual(['two'])
  })
})

describe('a bad edit', () => {
  test('keeps the running revision, says what is wrong, and is forgotten once it is mended', async () => {
    const { source: config, log } = await open(models('one'))
    const before = config.current
    const refused = log.next('the running revision stays')
    writeFileSync(main, `polcy: {}\n${models('one')}`)
    await refused
    expect(config.current).toBe(before)
    expect(config.problem).toBe('turnward.yaml:1:1  unknown key `polcy`; did you mean `policy`?\n  1 | polcy: {}\n      ^')
    const mended = log.next('valid again')
    writeFileSync(main, models('one'))
    await mended
    expect(config.problem).toBeUndefined()
    expect(config.current).toBe(before)
  })

  test('that removes the file is mended by its return', async () => {
    const { source: config, log } = await open(models('one'))
    const refused = log.next('the running revision stays')
    rmSync(main)
    await refused
    expect(config.problem).toContain('does not exist')
    const swap = swapped(config)
    writeFileSync(main, models('two'))
    expect((await swap).routes.names).toEqual(['two'])
  })

  test('that includes a missing folder is mended by making it', async () => {
    const { source: config } = await open(models('one'))
    writeFileSync(main, `include: [conf/deep/a.yaml]\n${models('one')}`)
    expect(await config.reload('test')).toBe(false)
    const swap = swapped(config)
    mkdirSync(join(folder, 'conf', 'deep'), { recursive: true })
    writeFileSync(join(folder, 'conf', 'deep', 'a.yaml'), 'routes: [{ model: a, upstreams: [x] }]')
    expect((await swap).routes.names).toEqual(['one', 'a'])
  })

  test('at the start is an error, not a running gateway', async () => {
    writeFileSync(main, 'polcy: {}')
    await expect(RunningConfig.open(main, {}, recorder().logger)).rejects.toBeInstanceOf(ConfigError)
  })
})

describe('reload', () => {
  test('answers whether the files are what runs', async () => {
    const { source: config } = await open(models('one'))
    writeFileSync(main, models('two'))
    expect(await config.reload('SIGHUP')).toBe(true)
    expect(config.current.routes.names).toEqual(['two'])
    writeFileSync(main, 'routes: 7')
    expect(await config.reload('SIGHUP')).toBe(false)
    expect(config.current.routes.names).toEqual(['two'])
  })

  test('does not swap when nothing changed', async () => {
    const { source: config } = await open(models('one'))
    const before = config.current
    let swaps = 0
    config.onSwap(() => swaps++)
    writeFileSync(main, `# a comment\n${models('one')}`)
    expect(await config.reload('test')).toBe(true)
    expect([swaps, config.current]).toEqual([0, before])
  })

  test('calls made at once run one after the other and end on the last edit', async () => {
    const { source: config } = await open(models('one'))
    writeFileSync(main, models('two'))
    const results = await Promise.all([config.reload('a'), config.reload('b'), config.reload('c')])
    expect([results, config.current.routes.names]).toEqual([[true, true, true], ['two']])
  })

  test('keeps what needs a restart as it was, and says so', async () => {
    const { source: config, log } = await open(`listen: { port: 4100 }\n${models('one')}`)
    writeFileSync(main, `listen: { port: 4200 }\ndata_dir: elsewhere\n${models('two')}`)
    expect(await config.reload('test')).toBe(true)
    expect(config.current.routes.names).toEqual(['two'])
    expect([config.current.settings.listen.port, config.current.dataDir]).toEqual([4100, join(folder, '.turnward')])
    expect(log.entries).toContainEqual(
      expect.objectContaining({ level: 'warn', fields: expect.objectContaining({ settings: ['listen', 'data_dir'] }) as object }),
    )
  })

  test('gives every listener the new and the old snapshot, whatever another listener does', async () => {
    const { source: config, log } = await open(models('one'))
    const seen: string[][] = []
    config.onSwap(() => {
      throw new Error('broken listener')
    })
    const stop = config.onSwap((next, previous) => seen.push([...previous.routes.names, ...next.routes.names]))
    writeFileSync(main, models('two'))
    await config.reload('test')
    stop()
    writeFileSync(main, models('three'))
    await config.reload('test')
    expect(seen).toEqual([['one', 'two']])
    expect(log.entries.some((entry) => entry.level === 'error')).toBe(true)
  })

  test('changes nothing after close', async () => {
    const { source: config } = await open(models('one'))
    writeFileSync(main, models('two'))
    const pending = config.reload('test')
    config.close()
    expect(await pending).toBe(false)
    expect(config.current.routes.names).toEqual(['one'])
  })
})
