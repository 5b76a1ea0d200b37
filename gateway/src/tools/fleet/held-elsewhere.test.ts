/** Requests that wait at one process, and are answered at another. */
import { afterEach, expect, test, vi } from 'vitest'
import type { PeerListener, Peers } from '../../cluster/peers.ts'
import { Cancellation } from '../../core/cancellation.ts'
import { TurnwardError } from '../../core/error.ts'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import type { AskAnswer } from '../asks.ts'
import { HeldElsewhere } from './held-elsewhere.ts'
import { HeldRequests, type HeldRun } from './held-requests.ts'

afterEach(() => {
  vi.useRealTimers()
})

/** So many processes that tell each other everything, as text, but what is `lost`. */
function processes(
  count: number,
  isLost: (message: JsonObject) => boolean = () => false,
): { readonly elsewhere: HeldElsewhere; readonly held: HeldRequests }[] {
  const listeners = Array.from({ length: count }, () => new Map<string, PeerListener>())
  return listeners.map((own) => {
    const peers: Peers = {
      send() {},
      broadcast(kind, message) {
        if (isLost(message as JsonObject)) return
        for (const other of listeners)
          if (other !== own) queueMicrotask(() => other.get(kind)?.(JSON.parse(JSON.stringify(message)) as JsonValue, 'p'))
      },
      handle: (kind, listener) => void own.set(kind, listener),
    }
    const elsewhere = new HeldElsewhere(peers)
    return { elsewhere, held: new HeldRequests('s', elsewhere) }
  })
}

const never = new Cancellation()
const answers = new Map<string, AskAnswer>([['ask-1', { result: { action: 'accept', content: { name: 'Ada' } } }]])
const asking: HeldRun = async (_signal, onAsk) =>
  ({ said: await onAsk({ method: 'elicitation/create', params: { message: 'Name?' } }) }) as unknown as JsonObject

async function handleOf(held: HeldRequests, run: HeldRun = asking): Promise<string> {
  return String((await held.start('ada', run, never)).requestState)
}

test('the request goes on where it waits, and its result is brought back', async () => {
  const [first, second] = processes(3)
  if (first === undefined || second === undefined) throw new Error('two processes are needed')
  const handle = await handleOf(first.held)
  expect(await second.held.resumeElsewhere('ada', handle, answers, never)).toEqual({ said: answers.get('ask-1') })
})

test('what asks again waits again where it waited', async () => {
  const [first, second] = processes(2)
  if (first === undefined || second === undefined) throw new Error('two processes are needed')
  const handle = await handleOf(first.held, async (_signal, onAsk) => {
    await onAsk({ method: 'elicitation/create', params: {} })
    return { said: await onAsk({ method: 'roots/list', params: {} }) } as unknown as JsonObject
  })
  const again = await second.held.resumeElsewhere('ada', handle, answers, never)
  expect(again).toMatchObject({ resultType: 'input_required', inputRequests: { 'ask-2': { method: 'roots/list' } } })
  expect(first.held.has(String(again.requestState))).toBe(true)
})

test('it is of nobody else, and goes on once', async () => {
  const [first, second] = processes(2)
  if (first === undefined || second === undefined) throw new Error('two processes are needed')
  const handle = await handleOf(first.held)
  await expect(second.held.resumeElsewhere('bob', handle, answers, never)).rejects.toMatchObject({ code: 'request.invalid' })
  expect(first.held.has(handle)).toBe(true)
  await second.held.resumeElsewhere('ada', handle, answers, never)
  expect(first.held.has(handle)).toBe(false)
})

test('how it fails there is how it fails here', async () => {
  const [first, second] = processes(2)
  if (first === undefined || second === undefined) throw new Error('two processes are needed')
  const handle = await handleOf(first.held, async (_signal, onAsk) => {
    await onAsk({ method: 'elicitation/create', params: {} })
    throw new TurnwardError('mcp.missing_capability', { subject: 's', why: 'because', details: { requiredCapabilities: { roots: {} } } })
  })
  await expect(second.held.resumeElsewhere('ada', handle, answers, never)).rejects.toMatchObject({
    code: 'mcp.missing_capability',
    why: 'because',
    details: { requiredCapabilities: { roots: {} } },
  })
})

