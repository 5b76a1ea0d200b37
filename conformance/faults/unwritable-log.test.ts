/** A log that cannot be written: full or read-only. No tool runs, callers are told at once, and it goes on by itself afterwards. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import { fill, smallDisk, type SmallDisk } from '../harness/small-disk.ts'
import { until } from '../harness/until.ts'
import { allowedDigests, digest, makePlace, put } from '../mcp/ledger-place.ts'
import { serversReady } from '../mcp/upstream-servers.ts'

/** How a disk stops taking data, and how it takes some again. */
const ways: Readonly<Record<string, { breakDisk(disk: SmallDisk): Promise<void>; mend(disk: SmallDisk): Promise<void> }>> = {
  'is full': { breakDisk: (disk) => fill(join(disk.path, 'filler')), mend: (disk) => rm(join(disk.path, 'filler')) },
  'has become read-only': { breakDisk: async (disk) => makeReadOnly(disk), mend: async (disk) => disk.remount('rw') },
}

/** Files that are open for writing keep a file system writable; it is forced, as the kernel does on an error of the device. */
function makeReadOnly(disk: SmallDisk): void {
  disk.remount('ro')
}

describe.each(Object.entries(ways))('a disk that %s', (_way, { breakDisk, mend }) => {
  test('stops tool calls before they run; every refusal is coded and quick; no restart is needed', async ({ skip }) => {
    const disk = await smallDisk()
    if (disk === undefined) return skip('a file system cannot be mounted here')
    const place = await makePlace(join(disk.path, 'data'))
    try {
      await using gateway = await startGateway({ config: place.config })
      await serversReady(gateway.url)
      expect((await put(gateway, 'before')).message).toMatchObject({ result: { content: [{ text: 'put before' }] } })
      try {
        await breakDisk(disk)
      } catch (error) {
        return skip(`the disk cannot be broken here: ${String(error)}`)
      }
      await until('the first refusal', async () => ((await put(gateway, `slack-${performance.now()}`)).message['error'] === undefined ? undefined : true))
      const before = await place.ledger()
      const refusals = await Promise.all(Array.from({ length: 20 }, (_, index) => timed(() => put(gateway, `refused-${index}`))))
      for (const { answer, took } of refusals) {
        expect(answer.message['error']).toMatchObject({ data: { code: 'audit.unwritable' } })
        // Meant to be one second; a busy machine gets five.
        expect(took).toBeLessThan(5000)
      }
      expect(await place.ledger()).toEqual(before)
      expect((await fetch(`${gateway.url}/readyz`)).status).toBe(503)
      await mend(disk)
      await until('the first call that runs again', async () => ((await put(gateway, 'after')).message['result'] === undefined ? undefined : true))
      await verify(gateway)
      const recorded = await allowedDigests(String(place.config['data_dir']))
      expect((await place.ledger()).filter((entry) => !recorded.has(digest(entry)))).toEqual([])
    } finally {
      disk.unmount()
      await rm(disk.path, { recursive: true, force: true })
      await rm(place.root, { recursive: true, force: true })
    }
  }, 60_000)
})

async function verify(gateway: RunningGateway): Promise<void> {
  expect(await gateway.cli(['audit', 'verify', '--json'])).toMatchObject({ code: 0 })
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly answer: T; readonly took: number }> {
  const started = performance.now()
  const answer = await work()
  return { answer, took: performance.now() - started }
}
