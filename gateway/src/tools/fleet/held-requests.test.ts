/** Requests to legacy servers that wait for what was asked: found by their owner only, bounded, and ended when nobody comes back. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { CancelSignal } from '../../core/cancellation.ts'
import type { AskAnswer } from '../asks.ts'
import { noPeers } from '../../cluster/peers.ts'
import { HeldElsewhere } from './held-elsewhere.ts'
import { HeldRequests, type HeldRun } from './held-requests.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const never = new AbortController().signal
const ask = { method: 'elicitation/create', params: { message: 'Who?' } }
const answers = (name: string): ReadonlyMap<string, AskAnswer> => new Map([['ask-1', { result: { name } }]])

/** Asks once and answers with what it was told. */
const once: HeldRun = async (_signal, onAsk) => {
  const answer = await onAsk(ask)
  return 'result' in answer ? { told: answer.result } : { refused: true }
}

async function started(held: HeldRequests, owner: string, run: HeldRun = once): Promise<string> {
  const asked = held.start(owner, run, never)
  await vi.advanceTimersByTimeAsync(20)
  return String((await asked).requestState)
}

test('is gone on with by its owner, once', async () => {
  const held = new HeldRequests('s', new HeldElsewhere(noPeers))
  const handle = await started(held, 'ada')
  await expect(held.resume('bob', handle, answers('Bob'), never)).rejects.toMatchObject({ code: 'request.invalid' })
  expect(await held.resume('ada', handle, answers('Ada'), never)).toEqual({ told: { name: 'Ada' } })
  await expect(held.resume('ada', handle, answers('Ada'), never)).rejects.toMatchObject({ code: 'request.invalid' })
})

test('is cancelled when nobody comes back, when it is given up, and when there are too many of one owner', async () => {
  const held = new HeldRequests('s', new HeldElsewhere(noPeers))
  const ended: string[] = []
  const waits =
    (name: string): HeldRun =>
    (signal: CancelSignal, onAsk) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          ended.push(name)
          reject(signal.reason as Error)
        })
        onAsk(ask).catch(() => {})
      })
  const handle = await started(held, 'ada', waits('given up'))
  held.abandon('bob', handle)
  expect(ended).toEqual([])
  held.abandon('ada', handle)
  await started(held, 'ada', waits('the oldest'))
  for (let at = 0; at < 15; at += 1) await started(held, 'ada', waits(`number ${at}`))
  await started(held, 'bob', waits('of Bob'))
  expect(ended).toEqual(['given up'])
  await started(held, 'ada', waits('one more'))
  expect(ended).toEqual(['given up', 'the oldest'])
  await vi.advanceTimersByTimeAsync(11 * 60_000)
  expect(ended).toHaveLength(19)
})

test('asks no more at once than can be answered', async () => {
  const held = new HeldRequests('s', new HeldElsewhere(noPeers))
  const refused: AskAnswer[] = []
  const floods: HeldRun = async (_signal, onAsk) => {
    for (let at = 0; at < 100; at += 1)
      onAsk(ask).then(
        (answer) => 'error' in answer && refused.push(answer),
        () => {},
      )
    return new Promise(() => {})
  }
  const asked = held.start('ada', floods, never)
  await vi.advanceTimersByTimeAsync(20)
  expect(Object.keys((await asked).inputRequests as object)).toHaveLength(32)
  expect(refused).toHaveLength(68)
})
