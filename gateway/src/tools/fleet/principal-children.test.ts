/** Which children there are for whom, with children that only remember whether they were closed. */
import { expect, test } from 'vitest'
import { PrincipalChildren, type PrincipalChild } from './principal-children.ts'

class Child implements PrincipalChild {
  running = 0
  isUsed = false
  usedAt: number
  /** What has ended of it resolves `close`. */
  readonly gone = Promise.withResolvers<void>()
  isClosed = false
  readonly run: (job: () => Promise<void>) => Promise<void>

  constructor(usedAt: number, run: (job: () => Promise<void>) => Promise<void>) {
    this.usedAt = usedAt
    this.run = run
  }

  close(): Promise<void> {
    this.isClosed = true
    return this.gone.promise
  }
}

function children(most: number, idleMs = 1000) {
  let now = 0
  const never = new AbortController().signal
  const pool = new PrincipalChildren<Child>({
    server: 's',
    most,
    idleMs,
    clock: { now: () => now, monotonic: () => now },
    make: (starts) => new Child(now, (job) => starts.run(never, job)),
  })
  return { pool, at: (moment: number) => (now = moment) }
}

test('each principal has a child of his own, and the same one every time', () => {
  const { pool } = children(2)
  const ada = pool.take('ada')
  expect(pool.take('bob')).not.toBe(ada)
  expect(pool.take('ada')).toBe(ada)
  expect(pool.of('ada')).toBe(ada)
  expect(pool.of('carol')).toBeUndefined()
})

test('who comes when there are enough gets the place of the one that was used longest ago and by nobody now', () => {
  const { pool, at } = children(3)
  const [ada, bob, carol] = ['ada', 'bob', 'carol'].map((name, index) => (at(index), pool.take(name)))
  if (ada === undefined || bob === undefined || carol === undefined) throw new Error('no children')
  ada.isUsed = true
  pool.take('dan')
  expect([ada, bob, carol].map(({ isClosed }) => isClosed)).toEqual([false, true, false])
  expect(pool.size).toBe(3)
  expect(pool.of('bob')).toBeUndefined()
})

test('when all of them work, the next one is told so and nothing is ended', () => {
  const { pool } = children(2)
  const working = ['ada', 'bob'].map((name) => pool.take(name))
  for (const child of working) child.isUsed = true
  expect(() => pool.take('carol')).toThrow(
    expect.objectContaining({ code: 'mcp.server_busy', why: expect.stringContaining('max_children') }),
  )
  expect(working.map(({ isClosed }) => isClosed)).toEqual([false, false])
  expect(pool.take('ada')).toBe(working[0])
})

test('what takes the place of another begins when the other is gone', async () => {
  const { pool } = children(1)
  const ada = pool.take('ada')
  const bob = pool.take('bob')
  let isStarted = false
  const started = bob.run(async () => void (isStarted = true))
  await new Promise(setImmediate)
  expect([ada.isClosed, isStarted]).toEqual([true, false])
  ada.gone.resolve()
  await started
  expect(isStarted).toBe(true)
})

test('a server has two of its children start at once, however many people come', async () => {
  const { pool } = children(10)
  const holding = Promise.withResolvers<void>()
  let starting = 0
  const starts = Array.from({ length: 10 }, (_, index) =>
    pool.take(`person-${index}`).run(async () => {
      starting += 1
      await holding.promise
    }),
  )
  await new Promise(setImmediate)
  expect(starting).toBe(2)
  holding.resolve()
  await Promise.all(starts)
  expect(starting).toBe(10)
})

test('a child that nobody used for long enough is ended; one that works is not', () => {
  const { pool, at } = children(5)
  const [ada, bob, carol] = ['ada', 'bob', 'carol'].map((name) => pool.take(name))
  if (ada === undefined || bob === undefined || carol === undefined) throw new Error('no children')
  bob.isUsed = true
  carol.usedAt = 500
  at(999)
  pool.sweep()
  expect([ada, bob, carol].map(({ isClosed }) => isClosed)).toEqual([false, false, false])
  at(1000)
  pool.sweep()
  expect([ada, bob, carol].map(({ isClosed }) => isClosed)).toEqual([true, false, false])
})

test('closing ends all of them and waits for the last', async () => {
  const { pool } = children(5)
  const all = ['ada', 'bob'].map((name) => pool.take(name))
  let isDone = false
  const closed = pool.close().then(() => (isDone = true))
  all[0]?.gone.resolve()
  await new Promise(setImmediate)
  expect([isDone, ...all.map(({ isClosed }) => isClosed)]).toEqual([false, true, true])
  all[1]?.gone.resolve()
  await closed
})
