/**
 * Undici's connection pool without the rest of undici. The package's entry also loads fetch, web sockets, caches and
 * mocks, 12 MB that nothing here uses, and adds convenience methods (`request`, `stream`, …) to every dispatcher.
 * `dispatch`, `close` and `destroy` are the pool's own, so it behaves the same either way.
 */
import type { Pool as WholePool } from 'undici'
// @ts-expect-error The file has no types beside it; those of the package describe it.
import pool from 'undici/lib/dispatcher/pool.js'

/** The methods that do not depend on undici's entry. */
export type Pool = Pick<WholePool, 'dispatch' | 'close' | 'destroy'>

/** Connections to one origin. Nothing is redirected, retried or cached. */
export const Pool = pool as new (...options: ConstructorParameters<typeof WholePool>) => Pool
