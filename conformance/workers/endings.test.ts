/** What becomes of calls when a worker dies, when the owner dies, when all are stopped, and when the configuration changes. */
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { afterEach, expect, test } from 'vitest'
import type { Json } from '../harness/json.ts'
import { until } from '../harness/until.ts'
import { allowedDigests } from '../mcp/ledger-place.ts'
import { childrenOf, isAlive, pidOf, startSeveral, type Connection, type Several } from './several.ts'

let several: Several | undefined
afterEach(async () => {
  await several?.[Symbol.asyncDispose]()
  several = undefined
})

const digest = (text: string): string => createHash('sha256').update(JSON.stringify({ text })).digest('hex')

interface Load {
  readonly failed: string[]
  readonly answered: string[]
  stop(): Promise<void>
}

/** Calls without a pause over each connection; one that failed or was told to close is not used again. */
function load(connections: readonly { readonly name: string; readonly connection: Connection }[]): Load {
  const failed: string[] = []
  const answered: string[] = []
  let isOn = true
  const running = connections.map(async ({ name, connection }) => {
    for (let n = 0; isOn; n += 1) {
      const text = `${name}-${n}`
      try {
        const { status, json, headers } = await connection.call('echo', text)
        if (status !== 200 || json['result']?.['content']?.[0]?.['text'] !== text) failed.push(text)
        else answered.push(text)
        if (headers.connection === 'close') return
      } catch {
        failed.push(text)
        return
      }
    }
  })
  return {
    failed,
    answered,
    async stop() {
      isOn = false
      await Promise.all(running)
    },
  }
}

test('a worker that is killed loses its own calls only; each effect has a decision, the log verifies, and it is replaced', async () => {
  several = await startSeveral()
  const { gateway, tools } = several
  const at = (worker: number) =>
    Array.from({ length: 4 }, async (_, index) => ({ name: `w${worker}c${index}`, connection: await (several as Several).to(worker) }))
  const connections = await Promise.all([...at(0), ...at(1)])
  const calls = load(connections)
  await until('work', () => (calls.answered.length > 100 ? true : undefined))
  const killed = pidOf(gateway, 1)
  process.kill(killed, 'SIGKILL')
  await until('the loss of its calls', () => (calls.failed.length === 4 ? true : undefined))
  const before = calls.answered.length
  await until('another worker in its place', async () => {
    const { workers } = (await (await fetch(`${gateway.url}/readyz`)).json()) as Json
    return workers?.['ready'] === 2 && pidOf(gateway, 1) !== killed ? true : undefined
  })
  await until('more work of those that live', () => (calls.answered.length > before + 100 ? true : undefined))
  await calls.stop()
  expect(calls.failed.map((text) => text.slice(0, 2))).toEqual(['w1', 'w1', 'w1', 'w1'])
  expect((await (await several.to(1)).call('echo', 'again')).json['result']['content'][0]['text']).toBe('again')
  const recorded = await allowedDigests(gateway.dataDir)
  expect(tools.calls.filter((text) => !recorded.has(digest(text)))).toEqual([])
  expect(await gateway.cli(['audit', 'verify', '--json'])).toMatchObject({ code: 0 })
  expect(gateway.logs()).toContain('a worker has ended; its calls are lost, and it is replaced')
  for (const { connection } of connections) connection.close()
})

test('when the owner dies the workers end at once, and a new start finds a log that verifies', async () => {
  several = await startSeveral()
  const { gateway, tools, config } = several
  const workers = childrenOf(gateway.pid)
  const calls = load([{ name: 'c', connection: await several.to(0) }])
  await until('work', () => (calls.answered.length > 20 ? true : undefined))
  gateway.signal('SIGKILL')
  await until('the end of all workers', () => (workers.some(isAlive) ? undefined : true))
  await calls.stop()
  const recorded = await allowedDigests(gateway.dataDir)
  expect(tools.calls.filter((text) => !recorded.has(digest(text)))).toEqual([])
  await writeFile(gateway.configPath, JSON.stringify({ listen: { port: 0 }, ...config }))
  expect(await gateway.cli(['audit', 'verify', '--json'])).toMatchObject({ code: 0 })
})

