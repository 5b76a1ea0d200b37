import { describe, expect, test } from 'vitest'
import { cpuMicrosOf, startProcess } from './measured-process.ts'

const script = `process.stdout.write(JSON.stringify({ event: 'ready', url: 'http://127.0.0.1:1' }) + '\\n'); setInterval(() => {}, 1000)`

describe('a measured process', () => {
  test('its CPU is user plus system time, whatever its name is made of', () => {
    expect(cpuMicrosOf('42 (a ) (b) 7) S 1 1 1 0 -1 0 0 0 0 0 250 30 0 0 20 0 9 0')).toBe(2_800_000)
  })

  test('it is there until it is stopped, and says what it uses', async () => {
    const started = await startProcess({ command: [process.execPath, '-e', script], core: 'others' })
    expect(started.url).toBe('http://127.0.0.1:1')
    expect(started.rssBytes()).toBeGreaterThan(1_000_000)
    await started.stop()
    expect(() => process.kill(started.pid, 0)).toThrow()
  })

  test('one that ends before it is ready is an error with its own words', async () => {
    const command = [process.execPath, '-e', `process.stderr.write('no such port'); process.exitCode = 3`]
    await expect(startProcess({ command, core: 'others' })).rejects.toThrow(/ended with 3: no such port/)
  })
})
