/** Several routes of one model: each call goes by the one that is there for it, and a list of models has those that are. */
import { describe, expect, test } from 'vitest'
import { listModels } from '../../models/listing-models.ts'
import type { OfferedModels } from '../../models/offered-models.ts'
import { keys } from '../../invariants/floors.fixture.ts'
import { ask, dialects, forms, open } from './balanced-vendors.fixture.ts'

const routes = [
  { model: 'm', upstreams: ['a'], description: 'For everybody else' },
  { model: 'm', match: { groups: ['staff'], when: "headers['x-tier'] == 'gold'" }, upstreams: ['b'], description: 'The best there is' },
  { model: 'm', match: { dialects: ['messages'] }, upstreams: ['c'] },
  { model: 'secret', match: { groups: ['nobody'] }, upstreams: ['c'] },
] as const

const config = { routes: routes as never, groups: { staff: {}, nobody: {} } }

describe.each(forms)('in %s (streamed: %s)', (dialect, stream) => {
  test('a call goes by the route whose conditions fit', async () => {
    await using fleet = await open({}, config)
    expect((await ask(fleet, dialect, stream)).status).toBe(200)
    expect(fleet.asked()).toEqual(dialect === 'messages' ? { a: 0, b: 0, c: 1 } : { a: 1, b: 0, c: 0 })
    const { path, body } = dialects[dialect](stream, 'hello')
    const headers = { authorization: `Bearer ${keys.alice}`, 'content-type': 'application/json', 'x-tier': 'gold' }
    expect((await fetch(`${fleet.floors.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).status).toBe(200)
    expect(fleet.asked()).toMatchObject({ b: 1 })
  })
})

test('a model that is there for others only is answered like one that is not there', async () => {
  await using fleet = await open({}, config)
  const said = async (model: string) => {
    const headers = { authorization: `Bearer ${keys.alice}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }] })
    const answer = await fetch(`${fleet.floors.url}/v1/chat/completions`, { method: 'POST', headers, body })
    return [answer.status, (await answer.text()).replaceAll(model, 'NAME').replaceAll(/turn_\w+/g, '')]
  }
  expect(await said('secret')).toEqual(await said('absent'))
})

test('the list of models has what is there for who asks, with its description', async () => {
  await using fleet = await open({}, config)
  const { services } = fleet.floors
  const offered = { of: async () => [] } as unknown as OfferedModels
  const list = async (key: keyof typeof keys, tier: string) => {
    const presented = { headers: { authorization: `Bearer ${keys[key]}`, 'x-tier': tier } }
    const caller = await services.authenticator.authenticate(presented, services.snapshot(), 'models')
    const { data } = await listModels(offered, services.snapshot(), { caller, headers: presented.headers, dialect: 'chat-completions' })
    return data
  }
  expect(await list('alice', 'gold')).toMatchObject([{ id: 'm', description: 'The best there is' }])
  expect(await list('bob', 'gold')).toMatchObject([{ id: 'm', description: 'For everybody else' }])
})
