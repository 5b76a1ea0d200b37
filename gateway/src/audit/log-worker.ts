/**
 * The thread that writes the decision log, so that waiting for the disk never stops the event loop.
 * Answers every commit with what became of it; never reports a record as written before the disk has it.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { TurnwardError } from '../core/error.ts'
import { rowsOf } from './batch-text.ts'
import { LogStorage } from './log-storage.ts'
import type { FromLogThread, LogThreadData, ToLogThread } from './log-protocol.ts'

const { dataDir, checkpointRecords, checkpointMs } = workerData as LogThreadData

function send(message: FromLogThread): void {
  parentPort?.postMessage(message)
}

/** Why it failed, or undefined. */
function attempt(work: () => void): string | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function serve(storage: LogStorage): void {
  const takeCheckpoint = (): void => {
    const why = attempt(() => storage.checkpoint(Date.now()))
    if (why !== undefined) send({ type: 'checkpoint_failed', why })
  }
  const timer = setInterval(takeCheckpoint, checkpointMs)

  parentPort?.on('message', (message: ToLogThread) => {
    switch (message.type) {
      case 'commit': {
        const why = attempt(() => storage.commit(rowsOf(message.text)))
        if (why !== undefined) return send({ type: 'failed', why })
        // Answer first: callers wait for their record, not for the signature over it.
        send({ type: 'committed', seq: storage.seq })
        if (storage.uncovered >= checkpointRecords) takeCheckpoint()
        return
      }
      case 'probe':
        return send({ type: 'probed', why: attempt(() => storage.probe(Date.now())) })
      case 'close': {
        clearInterval(timer)
        const why = attempt(() => storage.checkpoint(Date.now()))
        storage.close()
        send({ type: 'closed', why })
        parentPort?.close()
      }
    }
  })
  send({ type: 'ready', seq: storage.seq, warning: storage.warning })
}

try {
  serve(new LogStorage(dataDir))
} catch (error) {
  const why = error instanceof TurnwardError ? `${error.subject ?? ''}: ${error.why ?? error.message}` : String(error)
  send({ type: 'refused', why, fix: error instanceof TurnwardError ? error.fix : undefined })
}
