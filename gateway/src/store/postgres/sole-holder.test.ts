import { Client } from 'pg'
import { describe, expect, test } from 'vitest'
import { FaultProxy } from '../../../../conformance/harness/fault-proxy.ts'
import { makeDatabase, testPostgres } from '../backends.fixture.ts'
import { holdAlone } from './sole-holder.ts'

describe.skipIf(testPostgres === undefined)('what one process may use at a time', () => {
  test('is refused to a second one, and free when the first gives it back', async () => {
    const { place, drop } = await makeDatabase()
    const first = await holdAlone(place, 'x', 'it is taken')
    await expect(holdAlone(place, 'x', 'it is taken')).rejects.toMatchObject({ code: 'store.failed', why: 'it is taken' })
    const other = await holdAlone(place, 'y', 'it is taken')
    await first.release()
    const second = await holdAlone(place, 'x', 'it is taken')
    await Promise.all([second.release(), other.release()])
    await drop()
  })

  test('is taken again when the connection breaks, or told as lost when another was faster', async () => {
    const { place, drop } = await makeDatabase()
    await using proxy = await FaultProxy.to(Number(new URL(place.url).port))
    const held = await holdAlone({ ...place, url: proxy.through(place.url) }, 'x', 'it is taken')
    const administrator = new Client({ connectionString: place.url })
    await administrator.connect()
    const holders = async (): Promise<readonly number[]> => {
      const own = `database = (select oid from pg_database where datname = current_database())`
      const { rows } = await administrator.query<{ pid: number }>(`select pid from pg_locks where locktype = 'advisory' and ${own}`)
      return rows.map(({ pid }) => pid)
    }
    const before = await holders()
    proxy.cut()
    await expect.poll(async () => (await holders()).filter((pid) => !before.includes(pid))).toHaveLength(1)
    await administrator.end()
    // While it cannot come back another one takes it.
    proxy.refuse()
    const other = await holdAlone(place, 'x', 'it is taken')
    proxy.behave()
    await held.lost
    await Promise.all([held.release(), other.release()])
    await drop()
  })
})
