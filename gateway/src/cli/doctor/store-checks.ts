/** Is the store there, does everybody get a connection, and can nobody rewrite the decision log? */
import type { OpeningSettings } from '../../config/opening-settings.ts'
import { asTurnwardError } from '../../core/error.ts'
import { openPostgresStore } from '../../store/postgres/postgres-store.ts'
import type { ServerFacts } from '../../store/postgres/server-facts.ts'
import { openStore } from '../../store/store.ts'
import { storePlaceOf } from '../places.ts'
import type { Finding } from './finding.ts'

/** Connections of a process besides its pool: that of its decision log, and one to look what became of a commit. */
const besidesPool = 2
const clockWarningMs = 30_000
const clockProblemMs = 5 * 60_000

/** `processes`: how many take part at the moment, at least this one. */
export async function checkStore(settings: OpeningSettings, processes: number): Promise<readonly Finding[]> {
  const place = storePlaceOf(settings)
  try {
    if (place.kind === 'sqlite') {
      await (await openStore(place)).close()
      return [{ check: 'store', level: 'ok', detail: `SQLite in ${place.dataDir}` }]
    }
    const store = await openPostgresStore(place)
    try {
      const asked = Date.now()
      const facts = await store.serverFacts()
      return postgresFindings(facts, settings.store.pool, processes, facts.now - (asked + Date.now()) / 2)
    } finally {
      await store.close()
    }
  } catch (error) {
    const { message, fix } = asTurnwardError(error)
    return [{ check: 'store', level: 'problem', detail: message, fix }]
  }
}

/** `skewMs`: how far the server's clock is ahead of ours. */
export function postgresFindings(facts: ServerFacts, pool: number, processes: number, skewMs: number): readonly Finding[] {
  const each = pool + besidesPool
  const room = Math.floor(facts.connections / each)
  const budget = `${each} connections a process (\`store.pool\` + ${besidesPool}), ${processes} ${processes === 1 ? 'process' : 'processes'} now, room for ${room} in ${facts.connections}`
  const skew = Math.abs(skewMs)
  return [
    { check: 'store', level: 'ok', detail: `PostgreSQL ${facts.version}` },
    {
      check: 'connections',
      // A rolling restart has one more process for a while.
      level: room < processes ? 'problem' : room < processes + 1 ? 'warning' : 'ok',
      detail: budget,
      ...(room < processes + 1 ? { fix: 'Lower `store.pool`, or raise `max_connections` of the server.' } : {}),
    },
    facts.mayChangeRecords
      ? {
          check: 'log role',
          level: 'warning',
          detail: 'the role in `store.url` may change and delete records of the decision log',
          fix: 'Make two roles with what `turnward store roles` prints, and let the gateway use the lesser one.',
        }
      : { check: 'log role', level: 'ok', detail: 'records can be added and read, and not changed' },
    facts.isDurable
      ? { check: 'durability', level: 'ok', detail: 'a commit waits for the disk' }
      : {
          check: 'durability',
          level: 'problem',
          detail: '`fsync` or `synchronous_commit` is off: a decision could be lost after its tool ran',
          fix: 'Switch both on.',
        },
    {
      check: 'clocks',
      level: skew > clockProblemMs ? 'problem' : skew > clockWarningMs ? 'warning' : 'ok',
      detail: `the clock of the database differs from this machine's by ${Math.round(skew / 1000)} s`,
      ...(skew > clockWarningMs ? { fix: 'Let both keep time with NTP: up to five minutes are tolerated.' } : {}),
    },
  ]
}
