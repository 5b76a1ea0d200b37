/** CPU of the gateway per call and per stream in every dialect, against Chat Completions; and what conversion adds to a stream. */
import { compare, type Contestant } from '../alternating.ts'
import { startGateway } from '../gateway-under-test.ts'
import { dialectCall, freshCalls, type BenchDialect } from '../requests.ts'
import { atMost, type Row } from '../rows.ts'
import type { Bench, Scenario } from '../scenario.ts'
import { round } from '../statistics.ts'
import { startDialectVendor } from '../topology.ts'

type Way = 'json' | 'sse'

/** What stands at the end of a stream. */
const ends: Readonly<Record<BenchDialect, string>> = {
  'chat-completions': '[DONE]',
  messages: 'message_stop',
  responses: 'response.completed',
  converse: 'messageStop',
  gemini: 'finishReason',
}
const dialects = Object.keys(ends) as BenchDialect[]

interface Pair {
  readonly client: BenchDialect
  readonly upstream: BenchDialect
}

/** Each pair against the first one, in turns, at one gateway. */
async function against(
  bench: Bench,
  way: Way,
  limit: number,
  rowName: (pair: Pair) => string,
  pairs: readonly Pair[],
): Promise<readonly Row[]> {
  const connections = way === 'sse' ? 64 : 16
  const vendor = await bench.keep(startDialectVendor())
  const gateway = await bench.keep(startGateway({ vendor: vendor.url, speaksAll: true }))
  const contestants = pairs.map(({ client, upstream }): Contestant => ({
    name: `${client} on ${upstream}`,
    process: gateway,
    url: gateway.url,
    request: freshCalls(dialectCall(client, upstream, way), connections),
    marker: way === 'sse' ? ends[client] : 'Northwind',
  }))
  const [floor, ...standings] = await compare(contestants, { connections }, bench.pace)
  if (floor === undefined) throw new Error('nothing was measured')
  return standings.map(({ cpuMicros }, index) =>
    atMost(
      rowName(pairs[index + 1] as Pair),
      cpuMicros / floor.cpuMicros,
      limit,
      'x',
      `${round(cpuMicros, 0)} against ${round(floor.cpuMicros, 0)} us`,
    ),
  )
}

const same: readonly Pair[] = dialects.map((dialect) => ({ client: dialect, upstream: dialect }))

export const dialectCalls: Scenario = {
  name: 'dialect-calls',
  run: (bench) => against(bench, 'json', 1.25, ({ client }) => `${client} call, 2 KB: CPU against chat`, same),
}

export const dialectStreams: Scenario = {
  name: 'dialect-streams',
  run: (bench) => against(bench, 'sse', 1.25, ({ client }) => `${client} stream, 100 events: CPU against chat`, same),
}

/** Clients of Chat Completions on every other dialect, and clients of every other dialect on Chat Completions. */
export const crossDialect: Scenario = {
  name: 'cross-dialect',
  run: (bench) => {
    const others = dialects.filter((dialect) => dialect !== 'chat-completions')
    const pairs = others.flatMap((other): Pair[] => [
      { client: 'chat-completions', upstream: other },
      { client: other, upstream: 'chat-completions' },
    ])
    return against(bench, 'sse', 2.5, ({ client, upstream }) => `${client} stream on ${upstream}: CPU against chat on chat`, [
      { client: 'chat-completions', upstream: 'chat-completions' },
      ...pairs,
    ])
  },
}
