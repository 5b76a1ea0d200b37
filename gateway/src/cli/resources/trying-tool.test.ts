import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import type { Ask } from '../../admin/api-route.ts'
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import { configOf, openFloors } from '../../invariants/floors.fixture.ts'
import type { Services } from '../../turns/services.ts'
import { knownTools } from './known-tools.ts'
import { tryTool } from './trying-tool.ts'

const begun = Promise.withResolvers<void>()
const floors = await openFloors({
  config: configOf(),
  tools: {
    office__list: {},
    office__slow: {
      run: (_args, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error))
          begun.resolve()
        }),
    },
  },
})

/** As Alice, who is signed in with a browser. */
const attempt = (tool: string, args: JsonObject, more: Partial<Services> = {}, response = new EventEmitter()) => {
  const services = { ...floors.services, ...more }
  const found = knownTools(services.snapshot(), services.fleet, [], []).find(({ name }) => name === tool)
  if (found === undefined) throw new Error('there is no such tool')
  const ask = { administrator: { id: 'alice', caller: undefined }, request: { headers: {} }, response } as unknown as Ask<
    unknown,
    unknown,
    unknown
  >
  return tryTool(services, ask, { tool: found, args, gateway: undefined })
}

test('who is signed in calls as themselves, in a conversation of its own', async () => {
  expect(await attempt('office__list', {})).toMatchObject({ outcome: 'ran', gateway: 'main', approval: null })
  await attempt('office__list', {})
  const records = floors.log.records.filter(({ type, kind }) => type === 'decision' && kind === 'tool_call')
  expect(records.map(({ principal, key }) => [principal, key])).toEqual(Array(2).fill(['alice', 'console']))
  expect(new Set(records.map(({ session }) => session)).size).toBe(2)
})

test('who is stopped tries nothing, and nobody does while what restricts calls is missing', async () => {
  const before = floors.ran.length
  const stops = { ...floors.services.stops, requireGoing: () => Promise.reject(new TurnwardError('stop.stopped')) }
  await expect(attempt('office__list', {}, { stops })).rejects.toMatchObject({ code: 'stop.stopped' })
  const now = floors.services.snapshot()
  const snapshot = () => ({ ...now, managed: { ...now.managed, holdsCalls: true } })
  await expect(attempt('office__list', {}, { snapshot })).rejects.toMatchObject({ code: 'config.managed_conflict' })
  expect(floors.ran.length).toBe(before)
})

test('a number that would arrive as another is not passed on', async () => {
  const before = floors.ran.length
  expect(await attempt('office__list', { deep: [{ id: 2 ** 60 }] })).toMatchObject({ outcome: 'refused', result: null })
  expect(floors.ran.length).toBe(before)
})

test('a call ends when whoever tries it is gone, and when they are shut out', async () => {
  const response = new EventEmitter()
  const tried = attempt('office__slow', {}, {}, response)
  tried.catch(() => {})
  await begun.promise
  response.emit('close')
  await expect(tried).rejects.toMatchObject({ code: 'request.cancelled' })
  expect(response.listenerCount('close')).toBe(0)
  expect(floors.services.live.names()).toEqual([])
})
