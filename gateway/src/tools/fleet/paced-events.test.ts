import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ReadingPace } from '../pace.ts'
import { pacedEvents } from './paced-events.ts'

const clock = { now: () => Date.now(), monotonic: () => Date.now() }
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function listen() {
  const told: string[] = []
  const events = pacedEvents({ onListChanged: () => told.push('lists'), onResourceUpdated: (uri) => told.push(uri) }, clock)
  return { told, events }
}

test('a few changes are told at once', () => {
  const { told, events } = listen()
  events.onListChanged()
  events.onResourceUpdated?.('a:1')
  events.onListChanged()
  expect(told).toEqual(['lists', 'a:1', 'lists'])
})

test('a storm of changed lists is told a few times, and once more when it is over', () => {
  const { told, events } = listen()
  for (let time = 0; time < 10_000; time += 1) events.onListChanged()
  expect(told).toHaveLength(5)
  vi.advanceTimersByTime(60_000)
  expect(told).toHaveLength(6)
})

test('of changed resources each is told that changed, at most so often, and last after its last change', () => {
  const { told, events } = listen()
  for (let time = 0; time < 30; time += 1) events.onResourceUpdated?.('a:0')
  told.length = 0
  for (let time = 0; time < 1000; time += 1) for (const uri of ['a:1', 'a:2']) events.onResourceUpdated?.(uri)
  expect(told).toEqual([])
  vi.advanceTimersByTime(60_000)
  expect(told.toSorted()).toEqual(['a:0', 'a:1', 'a:2'])
})

test('a server that invents resources is forgotten beyond a bound', () => {
  const { told, events } = listen()
  for (let time = 0; time < 100_000; time += 1) events.onResourceUpdated?.(`a:${time}`)
  vi.advanceTimersByTime(60_000)
  expect(told.length).toBeLessThanOrEqual(1020)
})

test('who sends too much that answers nothing is read in rests, as many as it takes', () => {
  const pace = new ReadingPace(clock)
  for (let time = 0; time < 20_000; time += 1) pace.note()
  expect(pace.takeRest()).toBeUndefined()
  pace.note()
  expect(pace.takeRest()).toBe(20)
  expect(pace.takeRest()).toBeUndefined()
  vi.advanceTimersByTime(1000)
  for (let time = 0; time < 10_000; time += 1) pace.note()
  expect(pace.takeRest()).toBeUndefined()
})
