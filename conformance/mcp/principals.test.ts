/** A server that keeps what it is told, with a child for each principal: nothing of one person reaches another. */
import { readdirSync, readFileSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import { until } from '../harness/until.ts'
import { connectClient, textOf } from './official-client.ts'
import { installed, serversReady } from './upstream-servers.ts'

const people = ['ada', 'bob', 'carol', 'dan'] as const
const keyOf = (person: string): string => `tw_conformance_${person}_${'0'.repeat(12)}`
const mark = `mark-${randomUUID()}`

let gateway: RunningGateway
beforeAll(async () => {
  gateway = await startGateway({
    config: {
      principals: Object.fromEntries(people.map((person) => [person, {}])),
      keys: Object.fromEntries(people.map((person) => [person, { principal: person, secret: keyOf(person) }])),
      grants: [{ principals: ['*'], gateways: ['main'], tools: ['*'] }],
      contracts: { '*': { output: { trust: 'trusted' } } },
      servers: {
        memory: {
          transport: 'stdio',
          per: 'principal',
          max_children: 3,
          command: ['node', installed('@modelcontextprotocol/server-memory/dist/index.js')],
          env: { MEMORY_FILE_PATH: '/home/sandbox/memory.jsonl', MARK: mark },
        },
      },
      gateways: { main: { servers: ['memory'] } },
    },
  })
  await serversReady(gateway.url)
})
afterAll(() => gateway?.stop())

/** Sandboxes of the server that run now, as root of the host sees them: the program in each, and nothing around it. */
function childrenRunning(): number {
  return readdirSync('/proc').filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) &&
        readFileSync(`/proc/${pid}/environ`, 'latin1').includes(mark) &&
        readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('server-memory') &&
        readFileSync(`/proc/${pid}/comm`, 'latin1').trim() !== 'bwrap'
      )
    } catch {
      return false
    }
  }).length
}

async function as<T>(person: string, use: (client: Awaited<ReturnType<typeof connectClient>>) => Promise<T>): Promise<T> {
  const client = await connectClient(gateway.url, keyOf(person))
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}

/** Everybody gives the same names to what they keep. */
const keep = (person: string) =>
  as(person, (client) =>
    client.callTool({
      name: 'memory__create_entities',
      arguments: { entities: [{ name: 'secret', entityType: 'note', observations: [`canary of ${person}`] }] },
    }),
  )
const kept = (person: string): Promise<string> =>
  as(person, async (client) => textOf(await client.callTool({ name: 'memory__read_graph', arguments: {} })))

test('who lists its tools starts nothing', async () => {
  const before = childrenRunning()
  for (const person of people) expect((await as(person, (client) => client.listTools())).tools.length).toBeGreaterThan(5)
  expect(childrenRunning()).toBe(before)
})

test('each sees what he kept, and no canary of anybody else', async () => {
  const three = people.slice(0, 3)
  await Promise.all(three.map(keep))
  const graphs = await Promise.all(three.map(kept))
  for (const [index, graph] of graphs.entries())
    expect(
      graph.match(/canary of \w+/g)?.every((canary) => canary === `canary of ${three[index]}`),
      graph,
    ).toBe(true)
})

test('the fourth of three takes the place of the one who came first, who begins anew', async () => {
  for (const person of people.slice(0, 3)) expect(await kept(person)).toContain(`canary of ${person}`)
  expect(await kept('dan')).not.toContain('canary')
  // What shows the tools, and three that work.
  await until('the end of the child whose place was taken', () => (childrenRunning() === 4 ? true : undefined))
  expect(await kept('carol')).toContain('canary of carol')
  expect(await kept('ada')).not.toContain('canary')
})
