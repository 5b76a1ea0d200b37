/** The table of expiring entries in PostgreSQL: a batch of changes is one statement, so it is there whole or not at all. */
import { TurnwardError } from '../../core/error.ts'
import type { Entry, EntryTable } from '../entries.ts'
import type { PostgresConnections } from './pool.ts'

const write = `with gone as (
    delete from entries using unnest($5::text[], $6::text[]) as removed (namespace, key)
    where entries.namespace = removed.namespace and entries.key = removed.key
  )
  insert into entries (namespace, key, value, expires)
  select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[])
  on conflict (namespace, key) do update set value = excluded.value, expires = excluded.expires`

const firstPage = `select namespace, key, value, expires from entries where expires > $1 and namespace <> all ($2::text[])
  order by expires, namespace, key limit $3`
const nextPage = `select namespace, key, value, expires from entries where (expires, namespace, key) > ($1, $2, $3) and namespace <> all ($4::text[])
  order by expires, namespace, key limit $5`

const keysOf = `select key from entries where namespace = $1 and key > $2 and expires > $3 order by key limit $4`

/** Every call rejects with `store.failed` when the database cannot be used. */
export function postgresEntries(connections: PostgresConnections): EntryTable {
  return {
    async write(changes) {
      const columns: [string[], string[], string[], number[], string[], string[]] = [[], [], [], [], [], []]
      const [namespaces, keys, values, times, goneNamespaces, goneKeys] = columns
      for (const change of changes) {
        if (change.value === null) {
          goneNamespaces.push(change.namespace)
          goneKeys.push(change.key)
        } else if (Number.isFinite(change.expires)) {
          namespaces.push(change.namespace)
          keys.push(change.key)
          values.push(change.value)
          times.push(change.expires)
        } else throw new TurnwardError('store.failed', { why: 'an entry has no time at which it expires' })
      }
      if (changes.length > 0) await connections.query(write, columns)
    },
    async read(namespace, key, now) {
      const sql = 'select namespace, key, value, expires from entries where namespace = $1 and key = $2 and expires > $3'
      const [entry] = await connections.query<Entry>(sql, [namespace, key, now])
      return entry
    },
    async *pages(now, without = [], pageSize = 1000) {
      let page = await connections.query<Entry>(firstPage, [now, without, pageSize])
      for (let last = page.at(-1); last !== undefined; last = page.at(-1)) {
        yield page
        page = await connections.query<Entry>(nextPage, [last.expires, last.namespace, last.key, without, pageSize])
      }
    },
    async *keys(namespace, now, pageSize = 10_000) {
      for (let after = ''; ;) {
        const page = await connections.query<Pick<Entry, 'key'>>(keysOf, [namespace, after, now, pageSize])
        const last = page.at(-1)
        if (last === undefined) return
        yield page.map(({ key }) => key)
        after = last.key
      }
    },
    async purge(now) {
      await connections.query('delete from entries where expires <= $1', [now])
    },
  }
}
