/** The thread that reads the log up for everybody who follows it, while somebody does. Only reads. */
import { parentPort, workerData } from 'node:worker_threads'
import { asTurnwardError } from '../../core/error.ts'
import { Followers } from './followers.ts'
import type { FromLiveThread, LiveThreadData, ToLiveThread } from './live-protocol.ts'
import { type LogSource, openSource } from './log-source.ts'

const { place } = workerData as LiveThreadData

let open: { readonly source: LogSource; readonly followers: Followers } | undefined
let timer: NodeJS.Timeout | undefined
let last = Promise.resolve()

function send(message: FromLiveThread): void {
  parentPort?.postMessage(message)
}

async function opened(): Promise<NonNullable<typeof open>> {
  if (open !== undefined) return open
  const source = await openSource(place)
  const followers = new Followers({ place, source, send: (listener, text) => send({ type: 'text', listener, text }) })
  open = { source, followers }
  return open
}

function refuse(thrown: unknown, listeners: readonly number[]): void {
  const { code, subject, why, fix, message } = asTurnwardError(thrown)
  send({ type: 'failed', listeners, error: { code, subject, why: why ?? message, fix } })
}

/** Resolves with whether there is something to be sent at once. */
async function take(message: ToLiveThread): Promise<boolean> {
  const { listener } = message
  if (message.type === 'ready') return open?.followers.ready(listener) === true
  if (message.type === 'leave') {
    open?.followers.leave(listener)
    if (open?.followers.listeners.length === 0) await close()
    return false
  }
  try {
    await (await opened()).followers.join(listener, message.followed)
  } catch (thrown) {
    // Whether it is true of the others as well, their next step says.
    refuse(thrown, [listener])
    if (open?.followers.listeners.length === 0) await close()
  }
  return false
}

async function close(): Promise<void> {
  const source = open?.source
  open = undefined
  await source?.close().catch(() => {})
}

async function step(): Promise<void> {
  timer = undefined
  if (open === undefined) return
  const { followers, source } = open
  try {
    stepIn((await followers.step()) ? 0 : source.pollMs)
  } catch (thrown) {
    // Everybody is told, and comes back when the log can be read again.
    refuse(thrown, followers.listeners)
    await close()
  }
}

function stepIn(afterMs: number): void {
  clearTimeout(timer)
  timer = setTimeout(() => {
    last = last.then(step)
  }, afterMs)
}

parentPort?.on('message', (message: ToLiveThread) => {
  last = last.then(async () => {
    const isMore = await take(message)
    if (isMore) stepIn(0)
    else if (open !== undefined && timer === undefined) stepIn(open.source.pollMs)
  })
})
