import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Snapshot } from '../../config/snapshot.ts'
import { snapshotOf } from '../running-parts.fixture.ts'
import { RetiredServers } from './retired-servers.ts'
import type { ServerSlot } from './server-slot.ts'

const snapshot = (url: string): Snapshot => snapshotOf({ servers: { s: { transport: 'http', url } } })
const before = snapshot('http://127.0.0.1:1/')

interface Slot {
  running: number
}

let ended: unknown[]
let retired: RetiredServers
let slot: Slot & ServerSlot
beforeEach(() => {
  vi.useFakeTimers()
  ended = []
  retired = new RetiredServers((each) => ended.push(each))
  slot = { server: before.servers.get('s'), running: 0 } as Slot & ServerSlot
})
afterEach(() => vi.useRealTimers())

describe('a server whose configuration was dropped', () => {
  test('ends at once when nothing needs it', () => {
    retired.hold(snapshot('http://127.0.0.1:2/'))
    retired.add(slot)
    expect(ended).toEqual([slot])
  })

  test('runs on until the last request on its snapshot has ended, however often each says so', () => {
    const [one, other] = [retired.hold(before), retired.hold(before)]
    retired.add(slot)
    one()
    one()
    expect(ended).toEqual([])
    other()
    expect(ended).toEqual([slot])
  })

  test('runs on until its calls have ended', () => {
    slot.running = 1
    retired.add(slot)
    retired.idle(slot)
    expect(ended).toEqual([])
    slot.running = 0
    retired.idle(slot)
    expect(ended).toEqual([slot])
  })

  test('is not kept by a request that does not end, only by its calls', () => {
    retired.hold(before)
    slot.running = 1
    retired.add(slot)
    vi.advanceTimersByTime(30_000)
    expect(ended).toEqual([])
    slot.running = 0
    retired.idle(slot)
    expect(ended).toEqual([slot])
  })

  test('stays when the configuration has it again', () => {
    const release = retired.hold(before)
    retired.add(slot)
    retired.takeBack(slot)
    release()
    vi.advanceTimersByTime(30_000)
    expect(ended).toEqual([])
  })
})
