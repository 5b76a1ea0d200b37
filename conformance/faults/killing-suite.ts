/**
 * Kills a gateway at random points while both floors are busy, starts it again on the same data, and compares what the tool
 * server and the vendor saw with the log. Shared by the fast and the long suite.
 */
import { randomInt } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'vitest'
import { startGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { say } from '../harness/model-answer.ts'
import { post } from '../harness/raw-http.ts'
import { until } from '../harness/until.ts'
import { startVendor } from '../harness/vendor.ts'
import { allowedDigests, digest, key, makePlace, put } from '../mcp/ledger-place.ts'
import { serversReady } from '../mcp/upstream-servers.ts'

export interface Killings {
  /** Milliseconds from starting the process to being ready, one per round. */
  readonly restarts: readonly number[]
  readonly entries: number
  readonly records: number
}

export async function killAgainAndAgain(rounds: number): Promise<Killings> {
  await using vendor = await startVendor((request) =>
    say(request, { text: 'I look.', calls: [{ id: `call_${request.index}`, name: 'ledger__put', args: { entry: 'proposed' } }] }),
  )
  const place = await makePlace()
  const config: Json = {
    ...place.config,
    upstreams: { openai: { kind: 'openai', base_url: vendor.url, credential: 'none' } },
    routes: [{ model: 'gpt-test', upstreams: ['openai'] }],
    grants: [{ principals: ['ada'], gateways: ['main'], tools: ['*'], models: ['*'] }],
  }
  const dataDir = String(config['data_dir'])
  const restarts: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const started = performance.now()
    const gateway = await startGateway({ config })
    restarts.push(performance.now() - started)
    await serversReady(gateway.url)
    const before = (await place.ledger()).length
    let alive = true
    const callTools = async (name: number): Promise<void> => {
      for (let index = 0; alive; index += 1)
        if ((await put(gateway, `r${round}-w${name}-${index}`).catch(() => undefined)) === undefined) return
    }
    const callModels = async (name: number): Promise<void> => {
      for (let index = 0; alive; index += 1) {
        const body = {
          model: 'gpt-test',
          stream: index % 2 === 0,
          messages: [{ role: 'user', content: `r${round}-m${name}-${index}` }],
          tools: [{ type: 'function', function: { name: 'ledger__put', parameters: { type: 'object' } } }],
        }
        if ((await post(`${gateway.url}/v1/chat/completions`, key, body).catch(() => undefined)) === undefined) return
      }
    }
    const workers = Promise.all([0, 1, 2, 3].flatMap((name) => [callTools(name), callModels(name)]))
    // Killed within the next calls, wherever they are: between decision and effect, inside a commit, inside a checkpoint.
    await until('work', async () => ((await place.ledger()).length > before ? true : undefined))
    await pause(randomInt(60))
    gateway.signal('SIGKILL')
    alive = false
    await gateway.stop('SIGKILL')
    await workers
    const recorded = await allowedDigests(dataDir)
    expect(
      (await place.ledger()).filter((entry) => !recorded.has(digest(entry))),
      `side effects without a decision after round ${round}`,
    ).toEqual([])
  }
  await using last = await startGateway({ config })
  const verified = await last.cli(['audit', 'verify', '--json'])
  expect(verified).toMatchObject({ code: 0 })
  const report = JSON.parse(verified.stdout) as Json
  expect(report).toMatchObject({ ok: true, problems: [] })
  const entries = (await place.ledger()).length
  expect(report['records']).toBeGreaterThanOrEqual(entries)
  await rm(place.root, { recursive: true, force: true })
  return { restarts, entries, records: Number(report['records']) }
}

/** For people who read the output of a run. */
export function describeKillings({ restarts, entries, records }: Killings): string {
  const sorted = restarts.toSorted((a, b) => a - b)
  const at = (share: number): number => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)
  return `killed ${restarts.length} times: ${entries} side effects, ${records} records, ready again in ${at(0.5)} ms (median), ${at(0.95)} ms (95 %), ${at(1)} ms (longest)`
}
