/** What two processes may rely on that say something to each other. */
import { afterEach, expect, test } from 'vitest'
import { TurnwardError } from '../../core/error.ts'
import { linked, type LinkedPair } from './link.fixture.ts'
import type { LinkHandler } from './link.ts'

let pair: LinkedPair | undefined
afterEach(() => {
  pair?.worker.close()
  pair?.owner.close()
  pair = undefined
})

async function between(
  owner: Readonly<Record<string, LinkHandler>>,
  worker: Readonly<Record<string, LinkHandler>> = {},
): Promise<LinkedPair> {
  pair = await linked(owner, worker)
  return pair
}

test('each question gets its own answer, in whatever order they are ready', async () => {
  const held = new Map<string, () => void>()
  const { worker } = await between({
    hold: (head, texts) => new Promise((resolve) => held.set(String(head), () => resolve({ head: { was: head }, texts: [...texts, 'x'] }))),
    now: (head) => ({ head }),
  })
  const first = worker.ask('hold', { head: 'a', texts: ['é'] })
  const second = worker.ask('hold', { head: 'b' })
  expect(await worker.ask('now', { head: 3 })).toEqual({ head: 3, texts: [] })
  held.get('b')?.()
  expect(await second).toEqual({ head: { was: 'b' }, texts: ['x'] })
  held.get('a')?.()
  expect(await first).toEqual({ head: { was: 'a' }, texts: ['é', 'x'] })
})

test('what is said is taken in the order in which it was said, questions and messages alike, in both directions', async () => {
  const taken: unknown[] = []
  const take: LinkHandler = (head) => ({ head: taken.push(head) })
  const { worker, owner } = await between({ take }, { take })
  worker.tell('take', { head: 'one' })
  const asked = worker.ask('take', { head: 'two' })
  worker.tell('take', { head: 'three' })
  expect(await asked).toMatchObject({ head: 2 })
  await owner.ask('take', { head: 'four' })
  expect(taken).toEqual(['one', 'two', 'three', 'four'])
})

test('what is refused at one end is refused at the other with all that was said of it, at once or later', async () => {
  const refusal = new TurnwardError('store.failed', { subject: 'disk', why: 'it is full', fix: 'Make room.', retryAfterSeconds: 2 })
  const { worker } = await between({
    thrown: () => {
      throw refusal
    },
    rejected: async () => {
      throw refusal
    },
    odd: () => {
      throw new TypeError('a bug')
    },
  })
  const told = { code: 'store.failed', subject: 'disk', why: 'it is full', fix: 'Make room.', retryAfterSeconds: 2 }
  await expect(worker.ask('thrown', { head: null })).rejects.toMatchObject(told)
  await expect(worker.ask('rejected', { head: null })).rejects.toMatchObject(told)
  await expect(worker.ask('odd', { head: null })).rejects.toMatchObject({ code: 'gateway.internal' })
  await expect(worker.ask('of a later version', { head: null })).rejects.toMatchObject({ code: 'gateway.internal' })
})

test('who does not answer in time counts as gone, and an answer that comes later goes nowhere', async () => {
  const late = Promise.withResolvers<{ head: unknown }>()
  const { worker } = await between({ slow: () => late.promise, now: (head) => ({ head }) })
  await expect(worker.ask('slow', { head: null }, 1)).rejects.toMatchObject({ code: 'cluster.gone' })
  late.resolve({ head: 'late' })
  expect(await worker.ask('now', { head: 1 })).toMatchObject({ head: 1 })
})

test('when one end is gone everybody who waits at the other is told, and so is who asks afterwards', async () => {
  const came = Promise.withResolvers<void>()
  const { worker, ends, socket } = await between({
    never: () => {
      came.resolve()
      return new Promise(() => {})
    },
  })
  const waiting = Array.from({ length: 3 }, () => worker.ask('never', { head: null }))
  const refused = Promise.all(waiting.map((one) => expect(one).rejects.toMatchObject({ code: 'cluster.gone' })))
  await came.promise
  pair?.owner.close()
  await refused
  expect(worker.hasEnded).toBe(true)
  await expect(worker.ask('never', { head: null })).rejects.toMatchObject({ code: 'cluster.gone' })
  worker.tell('never', { head: null })
  await expect.poll(() => ends).toEqual({ worker: 1, owner: 1 })
  expect(socket.destroyed).toBe(true)
})

test('what was said before it was closed arrives', async () => {
  const taken: unknown[] = []
  const { worker, ends } = await between({ take: (head) => ({ head: taken.push(head) }) })
  worker.tell('take', { head: 'last' })
  worker.close()
  await expect.poll(() => ends.owner).toBe(1)
  expect(taken).toEqual(['last'])
})
