/** A replica that is killed takes its own calls with it and nothing else; one that is told to stop takes none. */
import { rm } from 'node:fs/promises'
import { Agent, request as httpRequest } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { hasServices } from '../harness/replicas.ts'
import { until } from '../harness/until.ts'
import { digest, key, put } from '../mcp/ledger-place.ts'
import { replicatedLedger } from './replicated-ledger.ts'

/** Puts entries at one replica, one after the other, until told to stop or until it fails. Resolves with those that failed. */
function busy(
  gateway: RunningGateway,
  name: string,
  isOver: () => boolean,
): { readonly done: Promise<string[]>; readonly count: () => number } {
  let count = 0
  const run = async (): Promise<string[]> => {
    const failed: string[] = []
    while (!isOver()) {
      const entry = `${name}-${count}`
      const answer = await put(gateway, entry).catch(() => undefined)
      if (answer?.message['result'] === undefined) failed.push(entry)
      if (answer === undefined) return failed
      count += 1
    }
    return failed
  }
  return { done: run(), count: () => count }
}

async function verified(gateway: RunningGateway): Promise<Json> {
  const { stdout, code } = await gateway.cli(['audit', 'verify', '--json'])
  const report = JSON.parse(stdout) as Json
  expect(report).toMatchObject({ ok: true, problems: [] })
  expect(code).toBe(0)
  return report
}

describe.skipIf(!hasServices)('of three replicas under load', () => {
  test('one is killed: its calls in flight fail, no other call does, and nothing ran without a decision', async () => {
    const ledger = await replicatedLedger()
    const gateways = await Promise.all(['a', 'b', 'c'].map((name) => ledger.start(name)))
    const [a, b, c] = gateways as [RunningGateway, RunningGateway, RunningGateway]
    try {
      let isOver = false
      const work = [a, b, c].map((gateway, at) => [0, 1, 2, 3].map((client) => busy(gateway, `r${at}-c${client}`, () => isOver)))
      const counts = (at: number): number => (work[at] ?? []).reduce((sum, one) => sum + one.count(), 0)
      await until('work everywhere', () => ([0, 1, 2].every((at) => counts(at) > 20) ? true : undefined))
      b.signal('SIGKILL')
      await b.exited
      const after = [counts(0), counts(2)]
      await until('the others to go on', () => (counts(0) > (after[0] ?? 0) + 20 && counts(2) > (after[1] ?? 0) + 20 ? true : undefined))
      isOver = true
      const failed = await Promise.all(work.map(async (clients) => (await Promise.all(clients.map(({ done }) => done))).flat()))
      expect([failed[0], failed[2]]).toEqual([[], []])
      // One call at a time each.
      expect(failed[1]?.length).toBeLessThanOrEqual(4)
      const released = await ledger.released()
      expect((await ledger.place.ledger()).filter((entry) => !released.has(digest(entry)))).toEqual([])
      await verified(a)
    } finally {
      await Promise.all(gateways.map((gateway) => gateway.stop()))
      await rm(ledger.place.root, { recursive: true, force: true })
    }
  })

  test('all are restarted one after the other, and a client that honours `connection: close` loses no call', async () => {
    const ledger = await replicatedLedger()
    const running = new Map<string, RunningGateway>()
    const begin = async (name: string): Promise<void> => void running.set(name, await ledger.start(name))
    await Promise.all(['a', 'b', 'c'].map(begin))
    /** Where a load balancer would send a call now. */
    const ready = new Set(running.keys())
    let isOver = false
    let made = 0
    const failed: string[] = []
    const client = async (number: number): Promise<void> => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      for (let at = number; !isOver; at += 1) {
        const names = [...ready]
        const gateway = running.get(names[at % names.length] ?? '')
        if (gateway === undefined) continue
        const entry = `roll-${number}-${at}`
        const outcome = await putThrough(agent, gateway, entry)
        made += 1
        if (outcome !== undefined) failed.push(`${entry}: ${outcome}`)
      }
      agent.destroy()
    }
    const clients = [0, 1, 2, 3, 4, 5].map(client)
    try {
      for (const name of ['a', 'b', 'c']) {
        const before = made
        await until('calls between restarts', () => (made > before + 30 ? true : undefined))
        // As a rollout does: it is taken out where calls are given out, told to stop, and another one takes its place.
        ready.delete(name)
        const stopped = running.get(name)?.stop()
        await begin(name)
        ready.add(name)
        expect(await stopped).toBe(0)
      }
      isOver = true
      await Promise.all(clients)
      expect(failed).toEqual([])
      const report = await verified([...running.values()][0] as RunningGateway)
      expect(report['records']).toBeGreaterThan(made)
    } finally {
      isOver = true
      await Promise.all([...running.values()].map((gateway) => gateway.stop()))
      await rm(ledger.place.root, { recursive: true, force: true })
    }
  })
})

/** One tool call on a connection that is kept; undefined when it was answered well. */
function putThrough(agent: Agent, gateway: RunningGateway, entry: string): Promise<string | undefined> {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'x', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'ledger__put', arguments: { entry }, _meta: meta },
  })
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': 'ledger__put',
  }
  return new Promise((resolve) => {
    const request = httpRequest(`${gateway.url}/mcp/main`, { method: 'POST', agent, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () =>
        resolve(response.statusCode === 200 && text.includes('"result"') ? undefined : `${response.statusCode} ${text.slice(0, 200)}`),
      )
      response.on('error', (error) => resolve(error.message))
    })
    request.on('error', (error) => resolve(error.message))
    request.end(body)
  })
}
