/** Records are followed at any replica, whichever has written them, and gone on from at another when one stops or is killed. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunningGateway } from '../harness/gateway-process.ts'
import { followFeed } from '../harness/live-feed.ts'
import { hasServices, makePlaces, startReplicas, type Replicas } from '../harness/replicas.ts'
import { until } from '../harness/until.ts'

const viewer = { authorization: 'Bearer tw_live_viewer_000000000000000001' }
const ada = { authorization: 'Bearer tw_live_ada_0000000000000000000001', 'content-type': 'application/json' }
const names = ['a', 'b', 'c'] as const

describe.skipIf(!hasServices)('over three replicas', () => {
  let replicas: Replicas
  let gateways: readonly RunningGateway[]
  beforeAll(async () => {
    const config = {
      principals: { ada: {}, vic: {} },
      keys: {
        ada: { principal: 'ada', secret: ada.authorization.slice(7) },
        vic: { principal: 'vic', secret: viewer.authorization.slice(7), scopes: ['admin'] },
      },
      identity: { roles: { viewer: { people: ['vic'] } } },
      upstreams: { model: { kind: 'scripted', steps: [{ text: 'Hello.' }] } },
      routes: [{ model: 'gpt-test', upstreams: ['model'] }],
      grants: [{ principals: ['ada'], models: ['gpt-test'] }],
    }
    replicas = await startReplicas([...names], { config, places: await makePlaces() })
    gateways = replicas.gateways
  })
  afterAll(() => replicas?.[Symbol.asyncDispose]())

  const at = (index: number): RunningGateway => gateways[index] as RunningGateway
  const follow = (index: number, query = '', id?: string) =>
    followFeed(`${at(index).url}/api/live${query}`, { ...viewer, ...(id === undefined ? {} : { 'last-event-id': id }) })
  /** Makes a call there; its turn. */
  const call = async (index: number): Promise<string> => {
    const body = JSON.stringify({ model: 'gpt-test', messages: [{ role: 'user', content: `Hello from ${index}, ${Math.random()}` }] })
    const answer = await fetch(`${at(index).url}/v1/chat/completions`, { method: 'POST', headers: ada, body })
    expect(answer.status).toBe(200)
    await answer.text()
    return answer.headers.get('x-turnward-turn') ?? ''
  }
  const ended = ({ records }: { records: readonly { type: string; turn: string | null }[] }) =>
    records.filter(({ type }) => type === 'outcome').map(({ turn }) => turn)

  test('nothing is lost and nothing comes twice, whoever writes, stops or dies', async () => {
    const first = await follow(0, '?kind=model_call')
    const calls = [await call(0), await call(1), await call(2)]
    await until('all to come', async () => (ended(first).length === 3 ? true : undefined))
    expect(ended(first).sort()).toEqual([...calls].sort())
    // The one that is followed at stops in order.
    await at(0).stop()
    await until('the stream to end', async () => (first.isOver ? true : undefined))
    expect(first.end).toBe('gateway.draining')
    const missed = [await call(1), await call(2)]
    const second = await follow(1, '?kind=model_call', first.id)
    await until('what was missed', async () => (ended(second).length === 2 ? true : undefined))
    const more = [await call(1)]
    await until('what comes', async () => (ended(second).length === 3 ? true : undefined))
    // And this one is killed.
    at(1).signal('SIGKILL')
    await at(1).exited
    await until('the stream to break', async () => (second.isOver ? true : undefined))
    expect(second.end).toBeUndefined()
    more.push(await call(2))
    const third = await follow(2, '?kind=model_call', second.id)
    await until('the rest', async () => (ended(third).length === 1 ? true : undefined))
    expect([...ended(second), ...ended(third)].sort()).toEqual([...missed, ...more].sort())
    const all = [first, second, third].flatMap(({ records }) => records.map(({ id, type }) => `${id} ${type}`))
    expect(new Set(all).size).toBe(all.length)
    expect([first, second, third].flatMap(({ gaps }) => gaps)).toEqual([])
    third.leave()
  })
})
