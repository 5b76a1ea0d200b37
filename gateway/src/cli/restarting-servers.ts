/**
 * Restarts MCP servers when an administrator asks for it (`turnward servers restart`): the request is a row of the store, which
 * every process of every replica looks for. Whoever may write there may ask; who has asked stays on record.
 */
import { asTurnwardError } from '../core/error.ts'
import type { Logger } from '../core/logger.ts'
import type { Store } from '../store/store.ts'
import type { Fleet } from '../tools/catalogue.ts'
import { eachSecond } from './each-second.ts'

export interface RestartingOptions {
  readonly store: Pick<Store, 'restarts'>
  readonly fleet: Pick<Fleet, 'restart'>
  readonly logger: Logger
  /** What this process is called. */
  readonly process: string
}

/** One that was written while another was may count as asked before that one. */
const overlapMs = 10_000

/** Goes on until it is closed. What was asked for before it began is nothing to it. Rejects with `store.failed`. */
export async function restartOnRequest({ store, fleet, logger, process }: RestartingOptions): Promise<{ close(): Promise<void> }> {
  const start = await store.restarts.last()
  const known = new Set<string>()
  let newest = start
  const restart = async (id: string, server: string, by: string): Promise<void> => {
    if (!(await store.restarts.begin(id, process))) return
    logger.info({ server, by }, 'an administrator restarts an MCP server')
    const why = await fleet.restart(server)
    await store.restarts.end(id, process, why ?? 'ready')
  }
  const look = async (): Promise<void> => {
    for (const { id, server, asked, by } of await store.restarts.since(Math.max(start, newest - overlapMs))) {
      newest = Math.max(newest, asked)
      if (known.has(id)) continue
      known.add(id)
      // A server that takes long to start keeps no other request waiting.
      running = Promise.all([running, restart(id, server, by).catch((error: unknown) => failed(error))])
    }
  }
  const failed = (error: unknown): void =>
    logger.warn({ code: asTurnwardError(error).code }, 'restarts of MCP servers cannot be looked for')
  let running: Promise<unknown> = Promise.resolve()
  const watch = eachSecond(look, failed)
  return {
    async close() {
      await watch.close()
      await running
    },
  }
}