test('a result that is too large for the way is told as such', async () => {
  const [first, second] = processes(2)
  if (first === undefined || second === undefined) throw new Error('two processes are needed')
  const handle = await handleOf(first.held, async (_signal, onAsk) => {
    await onAsk({ method: 'elicitation/create', params: {} })
    return { text: 'x'.repeat(1_000_001) }
  })
  await expect(second.held.resumeElsewhere('ada', handle, answers, never)).rejects.toMatchObject({
    code: 'mcp.server_unavailable',
    subject: 's',
  })
})

test('a client that leaves ends it there too', async () => {
  const [first, second] = processes(2)
  if (first === undefined || second === undefined) throw new Error('two processes are needed')
  const ended = Promise.withResolvers<unknown>()
  const working = Promise.withResolvers<void>()
  const handle = await handleOf(first.held, async (signal, onAsk) => {
    await onAsk({ method: 'elicitation/create', params: {} })
    working.resolve()
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    ended.resolve(signal.reason)
    throw signal.reason
  })
  const leaving = new Cancellation()
  const resumed = second.held.resumeElsewhere('ada', handle, answers, leaving)
  await working.promise
  leaving.cancel(new TurnwardError('request.cancelled'))
  await expect(resumed).rejects.toMatchObject({ code: 'request.cancelled' })
  expect(await ended.promise).toMatchObject({ code: 'request.cancelled' })
})

test('what is given up anywhere is given up where it waits, by its owner', async () => {
  const [first, second] = processes(2)
  if (first === undefined || second === undefined) throw new Error('two processes are needed')
  const stopped = Promise.withResolvers<void>()
  const handle = await handleOf(first.held, async (signal, onAsk) => {
    signal.addEventListener('abort', () => stopped.resolve(), { once: true })
    return (await onAsk({ method: 'elicitation/create', params: {} })) as unknown as JsonObject
  })
  second.held.abandon('bob', handle)
  second.held.abandon('ada', handle)
  await stopped.promise
  expect(first.held.has(handle)).toBe(false)
})

test.each([
  ['the question', ['resume']],
  ['that it was heard, and the end', ['taken', 'ended']],
  ['the end, after it was heard', ['ended']],
])('is asked again when %s is lost, and runs once', async (_name, lost) => {
  vi.useFakeTimers()
  const left = new Set(lost)
  const [first, second] = processes(2, ({ verb }) => left.delete(String(verb)))
  if (first === undefined || second === undefined) throw new Error('two processes are needed')
  let runs = 0
  const started = first.held.start(
    'ada',
    async (_signal, onAsk) => {
      await onAsk({ method: 'elicitation/create', params: {} })
      return { runs: (runs += 1) }
    },
    never,
  )
  await vi.advanceTimersByTimeAsync(100)
  const resumed = second.held.resumeElsewhere('ada', String((await started).requestState), answers, never)
  await vi.advanceTimersByTimeAsync(3000)
  expect(await resumed).toEqual({ runs: 1 })
  expect(left.size).toBe(0)
})

test('work that takes long is waited for, and whoever is gone while it works is not', async () => {
  vi.useFakeTimers()
  let isGone = false
  const [first, second] = processes(2, ({ verb }) => isGone && verb !== 'resume')
  if (first === undefined || second === undefined) throw new Error('two processes are needed')
  const started = first.held.start(
    'ada',
    async (_signal, onAsk) => {
      await onAsk({ method: 'elicitation/create', params: {} })
      return new Promise(() => {})
    },
    never,
  )
  await vi.advanceTimersByTimeAsync(100)
  let isSettled = false
  const resumed = second.held.resumeElsewhere('ada', String((await started).requestState), answers, never).finally(() => (isSettled = true))
  const refused = expect(resumed).rejects.toMatchObject({ code: 'request.invalid' })
  await vi.advanceTimersByTimeAsync(60_000)
  expect(isSettled).toBe(false)
  isGone = true
  await vi.advanceTimersByTimeAsync(8000)
  await refused
})

test('what waits nowhere is told in time', async () => {
  vi.useFakeTimers()
  const [first] = processes(2)
  const resumed = first?.held.resumeElsewhere('ada', 'no such handle', answers, never)
  const refused = expect(resumed).rejects.toMatchObject({ code: 'request.invalid' })
  await vi.advanceTimersByTimeAsync(7000)
  await refused
})
