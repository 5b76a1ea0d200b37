import { expect, test } from 'vitest'
import { configOf, openFloors } from '../../invariants/floors.fixture.ts'
import type { ApiRoute } from '../api-route.ts'
import { connectRoutes } from './connect.ts'

test('somebody is told of the models and gateways that are granted to them, and of no others', async () => {
  await using floors = await openFloors({
    config: configOf({
      listen: { public_url: 'https://turnward.acme.example' },
      principals: { alice: { groups: ['staff'] }, bob: {} },
      groups: { staff: {} },
      upstreams: { u: { kind: 'scripted', steps: [{ text: 'hi' }] } },
      routes: ['small', 'large', 'claude-*'].map((model) => ({ model, upstreams: ['u'] })),
      servers: { s: { transport: 'http', url: 'http://127.0.0.1:9/mcp' } },
      gateways: { main: { servers: ['s'] }, payroll: { servers: ['s'] } },
      grants: [{ groups: ['staff'], models: ['small', 'claude-*'], gateways: ['main'] }],
    }),
  })
  const [route] = connectRoutes(floors.services)
  const seenBy = (id: string): Promise<unknown> =>
    route?.run({ administrator: { id } } as unknown as Parameters<ApiRoute['run']>[0]) ?? Promise.reject(new Error('no route'))
  const url = 'https://turnward.acme.example'
  expect(await seenBy('alice')).toEqual({ url, gateways: ['main'], models: ['small', 'claude-*'] })
  expect(await seenBy('bob')).toEqual({ url, gateways: [], models: [] })
})
