/** Which runner a server gets, the limits of what it says on stderr, and the parts of the sandbox that are plain functions. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { finished } from 'node:stream/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { detectCgroups } from './cgroup.ts'
import { createRunners, installHint, runnerOf } from './runners.ts'
import { endReason } from './running-process.ts'
import { freshFolder, removeFolders, recordingLogger, stdioServer } from './sandbox.fixture.ts'
import { logStderr } from './stderr-log.ts'
import { makeWorkFolder, removeWorkFolder } from './work-folder.ts'

afterAll(removeFolders)

describe('the runner of a server', () => {
  const runners = createRunners({ nodePath: process.execPath })

  test('is bubblewrap unless something else is said', () => {
    expect(runnerOf(runners, stdioServer(['node', 'x.js'])).name).toBe('bubblewrap')
  })

  test('is `process` only for who says twice that nothing is isolated', () => {
    expect(() => runnerOf(runners, stdioServer(['node', 'x.js'], { runner: 'process' }))).toThrowError(
      expect.objectContaining({ code: 'config.invalid' }),
    )
    expect(runnerOf(runners, stdioServer(['node', 'x.js'], { runner: 'process', unsafe_no_sandbox: true })).name).toBe('process')
  })

  test.each(['docker', 'kubernetes'])('is the one of `%s` for who asks for it, and another one is not taken in its place', (name) => {
    const server = stdioServer(['node', 'x.js'], { runner: name })
    expect(runnerOf(runners, server).name).toBe(name)
    expect(() => runnerOf(new Map([...runners].filter(([other]) => other !== name)), server)).toThrowError(
      expect.objectContaining({ code: 'config.not_available' }),
    )
  })

  test('missing is explained with the package to install', () => {
    expect(installHint()).toContain('bubblewrap')
  })
})

describe('why a server ended', () => {
  test.each([
    [[0, null, false], 'exit 0'],
    [[3, null, false], 'exit 3'],
    [[137, null, false], 'signal SIGKILL'],
    [[137, null, true], 'memory limit'],
    [[null, 'SIGKILL', true], 'memory limit'],
    [[1, null, true], 'exit 1'],
    [[143, null, false], 'signal SIGTERM'],
  ] as const)('%j is %s', ([code, signal, memory], reason) => expect(endReason(code, signal, memory)).toBe(reason))
})

describe('stderr of a server', () => {
  async function logged(chunks: readonly (string | Buffer)[], limits = { lineLength: 20, linesPerWindow: 3, windowMs: 1000 }) {
    const { logger, lines } = recordingLogger()
    const stream = new PassThrough()
    logStderr('probe', stream, logger, undefined, limits, { now: () => 0, monotonic: () => 0 })
    for (const chunk of chunks) stream.write(chunk)
    stream.end()
    await finished(stream)
    return lines
  }

  test('is logged line by line however it arrives', async () => {
    const bytes = Buffer.from('été\r\nsecond\n\nlast')
    const lines = await logged([...bytes].map((byte) => Buffer.from([byte])))
    expect(lines.map(({ fields }) => fields.line)).toEqual(['été', 'second', 'last'])
  })

  test('is cut, cleaned of control characters, and limited in rate', async () => {
    const lines = await logged([
      `${'x'.repeat(1000)}\n`,
      'red \u001b[31m\u202etxt\n',
      'c\n',
      ...Array.from({ length: 500 }, () => 'flood\n'),
    ])
    expect(lines[0]?.fields).toMatchObject({ line: 'x'.repeat(20), truncated: true })
    expect(lines[1]?.fields.line).toBe('red \ufffd[31m\ufffdtxt')
    expect(lines).toHaveLength(4)
    expect(lines[3]).toMatchObject({ level: 'warn', fields: { dropped: 500 } })
  })

  test('without a line end is never held in memory whole', async () => {
    const lines = await logged(Array.from({ length: 100 }, () => 'y'.repeat(10_000)))
    expect(lines.map(({ fields }) => fields.line)).toEqual(['y'.repeat(20)])
  })
})

describe('the folder of a running server', () => {
  test('is removed with what a runner made, and kept when somebody else put something there', async () => {
    const folder = freshFolder()
    mkdirSync(join(folder, 'etc'))
    writeFileSync(join(folder, 'keys'), 'precious')
    await makeWorkFolder(folder)
    await removeWorkFolder(folder)
    expect(readdirSync(folder)).toEqual(['keys'])
  })
})

describe('cgroups', () => {
  test('are not used where none can be made', () => {
    const root = freshFolder()
    writeFileSync(join(root, 'self'), '0::/gateway\n')
    expect(detectCgroups(root, join(root, 'self'))).toBeUndefined()
    expect(detectCgroups(root, join(root, 'missing'))).toBeUndefined()
  })

  test.skipIf(detectCgroups() === undefined)('hold the limits they were made with, and vanish', () => {
    const support = detectCgroups()
    const parents = support?.version === 1 ? ['/sys/fs/cgroup/memory', '/sys/fs/cgroup/pids'] : ['/sys/fs/cgroup']
    const group = support?.create('unit', { memoryBytes: 64 * 1024 * 1024, processes: 7 })
    const found = parents
      .flatMap((parent) => readdirSync(parent, { recursive: true }).map((name) => join(parent, String(name))))
      .filter((path) => path.endsWith('pids.max') && path.includes(`turnward-${process.pid}-unit-`))
    expect(found.map((path) => readFileSync(path, 'utf8').trim())).toEqual(['7'])
    expect([group?.members(), group?.memoryKills(), group?.remove()]).toEqual([[], 0, true])
  })

  test('are not taken for granted on an ordinary file system, where control files could simply be made', () => {
    const root = freshFolder()
    for (const folder of ['memory', 'pids']) mkdirSync(join(root, folder))
    writeFileSync(join(root, 'cgroup.controllers'), 'memory pids\n')
    writeFileSync(join(root, 'self'), '4:memory:/\n8:pids:/\n0::/\n')
    expect(detectCgroups(root, join(root, 'self'))).toBeUndefined()
    expect(readdirSync(root).sort()).toEqual(['cgroup.controllers', 'memory', 'pids', 'self'])
    expect(readdirSync(join(root, 'memory'))).toEqual([])
  })

  test('sweeping never touches folders of others', () => {
    const root = freshFolder()
    mkdirSync(join(root, 'memory', 'somebody'), { recursive: true })
    mkdirSync(join(root, 'pids', 'somebody'), { recursive: true })
    writeFileSync(join(root, 'self'), '4:memory:/\n8:pids:/\n')
    detectCgroups(root, join(root, 'self'))
    expect(readdirSync(join(root, 'memory'))).toContain('somebody')
  })
})