test('a reload reaches all workers or none, whatever becomes of a worker in between', async () => {
  several = await startSeveral()
  const { gateway, config } = several
  const revisions = async (): Promise<unknown[]> => {
    const asked = await Promise.all([0, 1].map(async (worker) => (await (several as Several).to(worker)).ask('/healthz')))
    return asked.map(({ json }) => json['revision'])
  }
  const [running] = await revisions()
  await gateway.writeConfig({ ...config, routes: 'no list' })
  await until('the refusal', async () => {
    const { config: said } = (await (await fetch(`${gateway.url}/readyz`)).json()) as Json
    return said === undefined ? undefined : true
  })
  expect(await revisions()).toEqual([running, running])
  expect(gateway.logs().split('the configuration is not valid').length - 1).toBe(1)
  // Whoever takes the place of a worker runs on what the others run on, not on what the file says now.
  const killed = pidOf(gateway, 1)
  process.kill(killed, 'SIGKILL')
  await until('another worker', () => (pidOf(gateway, 1) === killed ? undefined : true))
  expect(await revisions()).toEqual([running, running])
  expect((await (await several.to(1)).ask('/readyz')).json['config']).toContain('refused')
  await gateway.writeConfig({ ...config, principals: { ada: {}, bob: {} } })
  const next = await until('the new revision at both', async () => {
    const [one, other] = await revisions()
    return one === other && one !== running ? one : undefined
  })
  expect(next).not.toBe(running)
  expect((await (await several.to(0)).ask('/readyz')).json['config']).toBeUndefined()
  await gateway.writeConfig({ ...config, principals: { ada: {}, bob: {}, carol: {} }, listen: { port: 1 } })
  await until('the third revision', async () => ((await revisions()).every((one) => one !== next) ? true : undefined))
  process.kill(pidOf(gateway, 0), 'SIGKILL')
  expect((await (await several.to(0)).ask('/healthz')).status).toBe(200)
})

test('after SIGTERM running calls end, connections are told to close, no call fails, and the log has its last checkpoint', async () => {
  several = await startSeveral()
  const { gateway, config } = several
  const connections = await Promise.all(
    Array.from({ length: 8 }, async (_, index) => ({ name: `c${index}`, connection: await (several as Several).to(index % 2) })),
  )
  const calls = load(connections)
  await until('work', () => (calls.answered.length > 50 ? true : undefined))
  gateway.signal('SIGTERM')
  expect(await gateway.exited).toBe(0)
  await calls.stop()
  expect(calls.failed).toEqual([])
  const verified = await gateway.cli(['audit', 'verify', '--json'])
  expect(verified.code).toBe(0)
  expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true, problems: [] })
  expect(config).toBeDefined()
})

test('5,000 calls of 200 clients with the same ids over all workers: none is answered with what another asked', async () => {
  several = await startSeveral()
  const connections = await Promise.all(Array.from({ length: 32 }, (_, index) => (several as Several).to(index % 2)))
  const crossed: string[] = []
  const clients = Array.from({ length: 200 }, (_, client) => ({ client, left: 25 }))
  await Promise.all(
    connections.map(async (connection, at) => {
      for (let round = 0; round < 25; round += 1)
        for (const { client } of clients.filter(({ client }) => client % connections.length === at)) {
          const text = `client ${client}, call ${round}`
          const { json } = await connection.call('echo', text, round)
          if (json['id'] !== round || json['result']?.['content']?.[0]?.['text'] !== text) crossed.push(`${text}: ${JSON.stringify(json)}`)
        }
    }),
  )
  expect(crossed).toEqual([])
  expect(several.tools.calls).toHaveLength(5000)
  expect(new Set(several.tools.calls).size).toBe(5000)
  for (const connection of connections) connection.close()
})
