/** What people wait for who look at 100,000 turns: the list, however it is filtered, one turn, its records, and what was used. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startGateway } from '../gateway-under-test.ts'
import { atMost, told } from '../rows.ts'
import type { Scenario } from '../scenario.ts'
import { percentile, round } from '../statistics.ts'
import { startVendor } from '../topology.ts'

const run = promisify(execFile)
const filler = fileURLToPath(new URL('../servers/turn-filler.ts', import.meta.url))
const key = 'tw_bench_viewer_0000000000000000'
const mostMs = 200
/** Below what one person may ask in a second. */
const betweenMs = 40
const times = 50

export const reading: Scenario = {
  name: 'reading',
  async run(bench) {
    const turns = bench.quick ? 20_000 : 100_000
    const vendor = await bench.keep(startVendor())
    const gateway = await bench.keep(
      startGateway({
        vendor: vendor.url,
        more: {
          keys: { viewer: { principal: 'mara', secret: key, scopes: ['admin'] } },
          identity: { roles: { viewer: { people: ['mara'] } } },
        },
        prepare: async (folder) => {
          await run(process.execPath, [filler, join(folder, 'data'), String(turns)])
        },
      }),
    )
    const ask = async (path: string): Promise<unknown> => {
      const answer = await fetch(`${gateway.url}${path}`, { headers: { authorization: `Bearer ${key}` } })
      if (!answer.ok) throw new Error(`${path} was answered with ${answer.status}`)
      return answer.json()
    }
    const began = performance.now()
    for (;;) {
      const { turns: newest } = (await ask('/api/turns?limit=1')) as { turns: readonly { readonly turn: string }[] }
      if (newest[0]?.turn === `turn_${turns - 1}`) break
      await pause(500)
    }
    const counted = (performance.now() - began) / 1000
    const middle = Math.floor(turns / 2)
    const { next } = (await ask('/api/turns?limit=200')) as { next: string }
    const asked: readonly (readonly [what: string, path: (time: number) => string])[] = [
      ['turns', () => '/api/turns?limit=50'],
      ['turns, the next page', () => `/api/turns?limit=50&cursor=${next}`],
      ['turns of a person with a tool', (time) => `/api/turns?principal=person-${time}&tool=crm__tool_${time % 40}`],
      ['turns where something was refused', () => '/api/turns?action=refuse'],
      ['turns that nobody has had', () => '/api/turns?action=refuse&label=trusted&model=model-1'],
      ['one turn', (time) => `/api/turns/turn_${middle + time}`],
      ['records of a turn', (time) => `/api/decisions?turn=turn_${middle + time}`],
      ['records, the newest', () => '/api/decisions'],
      ['a session', (time) => `/api/sessions/ses_0mx0wmrpexUT5rdT${Math.floor((middle + time) / 5)}`],
      ['usage of a day, by group', () => '/api/usage?by=group'],
    ]
    const rows = [told(`counting ${turns.toLocaleString('en')} turns after a start`, counted, 's', 'six records each')]
    for (const [what, path] of asked) {
      const took: number[] = []
      for (let time = 0; time < times; time += 1) {
        const start = performance.now()
        await ask(path(time))
        took.push(performance.now() - start)
        await pause(betweenMs)
      }
      const sorted = Float64Array.from(took).sort()
      const [half, most] = [percentile(sorted, 0.5), percentile(sorted, 0.95)]
      rows.push(atMost(`${what}, of ${turns.toLocaleString('en')} turns, p95`, most, mostMs, 'ms', `p50 ${round(half, 1)}`))
    }
    return rows
  },
}
