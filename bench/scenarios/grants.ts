/** What grants cost with 5,000 lines, 10,000 people and 500 tools: asking for one thing, and what a list of all tools is cut down to. */
import { configSchema } from '@turnward/contract/config'
import { GrantIndex } from '../../gateway/src/policy/grant-index.ts'
import { grantLines } from '../../gateway/src/policy/grants.ts'
import type { Grantee } from '../../gateway/src/policy/types.ts'
import { atMost, told } from '../rows.ts'
import type { Scenario } from '../scenario.ts'
import { percentile, round } from '../statistics.ts'

const lines = 5000
const people = 10_000
const groups = 500
const servers = 20
const toolsOfEach = 25
const asked = 200_000
const lists = 500

export const grants: Scenario = {
  name: 'grants',
  async run() {
    const started = performance.now()
    const index = new GrantIndex(grantLines(configSchema.parse({ grants: Array.from({ length: lines }, (_, at) => lineOf(at)) })))
    const compiled = performance.now() - started
    const callers = Array.from({ length: people }, (_, at) => callerOf(at))
    const tools = Array.from({ length: servers * toolsOfEach }, (_, at) => `s${at % servers}__tool_${at}`)
    const first = timesOf(people, (at) => index.ruling(pick(callers, at), 'tools', pick(tools, at)))
    const warm = timesOf(asked, (at) => index.ruling(pick(callers, at * 7919), 'tools', pick(tools, at * 31)))
    const filtered = timesOf(lists, (at) => tools.filter((tool) => index.ruling(pick(callers, at * 101), 'tools', tool).allowed))
    const detail = `${lines} lines, ${people} people, ${tools.length} tools`
    return [
      atMost('grants: one thing, p99 warm', percentile(warm, 0.99), 20, 'us', `p50 ${round(percentile(warm, 0.5), 2)} us; ${detail}`),
      told('grants: the first thing of a caller, p50', percentile(first, 0.5), 'us'),
      atMost('grants: 500 tools filtered, p50', percentile(filtered, 0.5) / 1000, 1, 'ms'),
      told('grants: compiling 5,000 lines', compiled, 'ms'),
    ]
  },
}

/** Of ten lines seven are for groups, two for people, one forbids. */
function lineOf(at: number): object {
  const server = `s${at % servers}`
  if (at % 10 === 0)
    return { groups: [`g${at % groups}`], consumers: ['desk'], forbid: { tools: [`${server}__tool_${at}`, `${server}__x*`] } }
  if (at % 10 < 3) return { principals: [`p${at}`, `p${at + 5000}`], models: ['gpt-*'], tools: [`${server}__tool_${at % 500}`] }
  return { groups: [`g${at % groups}`], servers: [server], gateways: ['main'], tools: [`s${(at + 1) % servers}__t*_${at % 500}`] }
}

function callerOf(at: number): Grantee {
  const principal = {
    id: `p${at}`,
    kind: 'human' as const,
    groups: [`g${at % groups}`, `g${(at * 3) % groups}`, `g${(at * 7) % groups}`],
    emails: [],
    credentials: new Map(),
  }
  return { principal, actor: null, consumer: 'desk' }
}

function pick<T>(values: readonly T[], at: number): T {
  const value = values[at % values.length]
  if (value === undefined) throw new Error('there is nothing to pick from')
  return value
}

/** Microseconds of each, sorted. */
function timesOf(count: number, work: (at: number) => unknown): number[] {
  const times = new Float64Array(count)
  for (let at = 0; at < count; at += 1) {
    const before = process.hrtime.bigint()
    work(at)
    times[at] = Number(process.hrtime.bigint() - before) / 1000
  }
  return [...times.sort()]
}
