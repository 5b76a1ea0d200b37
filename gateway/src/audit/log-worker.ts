/**
 * The thread that writes the decision log, so that waiting for the disk never stops the event loop.
 * Answers every commit with what became of it; never reports a record as written before the disk has it.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { TurnwardError } from '../core/error.ts'
import { rowsOf } from './batch-text.ts'
import type { LogKeeper } from './log-keeper.ts'
import { LogStorage } from './log-storage.ts'
import type { FromLogThread, LogThreadData, ToLogThread } from './log-protocol.ts'

const { place, resume, checkpointRecords, checkpointMs } = workerData as LogThreadData

function send(message: FromLogThread): void {
  parentPort?.postMessage(message)
}

function whyOf(error: unknown): string {
  if (error instanceof TurnwardError) return `${error.subject === undefined ? '' : `${error.subject}: `}${error.why ?? error.message}`
  return error instanceof Error ? error.message : String(error)
}

/** Why it failed, or undefined. */
async function attempt(work: () => Promise<void> | void): Promise<string | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    return whyOf(error)
  }
}

function serve(storage: LogKeeper): void {
  const takeCheckpoint = async (): Promise<void> => {
    const why = await attempt(() => storage.checkpoint(Date.now()))
    if (why !== undefined) send({ type: 'checkpoint_failed', why })
  }
  let last = Promise.resolve()
  const inTurn = (work: () => Promise<void>): void => {
    last = last.then(work)
  }
  // One that waits is enough, however long the work before it takes.
  let isDue = false
  const timer = setInterval(() => {
    if (isDue) return
    isDue = true
    inTurn(async () => {
      isDue = false
      await takeCheckpoint()
    })
  }, checkpointMs)

  const answer = async (message: ToLogThread): Promise<void> => {
    switch (message.type) {
      case 'commit': {
        const why = await attempt(() => storage.commit(rowsOf(message.text)))
        if (why !== undefined) return send({ type: 'failed', why })
        // Answer first: callers wait for their record, not for the signature over it.
        send({ type: 'committed', end: storage.end })
        if (storage.uncovered >= checkpointRecords) await takeCheckpoint()
        return
      }
      case 'probe':
        return send({ type: 'probed', why: await attempt(() => storage.probe(Date.now())) })
      case 'close': {
        clearInterval(timer)
        send({ type: 'closed', why: await attempt(() => storage.close(Date.now())) })
        parentPort?.close()
      }
    }
  }
  parentPort?.on('message', (message: ToLogThread) => inTurn(() => answer(message)))
  send({ type: 'ready', end: storage.end, warning: storage.warning })
}

async function open(): Promise<LogKeeper> {
  if (place.kind === 'sqlite') return new LogStorage(place.dataDir)
  // Whoever keeps the log in a folder needs no client of a database.
  const { PostgresLog } = await import('./postgres/postgres-log.ts')
  return PostgresLog.open(place, { resume, onUnsettled: (error) => send({ type: 'unsettled', why: whyOf(error) }) })
}

try {
  serve(await open())
} catch (error) {
  if (error instanceof TurnwardError) send({ type: 'refused', subject: error.subject, why: error.why ?? error.message, fix: error.fix })
  else send({ type: 'refused', subject: undefined, why: String(error), fix: undefined })
}
