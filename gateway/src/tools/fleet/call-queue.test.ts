import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Cancellation } from '../../core/cancellation.ts'
import { TurnwardError } from '../../core/error.ts'
import { CallQueue } from './call-queue.ts'

const busy = (): TurnwardError => new TurnwardError('mcp.server_busy', { subject: 's' })

/** A queue whose jobs end when they are told to; what began, in order. */
function startQueue(width: number, room: number) {
  const queue = new CallQueue(width, room, busy)
  const began: string[] = []
  const ends = new Map<string, () => void>()
  const run = (owner: string, name: string, signal = new Cancellation()): Promise<string> => {
    const job = (): Promise<string> => {
      began.push(name)
      return new Promise((resolve) => ends.set(name, () => resolve(name)))
    }
    const result = queue.run(signal, job, owner)
    result.catch(() => {})
    return result
  }
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.()
    await new Promise(setImmediate)
  }
  return { queue, began, run, end }
}

test('whoever brings many takes turns with whoever brings one', async () => {
  const { began, run, end } = startQueue(1, 8)
  const many = ['a1', 'a2', 'a3', 'a4'].map((name) => run('a', name))
  const one = run('b', 'b1')
  await end('a1')
  await end('a2')
  expect(began).toEqual(['a1', 'a2', 'b1'])
  await end('b1')
  await end('a3')
  await end('a4')
  expect(await Promise.all([...many, one])).toEqual(['a1', 'a2', 'a3', 'a4', 'b1'])
})

test('who fills the line gives way to who comes later with less, and not to who has as much', async () => {
  const { began, run, end } = startQueue(1, 4)
  const [first, ...others] = ['a1', 'a2', 'a3', 'a4', 'a5'].map((name) => run('a', name))
  await expect(run('a', 'a6')).rejects.toMatchObject({ code: 'mcp.server_busy' })
  const later = [run('b', 'b1'), run('b', 'b2')]
  await expect(others.at(-1)).rejects.toMatchObject({ code: 'mcp.server_busy' })
  await expect(others.at(-2)).rejects.toMatchObject({ code: 'mcp.server_busy' })
  await expect(run('b', 'b3')).rejects.toMatchObject({ code: 'mcp.server_busy' })
  for (const name of ['a1', 'a2', 'b1', 'a3', 'b2']) await end(name)
  expect(began).toEqual(['a1', 'a2', 'b1', 'a3', 'b2'])
  expect(await Promise.all([first, ...others.slice(0, 2), ...later])).toEqual(['a1', 'a2', 'a3', 'b1', 'b2'])
})

test('never more run than may, never more wait, and every place comes back', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('run' as const), owner: fc.constantFrom('a', 'b', 'c') }),
    fc.record({ kind: fc.constant('end' as const), at: fc.nat(20) }),
    fc.record({ kind: fc.constant('abort' as const), at: fc.nat(20) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const queue = new CallQueue(2, 3, busy)
      const running: (() => void)[] = []
      const signals: Cancellation[] = []
      let waiting = 0
      for (const each of steps) {
        if (each.kind === 'run') {
          const signal = new Cancellation()
          signals.push(signal)
          waiting += 1
          const job = (): Promise<void> => {
            waiting -= 1
            return new Promise((resolve) => running.push(resolve))
          }
          queue.run(signal, job, each.owner).catch(() => (waiting -= 1))
        } else if (each.kind === 'end') running.splice(each.at % Math.max(1, running.length), 1)[0]?.()
        else signals[each.at % Math.max(1, signals.length)]?.cancel(new TurnwardError('request.cancelled'))
        await new Promise(setImmediate)
        expect(running.length).toBeLessThanOrEqual(2)
        expect(queue.running).toBe(running.length)
        expect(waiting).toBeLessThanOrEqual(3)
        if (waiting > 0) expect(running.length).toBe(2)
      }
    }),
  )
})
