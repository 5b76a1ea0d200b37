/** A log that cannot be written: no tool runs, callers are told at once, and it goes on by itself afterwards. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import { fill, smallDisk } from '../harness/small-disk.ts'
import { until } from '../harness/until.ts'
import { allowedDigests, digest, makePlace, put } from '../mcp/ledger-place.ts'
import { serversReady } from '../mcp/upstream-servers.ts'

test('a full disk stops tool calls before they run; every refusal is coded and does not wait for room; no restart is needed', async ({
  skip,
}) => {
  const disk = await smallDisk()
  if (disk === undefined) return skip('a file system cannot be mounted here')
  const place = await makePlace(join(disk.path, 'data'))
  try {
    await using gateway = await startGateway({ config: place.config })
    await serversReady(gateway.url)
    expect((await put(gateway, 'before')).message).toMatchObject({ result: { content: [{ text: 'put before' }] } })
    await fill(join(disk.path, 'filler'))
    await until('the first refusal', async () =>
      (await put(gateway, `slack-${performance.now()}`)).message['error'] === undefined ? undefined : true,
    )
    const before = await place.ledger()
    const refusals = await Promise.all(Array.from({ length: 20 }, (_, index) => put(gateway, `refused-${index}`)))
    // All of them came while the disk was full.
    for (const { message } of refusals) expect(message['error']).toMatchObject({ data: { code: 'audit.unwritable' } })
    expect(await place.ledger()).toEqual(before)
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(503)
    await rm(join(disk.path, 'filler'))
    await until('the first call that runs again', async () =>
      (await put(gateway, 'after')).message['result'] === undefined ? undefined : true,
    )
    await verify(gateway)
    const recorded = await allowedDigests(String(place.config['data_dir']))
    expect((await place.ledger()).filter((entry) => !recorded.has(digest(entry)))).toEqual([])
  } finally {
    disk.unmount()
    await rm(disk.path, { recursive: true, force: true })
    await rm(place.root, { recursive: true, force: true })
  }
})

test('on a read-only file system the gateway does not start, says why with a code, and starts when it is writable again', async ({
  skip,
}) => {
  const disk = await smallDisk()
  if (disk === undefined) return skip('a file system cannot be mounted here')
  const place = await makePlace(join(disk.path, 'data'))
  try {
    await (await startGateway({ config: place.config })).stop()
    disk.remount('ro')
    await expect(startGateway({ config: place.config })).rejects.toThrow(/store\.failed|audit\.unwritable/)
    disk.remount('rw')
    await using gateway = await startGateway({ config: place.config })
    await serversReady(gateway.url)
    expect((await put(gateway, 'after')).message).toMatchObject({ result: { content: [{ text: 'put after' }] } })
    await verify(gateway)
  } finally {
    disk.unmount()
    await rm(disk.path, { recursive: true, force: true })
    await rm(place.root, { recursive: true, force: true })
  }
})

async function verify(gateway: RunningGateway): Promise<void> {
  expect(await gateway.cli(['audit', 'verify', '--json'])).toMatchObject({ code: 0 })
}
