/**
 * Readers and one writer of a file at once. To change over, SQLite wants the file for itself and does not wait for others, whatever
 * the connection was told to wait: where two open a new file together, one of them would fail. So this waits.
 */

/** As far as it is needed of a database of `node:sqlite`. */
interface Executing {
  readonly exec: (sql: string) => void
}

const pauseMs = 10
const busy = 5

/** Throws what SQLite says when the file is still in use after `waitMs`. Blocks the thread it is called on. */
export function useWriteAheadLog(database: Executing, waitMs: number): void {
  const end = performance.now() + waitMs
  for (;;) {
    try {
      database.exec('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      if (!isBusy(error) || performance.now() >= end) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs)
    }
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && Number(error.errcode) % 256 === busy
}
