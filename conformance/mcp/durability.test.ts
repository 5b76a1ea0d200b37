/** Nothing is done without a record of why: a gateway that is killed under load, and one whose disk is full. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { fill, smallDisk } from '../harness/small-disk.ts'
import { until } from '../harness/until.ts'
import { allowedDigests, digest, key, makePlace, put } from './ledger-place.ts'
import { connectClient, textOf } from './official-client.ts'
import { serversReady } from './upstream-servers.ts'

describe('a gateway that is killed at any moment', () => {
  const rounds = 10

  test('leaves no side effect without a decision on disk, and a log that verifies', async () => {
    const place = await makePlace()
    const dataDir = String(place.config['data_dir'])
    let answered = 0
    for (let round = 0; round < rounds; round += 1) {
      const gateway = await startGateway({ config: place.config })
      await serversReady(gateway.url)
      const before = (await place.ledger()).length
      let alive = true
      const worker = async (name: number): Promise<void> => {
        for (let index = 0; alive; index += 1) {
          const answer = await put(gateway, `r${round}-w${name}-${index}`).catch(() => undefined)
          if (answer === undefined) return
          expect(answer).toMatchObject({ status: 200, message: { result: { content: [{ text: `put r${round}-w${name}-${index}` }] } } })
          answered += 1
        }
      }
      const workers = Promise.all(Array.from({ length: 8 }, (_, name) => worker(name)))
      // Each round dies at another amount of work done, in the middle of the next calls.
      await until('work', async () => ((await place.ledger()).length >= before + 3 + round * 7 ? true : undefined))
      await gateway.stop('SIGKILL')
      alive = false
      await workers
      const ledger = await place.ledger()
      expect(ledger.length).toBeGreaterThan(before)
      const recorded = await allowedDigests(dataDir)
      expect(ledger.filter((entry) => !recorded.has(digest(entry)))).toEqual([])
    }
    const last = await startGateway({ config: place.config })
    const verified = await last.cli(['audit', 'verify', '--json'])
    expect(verified).toMatchObject({ code: 0 })
    const report = JSON.parse(verified.stdout) as Json
    expect(report).toMatchObject({ ok: true, problems: [] })
    expect(report['records']).toBeGreaterThanOrEqual(answered)
    expect(report['checkpoints']).toBeGreaterThan(0)
    await last.stop()
    await rm(place.root, { recursive: true, force: true })
  }, 600_000)
})

test('a full disk stops tool calls before they run, says so, and nothing needs a restart afterwards', async ({ skip }) => {
  const disk = await smallDisk()
  if (disk === undefined) return skip('a file system cannot be mounted here')
  const place = await makePlace(join(disk.path, 'data'))
  try {
    await using gateway = await startGateway({ config: place.config })
    await serversReady(gateway.url)
    expect((await put(gateway, 'before')).message).toMatchObject({ result: { content: [{ text: 'put before' }] } })

    await fill(join(disk.path, 'filler'))
    const refused = await until('a refusal', async () => {
      const entry = `full-${performance.now()}`
      const answer = await put(gateway, entry)
      if (answer.message['error'] === undefined) return undefined
      return { answer, entry }
    })
    expect(refused.answer.message['error']).toMatchObject({ data: { code: 'audit.unwritable' } })
    expect(await place.ledger()).not.toContain(refused.entry)
    const unready = await fetch(`${gateway.url}/readyz`)
    expect(unready.status).toBe(503)
    expect(await unready.json()).toMatchObject({ status: 'not ready', audit: expect.anything() })
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200)

    const before = await place.ledger()
    await Promise.all(Array.from({ length: 10 }, (_, index) => put(gateway, `also-full-${index}`)))
    expect(await place.ledger()).toEqual(before)

    await rm(join(disk.path, 'filler'))
    const client = await connectClient(gateway.url, key)
    await until('the first call that runs again', async () => {
      const result = await client.callTool({ name: 'ledger__put', arguments: { entry: 'after' } }).catch(() => undefined)
      return result !== undefined && textOf(result) === 'put after' ? true : undefined
    })
    await client.close()
    await until('readiness', async () => ((await fetch(`${gateway.url}/readyz`)).status === 200 ? true : undefined))
    const recorded = await allowedDigests(String(place.config['data_dir']))
    expect((await place.ledger()).filter((entry) => !recorded.has(digest(entry)))).toEqual([])
    expect(await gateway.cli(['audit', 'verify', '--json'])).toMatchObject({ code: 0 })
  } finally {
    disk.unmount()
    await rm(disk.path, { recursive: true, force: true })
    await rm(place.root, { recursive: true, force: true })
  }
})

test('with `durability: relaxed` calls run and the records follow', async () => {
  const place = await makePlace()
  await using gateway = await startGateway({ config: { ...place.config, audit: { durability: 'relaxed' } } })
  await serversReady(gateway.url)
  await put(gateway, 'relaxed')
  await gateway.recordThat((record) => record.type === 'decision' && record['argumentsDigest'] === digest('relaxed'))
  await rm(place.root, { recursive: true, force: true })
})
