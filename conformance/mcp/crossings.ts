/** What must hold of many clients at the same servers, wherever they come in: nobody gets anything of anybody else's. */
import { expect } from 'vitest'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { until } from '../harness/until.ts'
import { CrossingClient, people, type Person } from './crossing-clients.ts'
import { startCrossing } from './crossing-server.ts'
import { fixtureServer, serversReady, type HttpUpstream } from './upstream-servers.ts'

export interface Crossings extends AsyncDisposable {
  readonly gateway: RunningGateway
  readonly clients: readonly CrossingClient[]
}

/** A gateway before a shared child, a modern server and a hostile one, with a principal for each client. */
export async function startCrossings(count: number, more: Json = {}): Promise<Crossings> {
  const all = people(count)
  const upstreams: readonly HttpUpstream[] = [await startCrossing(false), await startCrossing(true)]
  const [modern, hostile] = upstreams
  const shared = { max_concurrent: 1024 }
  const named = <T>(value: (person: Person) => T): Record<string, T> =>
    Object.fromEntries(all.map((person) => [`p${person.number}`, value(person)]))
  const gateway = await startGateway({
    config: {
      principals: named(() => ({})),
      keys: named(({ number, key }) => ({ principal: `p${number}`, secret: key })),
      grants: all.map(({ number }) => ({
        principals: [`p${number}`],
        gateways: ['*'],
        tools: ['old__*', 'new__*', 'hostile__*', `resource:old/own://${number}`],
      })),
      servers: {
        old: { transport: 'stdio', command: ['node', fixtureServer('crossing.mjs'), String(count)], ...shared },
        new: { transport: 'http', url: modern?.url, ...shared },
        hostile: { transport: 'http', url: hostile?.url, ...shared },
      },
      gateways: { main: { servers: ['old', 'new', 'hostile'] } },
      contracts: { '*': { output: { trust: 'trusted' } } },
      ...more,
    },
  })
  await serversReady(gateway.url)
  const clients = await Promise.all(all.map((person) => new CrossingClient(gateway.url, person).open()))
  return {
    gateway,
    clients,
    async [Symbol.asyncDispose]() {
      await gateway.stop()
      for (const upstream of upstreams) await upstream[Symbol.asyncDispose]()
    },
  }
}

const textOf = (answer: Json): unknown => ((answer['result'] as Json | undefined)?.['content'] as Json[] | undefined)?.[0]?.['text']

/** Everybody calls every server at once, with the same id and the same token. */
export async function expectOwnResults({ clients }: Crossings): Promise<void> {
  const words = clients.map(({ person }) => person.word)
  const calls = clients.flatMap((client) => ['old__work', 'new__work', 'hostile__work'].map((name) => ({ client, name })))
  const heard = await Promise.all(calls.map(async ({ client, name }) => ({ client, name, ...(await client.call(name)) })))
  let toldProgress = 0
  for (const { client, name, answer, text, progress } of heard) {
    const { word } = client.person
    expect([name, answer['id'], textOf(answer)], JSON.stringify(answer)).toEqual([name, 7, word])
    expect(text).not.toContain('crossed')
    expect(words.filter((one) => one !== word && text.includes(one))).toEqual([])
    for (const each of progress) expect(each).toMatchObject({ progressToken: 'p', message: word })
    toldProgress += progress.length
  }
  expect(toldProgress).toBeGreaterThan(clients.length)
}

/** Everybody has a call that hangs, all of the same id; some cancel theirs, and nobody else's ends. */
export async function expectOwnCancellations({ clients }: Crossings): Promise<void> {
  const report = async (): Promise<{ hanging: number; cancelled: string[] }> => {
    const said = await clients[0]?.call('old__report', {}, 8)
    return JSON.parse(String(textOf(said?.answer ?? {}))) as { hanging: number; cancelled: string[] }
  }
  const cancels = clients.map((client) => ({ client, cancel: client.hang() }))
  await until('every call to hang', async () => ((await report()).hanging === clients.length ? true : undefined))
  const [some, others] = [cancels.filter((_, at) => at % 4 < 2), cancels.filter((_, at) => at % 4 >= 2)]
  await Promise.all(some.map(({ cancel }) => cancel()))
  await until('their end', async () => ((await report()).cancelled.length >= some.length ? true : undefined))
  const { hanging, cancelled } = await report()
  expect([hanging, cancelled.toSorted()]).toEqual([others.length, some.map(({ client }) => client.person.word).toSorted()])
  await Promise.all(others.map(({ cancel }) => cancel()))
  await until('the end of the others', async () => ((await report()).hanging === 0 ? true : undefined))
}

/** Everybody watches what is his own, and asks for his neighbour's as well. */
export async function expectOwnSubscriptions({ clients }: Crossings): Promise<void> {
  const closing = new AbortController()
  const watching = await Promise.all(
    clients.map(async (client) => {
      const { number } = client.person
      const other = (number + 1) % clients.length
      return { number, other, client, ...(await client.watch([`own://${number}`, `own://${other}`], closing.signal)) }
    }),
  )
  for (const { client, other, refused } of watching) if (client.person.era === 'legacy') expect(refused).toEqual([`own://${other}`])
  const hears = (text: string, number: number): boolean => new RegExp(`"uri":"own://${number}"`).test(text.replaceAll('\\/', '/'))
  await until('everybody to be told', async () => {
    await clients[0]?.call('old__touched', {}, 8)
    return watching.every(({ heard, number }) => hears(heard().replaceAll(/^.*acknowledged.*$/gm, ''), number)) ? true : undefined
  })
  for (const { heard, number } of watching) {
    const own = [...heard().matchAll(/own:\/\/(\d+)/g)].map((match) => Number(match[1]))
    expect(new Set(own)).toEqual(new Set([number]))
    expect(heard()).not.toContain('crossed')
  }
  closing.abort()
}

/** Everybody of the modern era has a task; nobody reads another's. */
export async function expectOwnTasks({ clients }: Crossings): Promise<void> {
  const modern = clients.filter(({ person }) => person.era === 'modern')
  for (const server of ['new', 'hostile']) {
    const tasks = await Promise.all(
      modern.map(async (client) => {
        const { answer } = await client.call(`${server}__later`)
        return { client, taskId: String((answer['result'] as Json)['taskId']) }
      }),
    )
    expect(new Set(tasks.map(({ taskId }) => taskId)).size).toBe(tasks.length)
    await Promise.all(
      tasks.map(async ({ client, taskId }, at) => {
        const { answer, text } = await client.ask('tasks/get', { taskId })
        expect(textOf({ result: (answer['result'] as Json)['result'] } as Json), text).toBe(client.person.word)
        const refused = await tasks[(at + 1) % tasks.length]?.client.ask('tasks/get', { taskId })
        expect(refused?.answer['error']).toBeDefined()
        expect(refused?.text).not.toContain(client.person.word)
      }),
    )
  }
}
