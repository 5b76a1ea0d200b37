/** Limits of a whole server where no cgroup can be made: eight children together hold no more than one. Real sandboxes. */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { afterAll, describe, expect, test } from 'vitest'
import { silentLogger } from '../../core/logger.ts'
import { createBubblewrapRunner } from './bubblewrap.ts'
import { detectCgroups } from './cgroup.ts'
import { createProcessRunner } from './process.ts'
import { canReadTree, treeUse } from './process-tree.ts'
import { boundByWatching, stdioConfig } from './resource-limits.ts'
import { firstLine, freshFolder, processesWith, removeFolders, runCode, startCode, stdioServer } from './sandbox.fixture.ts'

afterAll(removeFolders)

const cgroups = (): undefined => undefined
const sandbox = createBubblewrapRunner({ nodePath: process.execPath, cgroups })
const missing = await sandbox.available()
if (missing !== undefined) console.warn(`sandbox tests are skipped: ${missing}`)
const runners = [...(missing === undefined ? [sandbox] : []), createProcessRunner({ nodePermissions: false, cgroups })]

/** Starts eight children that keep `megabytes` each, and tells when all of them do. */
const hoard = (megabytes: number): string => `
  import { spawn } from 'node:child_process'
  const keep = "const held = Buffer.alloc(${megabytes} << 20, 1); console.log('holds'); setInterval(() => held.length, 1000)"
  const children = Array.from({ length: 8 }, () => spawn(process.execPath, ['-e', keep], { stdio: ['ignore', 'pipe', 'ignore'] }))
  await Promise.all(children.map((child) => new Promise((resolve) => child.stdout.once('data', resolve))))
  console.log('all of them')
  setInterval(() => {}, 1000)`

describe.each(runners)('without a cgroup, $name', (runner) => {
  test('kills a server whose children together hold more than it may', async () => {
    const { ended, lines, token } = await runCode(runner, hoard(100), { limits: { memory_mb: 400, processes: 200 } })
    expect(ended).toBe('memory limit')
    expect(lines).toContainEqual(expect.objectContaining({ level: 'warn', fields: expect.objectContaining({ excess: 'memory' }) }))
    expect(processesWith(token)).toEqual([])
  })

  test('lets children be that together hold less', async () => {
    const { running } = await startCode(runner, hoard(20), { limits: { memory_mb: 900, processes: 200 } })
    expect(await firstLine(running)).toBe('all of them')
    expect(running.isBounded).toBe(true)
    await running.stop(0)
  })

  test('kills a server with more processes than it may have', async () => {
    const bomb = `
      import { spawn } from 'node:child_process'
      setInterval(() => { for (let i = 0; i < 20; i += 1) spawn('sleep', ['1000'], { stdio: 'ignore' }).on('error', () => {}) }, 10)`
    // A folder of root that is written keeps the kernel from counting.
    const more = runner === sandbox && process.getuid?.() === 0 ? { mounts: [{ path: freshFolder(), write: true }] } : {}
    if (runner === sandbox && process.getuid?.() !== 0) return
    const { ended, token } = await runCode(runner, bomb, { limits: { processes: 48 }, ...more })
    expect(ended).toMatch(/^signal SIGKILL$|^exit/)
    expect(processesWith(token)).toEqual([])
  })
})

describe.skipIf(missing !== undefined)('an ordinary user whose server has eight children that grow to 800 MB each', () => {
  test('sees it killed before they hold half of that, with the reason, and nothing is left', async () => {
    const grow = `const held = []; const step = () => { if (held.length < 100) held.push(Buffer.alloc(8 << 20, 1)); console.log(held.length); setTimeout(step, 5) }; step()`
    const token = `token-${randomUUID()}`
    const server = `
      import { spawn } from 'node:child_process'
      const largest = new Map()
      for (let child = 0; child < 8; child += 1)
        spawn(process.execPath, ['-e', ${JSON.stringify(grow)}], { stdio: ['ignore', 'pipe', 'ignore'] }).stdout.on('data', (said) => {
          largest.set(child, Number(String(said).trim().split('\\n').at(-1)))
          console.log([...largest.values()].reduce((all, one) => all + one * 8, 0))
        })`
    const gateway = `
      import { createBubblewrapRunner } from ${JSON.stringify(new URL('./bubblewrap.ts', import.meta.url).href)}
      import { runProgram } from ${JSON.stringify(new URL('./sandbox.fixture.ts', import.meta.url).href)}
      const runner = createBubblewrapRunner({ nodePath: process.execPath, cgroups: () => undefined })
      const { out, ended, lines } = await runProgram(runner, ['node', '--input-type=module', '-e', process.env.SERVER], { env: { PROBE_TOKEN: ${JSON.stringify(token)} }, limits: { memory_mb: 1024, processes: 256 } })
      console.log(JSON.stringify({ ended, lines, megabytes: Math.max(...out.trim().split('\\n').map(Number)) }))`
    const child = spawn(process.execPath, ['--input-type=module', '-e', gateway], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env.PATH, SERVER: server },
      ...(process.getuid?.() === 0 ? { uid: 4321, gid: 4321 } : {}),
    })
    let out = ''
    for await (const chunk of child.stdout) out += String(chunk)
    const { ended, lines, megabytes } = JSON.parse(out) as { ended: string; lines: unknown[]; megabytes: number }
    expect(ended).toBe('memory limit')
    expect(lines).toContainEqual(
      expect.objectContaining({ fields: expect.objectContaining({ excess: 'memory', limits: { memory_mb: 1024, processes: 256 } }) }),
    )
    expect(megabytes).toBeLessThan(3200)
    expect(processesWith(token)).toEqual([])
  })
})

describe.skipIf(missing !== undefined || detectCgroups() === undefined)('with a cgroup', () => {
  test('a server of which the kernel kills a child for memory is ended as a whole, with the reason', async () => {
    const runner = createBubblewrapRunner({ nodePath: process.execPath })
    const { ended, lines, token } = await runCode(runner, hoard(100), { limits: { memory_mb: 400, processes: 200 } })
    expect(ended).toBe('memory limit')
    expect(lines).toContainEqual(expect.objectContaining({ level: 'warn', fields: expect.objectContaining({ excess: 'memory' }) }))
    expect(processesWith(token)).toEqual([])
  })
})

describe('a tree of processes', () => {
  test('is read from the process table, threads and all', () => {
    const use = treeUse(process.pid)
    expect(use?.pids).toContain(process.pid)
    expect(use?.tasks).toBeGreaterThan(1)
    expect(use?.memoryBytes).toBeGreaterThan(1024 * 1024)
  })

  test('of a process that is gone is nothing', () => {
    expect(treeUse(2 ** 22 + 1)).toBeUndefined()
    expect(canReadTree(2 ** 22 + 1)).toBe(false)
  })
})

describe('where the tree cannot be watched', () => {
  const start = (limits: object): unknown =>
    boundByWatching(
      'probe',
      stdioConfig('probe', stdioServer(['node'], { limits }).config).limits,
      2 ** 22 + 1,
      { memoryBytes: 0, processes: 0 },
      silentLogger,
      () => undefined,
    )

  test('a server is refused, with what to do', () => {
    expect(() => start({})).toThrow(
      expect.objectContaining({ code: 'sandbox.limits', fix: expect.stringContaining('limits.unenforced: accept') }),
    )
  })

  test('`limits.unenforced: accept` starts it, unbounded', () => {
    expect(start({ unenforced: 'accept' })).toBeUndefined()
  })
})
