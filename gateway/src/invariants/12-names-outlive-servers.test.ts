/** Invariant 12: what a name means, and so what a result adds to a label, does not depend on which servers are up. */
import { expect, test } from 'vitest'
import { configOf, keys, openFloors } from './floors.fixture.ts'

const two = configOf({
  keys: { 'alice-key': { principal: 'alice', secret: keys.alice }, 'bob-key': { principal: 'bob', secret: keys.bob } },
  grants: [
    { principals: ['alice'], models: ['*'], tools: ['*'], gateways: ['*'] },
    { principals: ['bob'], gateways: ['*'], tools: ['office__*'] },
  ],
  policy: { posture: 'observe' },
  servers: { office: { transport: 'http', url: 'http://127.0.0.1:9/mcp' }, other: { transport: 'http', url: 'http://127.0.0.1:9/mcp' } },
  gateways: { main: { servers: ['office', 'other'], names: 'original' } },
})
const tools = { office__other__echo: {}, office__read: {}, other__echo: {} }

test('a name of a server that is down runs nowhere else, is answered with why, and is told to nobody without a grant', async () => {
  await using floors = await openFloors({ config: two, tools, down: ['other'] })
  const [alice, bob] = [await floors.context(keys.alice, 'one'), await floors.context(keys.bob, 'two')]
  for (const name of ['other__echo', 'echo', 'other__never_listed']) {
    await expect(floors.call(alice, name), name).rejects.toMatchObject({
      code: 'mcp.server_unavailable',
      subject: 'other',
      why: 'it is down',
    })
    await expect(floors.call(bob, name), name).rejects.toMatchObject({ code: 'grant.tool' })
  }
  expect(floors.ran).toEqual([])
  expect(
    floors.log.records.filter(({ errorCode }) => errorCode === 'mcp.server_unavailable').map(({ subject, reason }) => [subject, reason]),
  ).toContainEqual(['other__echo', 'Its server cannot be called now.'])
})

test('a list is incomplete while a server is down, and whoever watches hears when it is whole', async () => {
  await using floors = await openFloors({ config: two, tools, down: ['other'] })
  const context = await floors.context(keys.alice, 'one')
  let changes = 0
  await floors.operations.watch(context, { changed: () => (changes += 1), uris: [], updated() {} })
  const before = await floors.operations.listTools(context)
  expect([before.complete, before.tools.map(({ name }) => name)]).toEqual([false, ['office__other__echo', 'read']])
  floors.takeDown()
  const after = await floors.operations.listTools(context)
  expect([changes, after.complete, after.tools.length]).toEqual([1, true, 3])
  await floors.call(context, 'other__echo')
  expect(floors.ran.map(({ tool }) => tool)).toEqual(['other__echo'])
})

test('the tools that are known are the same before, while and after a server is down', async () => {
  await using floors = await openFloors({ config: two, tools })
  const { fleet, snapshot } = floors.services
  const known = fleet.known(snapshot())
  floors.takeDown('other', 'office')
  expect(fleet.known(snapshot())).toBe(known)
  expect(known.map(({ name }) => name)).toEqual(['office__other__echo', 'office__read', 'other__echo'])
})

test('the arguments of a test tool are checked as those of a real one', async () => {
  const schema = { type: 'object', properties: { n: { type: 'integer', default: 1 } } }
  await using floors = await openFloors({
    config: configOf({ policy: { posture: 'observe' } }),
    tools: { office__read: { inputSchema: schema, hints: { readOnlyHint: true } } },
  })
  const context = await floors.context(keys.alice, 'one')
  expect(await floors.call(context, 'office__read', { n: 'many' })).toMatchObject({ isError: true })
  expect(floors.ran).toEqual([])
  const [tool] = floors.services.fleet.known(context.snapshot)
  expect([tool?.hints.readOnlyHint, tool?.settled({}), tool?.digest.length]).toEqual([true, { n: 1 }, 64])
})
