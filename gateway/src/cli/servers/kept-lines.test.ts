import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { silentLogger } from '../../core/logger.ts'
import { FollowedLines, keptLines, shownLine } from './kept-lines.ts'
import { ServerLogs } from '../../tools/runners/server-logs.ts'

let folder: string
let now = 1000
const clock = { now: () => now, monotonic: () => now }
beforeEach(async () => {
  now = 1000
  folder = await mkdtemp(join(tmpdir(), 'turnward-logs-'))
  return () => rm(folder, { recursive: true, force: true })
})
const logs = (worker = 0, logger = silentLogger) => new ServerLogs({ folder, worker, clock, logger })
const texts = async () => (await keptLines(folder, 'notes')).map(({ line, event }) => line ?? `[${event}]`)

test('lines of all processes are kept together in their order, from before a restart too, for their owner only', async () => {
  const [one, other] = [logs(0), logs(1)]
  one.write('notes', { pid: 7, event: 'started' })
  now += 2
  one.write('notes', { pid: 7, line: 'second' })
  now -= 1
  other.write('notes', { pid: 8, line: 'first' })
  await one.close()
  await other.close()
  const later = logs(0)
  now += 5
  later.write('notes', { pid: 9, line: 'third' })
  later.write('web', { event: 'not started: no' })
  await later.close()
  expect(await texts()).toEqual(['[started]', 'first', 'second', 'third'])
  expect(await keptLines(folder, 'none')).toEqual([])
  expect((await stat(join(folder, 'notes', '0.jsonl'))).mode & 0o777).toBe(0o600)
})

test('what is kept is bounded: the newest stay', async () => {
  const written = logs()
  const line = 'x'.repeat(2000)
  for (let at = 0; at < 3000; at += 1) {
    // Slower than what is too fast.
    now += 20
    written.write('notes', { pid: 1, line: `${at} ${line}` })
  }
  await written.close()
  const names = await readdir(join(folder, 'notes'))
  expect(names.sort()).toEqual(['0.before.jsonl', '0.jsonl'])
  for (const name of names) expect((await stat(join(folder, 'notes', name))).size).toBeLessThanOrEqual(512 * 1024)
  const kept = await keptLines(folder, 'notes')
  expect(kept.length).toBeGreaterThan(200)
  expect(kept.at(-1)?.line).toMatch(/^2999 /)
})

test('who writes faster than can be kept loses lines, and it is told how many; what the gateway says is never lost', async () => {
  const written = logs()
  for (let at = 0; at < 1200; at += 1) written.write('notes', { pid: 1, line: `${at}` })
  written.write('notes', { pid: 1, event: 'ended' })
  await written.close()
  expect((await texts()).slice(998)).toEqual(['998', '999', '[200 lines were dropped]', '[ended]'])
})

test('a folder that cannot be written to is told of once, and stops nobody', async () => {
  await writeFile(join(folder, 'notes'), 'a file')
  const told: unknown[] = []
  const written = logs(0, { ...silentLogger, warn: (fields) => void told.push(fields) })
  for (const line of ['a', 'b']) {
    written.write('notes', { pid: 1, line })
    await written.close()
  }
  expect(told).toEqual([expect.objectContaining({ server: 'notes' })])
})

test('whoever follows gets every line once, also when a file becomes full, and no half one', async () => {
  const followed = new FollowedLines(folder, 'notes')
  const next = async () => (await followed.next()).map(({ line }) => line)
  expect(await next()).toEqual([])
  const written = logs()
  written.write('notes', { line: 'a' })
  await written.close()
  expect([await next(), await next()]).toEqual([['a'], []])
  const filling = 'x'.repeat(300_000)
  for (const line of ['b', filling, filling, 'c']) {
    written.write('notes', { line })
    await written.close()
  }
  expect(await readdir(join(folder, 'notes'))).toHaveLength(2)
  expect(await next()).toEqual(['b', filling, filling, 'c'])
  const file = join(folder, 'notes', '0.jsonl')
  const whole = await readFile(file, 'utf8')
  await writeFile(file, `${whole}{"at":1,"line":"d`)
  expect(await next()).toEqual([])
  await writeFile(file, `${whole}{"at":1,"line":"d"}\n`)
  expect(await next()).toEqual(['d'])
})

test('a line cannot act on the terminal it is shown in', () => {
  expect(shownLine({ at: 0, pid: 7, line: 'a\u202eb' })).toBe(String.raw`1970-01-01T00:00:00.000Z  7  a\u{202e}b`)
  expect(shownLine({ at: 0, event: 'started' })).toBe('1970-01-01T00:00:00.000Z  -  [started]')
})
