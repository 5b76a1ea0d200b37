/** What the gateway's role may do with a real server, and what it may not. */
import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../../core/logger.ts'
import { testKey } from '../../audit/log-backends.fixture.ts'
import type { WriterPlace } from '../../audit/log-place.ts'
import { openDecisionLog } from '../../audit/log-writer.ts'
import { decision } from '../../audit/records.fixture.ts'
import { verifyLog } from '../../audit/verify.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeDatabase, testPostgres, testSecrets } from '../backends.fixture.ts'
import { openStore } from '../store.ts'
import type { PostgresPlace } from './connecting.ts'
import { grantsText, rolesText } from './roles.ts'

let admin: PostgresPlace
let drop: () => Promise<void>
let dataDir: string
/** Names of roles are the server's, not the database's. */
let owner: string
let gateway: string

async function run(url: string, statements: string): Promise<unknown> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return await client.query(statements)
  } finally {
    await client.end()
  }
}

function as(user: string): PostgresPlace {
  const url = new URL(admin.url)
  url.username = encodeURIComponent(user)
  return { ...admin, url: url.href }
}

describe.skipIf(testPostgres === undefined)('the role of the gateway', () => {
  beforeEach(async () => {
    const made = await makeDatabase()
    admin = made.place
    drop = made.drop
    dataDir = mkdtempSync(join(tmpdir(), 'turnward-roles-'))
    const suffix = randomBytes(4).toString('hex')
    ;[owner, gateway] = [`owner "${suffix}`, `gateway-${suffix}`]
    const roles = { owner, gateway, database: new URL(admin.url).pathname.slice(1) }
    await run(admin.url, rolesText(roles))
    const password = new URL(admin.url).password
    for (const role of [owner, gateway]) await run(admin.url, `alter role "${role.replaceAll('"', '""')}" password '${password}'`)
    const migrated = await openStore({ kind: 'postgres', database: as(owner), pool: 1, secrets: testSecrets })
    await migrated.close()
    await run(as(owner).url, grantsText(roles))
  })
  afterEach(async () => {
    rmSync(dataDir, { recursive: true, force: true })
    await drop()
    for (const role of [owner, gateway]) await run(testPostgres ?? '', `drop role "${role.replaceAll('"', '""')}"`)
  })

  async function written(): Promise<WriterPlace> {
    const place: WriterPlace = { kind: 'postgres', database: as(gateway), dataDir, privateKey: testKey, replica: 'eu-1', worker: 0 }
    const log = await openDecisionLog({ place, checkpointRecords: 5, checkpointMs: 60_000, logger: silentLogger })
    for (let index = 0; index < 12; index += 1) await log.appendDurably(decision())
    await log.close()
    return place
  }

  test('is all that a log and its verification need', async () => {
    expect(await verifyLog(await written())).toMatchObject({ ok: true, records: 12, checkpoints: 3, uncovered: 0 })
  })

  test('is all that the store needs', async () => {
    const store = await openStore({ kind: 'postgres', database: as(gateway), pool: 2, secrets: testSecrets })
    // Every table is changed as it is in use.
    expect(await store.keys.revoke('none', 1)).toBe(false)
    await store.listings.save({ server: 's', tools: '[]', seen: 1 })
    await store.entries.write([{ namespace: 'n', key: 'k', value: '1', expires: 2 }])
    const file = { key: 'f', owner: 'o', facts: '', bytes: 1, created: 1, expires: 3 }
    expect(await store.files.begin(file, { files: 1, bytes: 1 })).toBe(true)
    await store.files.addPart('f', 0, 'x')
    await store.files.finish('f', 1)
    const times = { created: 1, expires: 2, forgotten: 3, cancelled: null, ended: null }
    const batch = { key: 'b', owner: 'o', facts: '', end: null, ...times }
    expect(await store.batches.begin(batch, [{ name: 'n', request: 'r' }], { open: 1, kept: 1 })).toBe(true)
    expect(await store.batches.finishLine('b', 1, 'ok', 'x')).toBe(true)
    for (const table of [store.entries, store.files, store.batches]) await table.purge(10)
    expect([await store.files.part('f', 0), (await store.batches.counts('b')).ok]).toEqual([undefined, 0])
    await store.close()
  })

  test.each(['records', 'checkpoints', 'writers'])('cannot change, delete or empty %s, nor make itself able to', async (table) => {
    await written()
    for (const statement of [
      `update ${table} set hash = 'x'`,
      `delete from ${table}`,
      `truncate ${table}`,
      `drop table ${table}`,
      `alter table ${table} owner to current_user`,
      `alter table ${table} add column more text`,
      `create trigger forget before insert on ${table} for each row execute function suppress_redundant_updates_trigger()`,
      `grant all on ${table} to current_user; delete from ${table}`,
      `create table mine (x int)`,
      `set role ${'"'}${owner.replaceAll('"', '""')}${'"'}`,
    ])
      await expect(run(as(gateway).url, statement), statement).rejects.toMatchObject({ code: '42501' })
  })
})
