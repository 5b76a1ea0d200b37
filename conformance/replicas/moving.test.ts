/** An installation moves from one folder to PostgreSQL: keys work, every record is there, both logs verify, and it can be repeated. */
import { describe, expect, test } from 'vitest'
import type { CliResult } from '../harness/cli.ts'
import { startGateway } from '../harness/gateway-process.ts'
import { clusterSecret, hasServices, makePlaces, startReplica } from '../harness/replicas.ts'
import type { Json } from '../harness/json.ts'
import { post } from '../harness/raw-http.ts'

const config = {
  principals: { ada: {} },
  grants: [{ principals: ['ada'], models: ['*'] }],
  upstreams: { model: { kind: 'scripted', steps: [{ text: 'Here I am.' }] } },
  routes: [{ model: 'scripted', upstreams: ['model'] }],
}
const body = { model: 'scripted', messages: [{ role: 'user', content: 'Are you there?' }] }

function told({ code, stdout, stderr }: CliResult): Json {
  expect([code, stderr]).toEqual([0, ''])
  return JSON.parse(stdout) as Json
}

describe.skipIf(!hasServices)('an embedded installation', () => {
  test('moves to PostgreSQL with its keys and its whole log, while it runs, and again', async () => {
    const places = await makePlaces()
    const copy = ['store', 'copy', '--to', '${DATABASE_URL}', '--json']
    const old = await startGateway({ config, env: { DATABASE_URL: places.databaseUrl, CLUSTER_SECRET: clusterSecret } })
    let records: number
    let key: string
    try {
      const made = told(await old.cli(['keys', 'create', '--principal', 'ada', '--json']))
      key = String(made['key'])
      for (let call = 0; call < 5; call += 1) expect((await post(`${old.url}/v1/chat/completions`, key, body)).status).toBe(200)
      await old.recordThat((record) => record.type === 'outcome')
      const first = told(await old.cli(copy))
      expect(first).toMatchObject({ keys: 1 })
      const second = told(await old.cli(['keys', 'create', '--principal', 'ada', '--json']))
      told(await old.cli(['keys', 'revoke', String(second['id']), '--json']))
      old.signal('SIGTERM')
      await old.exited
      const last = told(await old.cli(copy))
      expect(last).toMatchObject({ keys: 1, listings: 0 })
      records = (last['log'] as { records: number }).records
      expect(told(await old.cli(copy))).toMatchObject({ keys: 0, revoked: 0, log: { copiedRecords: 0, copiedCheckpoints: 0, records } })
      expect(told(await old.cli(['audit', 'verify', '--json']))).toMatchObject({ ok: true, records })
    } finally {
      await old.stop()
    }
    const replica = await startReplica('new', { config, places })
    try {
      expect((await post(`${replica.url}/v1/chat/completions`, key, body)).status).toBe(200)
      await replica.recordThat((record) => record['turn'] !== null && record.type === 'outcome')
      expect((told(await replica.cli(['keys', 'list', '--json']))['keys'] as Json[]).map(({ status }) => status as string)).toEqual([
        'active',
        'revoked',
      ])
      const report = told(await replica.cli(['audit', 'verify', '--json']))
      expect(report).toMatchObject({ ok: true, problems: [] })
      expect(report['records']).toBeGreaterThan(records)
      expect(report['chains']).toHaveLength(2)
    } finally {
      await replica.stop()
    }
  })

  test('does not move into the database of another one', async () => {
    const places = await makePlaces()
    const replica = await startReplica('other', { config, places })
    const old = await startGateway({ config, env: { DATABASE_URL: places.databaseUrl, CLUSTER_SECRET: clusterSecret } })
    try {
      const refused = await old.cli(['store', 'copy', '--to', '${DATABASE_URL}'])
      expect(refused.code).not.toBe(0)
      expect(refused.stderr).toMatch(/another installation/)
      expect(refused.stderr).not.toContain(new URL(places.databaseUrl).password)
    } finally {
      await Promise.all([replica.stop(), old.stop()])
    }
  })
})

describe.skipIf(!hasServices)('with its state in memory', () => {
  test('one gateway can be on a database, and a second one says so', async () => {
    const places = await makePlaces()
    const env = { DATABASE_URL: places.databaseUrl, CLUSTER_SECRET: clusterSecret }
    const sections = { store: { kind: 'postgres', url: '${DATABASE_URL}', pool: 2 }, cluster: { secret: '${CLUSTER_SECRET}' } }
    const first = await startGateway({ config: { ...config, ...sections }, env })
    try {
      const second = String(await startGateway({ config: { ...config, ...sections }, env }).catch((error: unknown) => error))
      expect(second).toMatch(/another gateway keeps its state in this database/)
    } finally {
      await first.stop()
    }
  })
})

describe.skipIf(!hasServices)('a replica that is configured wrongly', () => {
  const change = (url: string, edit: (url: URL) => void): string => {
    const other = new URL(url)
    edit(other)
    return other.href
  }

  test.each([
    ['a wrong password of the database', /store\.failed/, (at: URL): void => void (at.password = 'not-the-password'), undefined],
    ['a database that is not there', /store\.failed/, (at: URL): void => void (at.pathname = '/nowhere'), undefined],
    ['a wrong password of the state', /state\.unavailable/, undefined, (at: URL): void => void (at.password = 'not-the-password')],
    ['a state where nobody listens', /state\.unavailable/, undefined, (at: URL): void => void (at.port = '1')],
  ] as const)('%s: one clear error, and nothing secret in it', async (_name, code, ofDatabase, ofState) => {
    const places = await makePlaces()
    const wrong = {
      ...places,
      databaseUrl: ofDatabase === undefined ? places.databaseUrl : change(places.databaseUrl, ofDatabase),
      stateUrl: ofState === undefined ? places.stateUrl : change(places.stateUrl, ofState),
    }
    const failure = String(await startReplica('wrong', { config, places: wrong }).catch((error: unknown) => error))
    expect(failure).toMatch(code)
    expect(failure).not.toMatch(/not-the-password|test-password/)
    expect(failure).not.toContain(clusterSecret)
  })

  test('another secret of the cluster is told as such, and doctor tells what it stands on', async () => {
    const places = await makePlaces()
    const replica = await startReplica('first', { config, places })
    try {
      const doctor = JSON.parse((await replica.cli(['doctor', '--json'])).stdout) as { ok: boolean; findings: Json[] }
      expect(doctor.ok).toBe(true)
      expect(doctor.findings.map(({ check }) => check as string)).toEqual(
        expect.arrayContaining(['configuration', 'store', 'connections', 'log role', 'durability', 'clocks', 'state', 'replicas']),
      )
      const other = { config, places, secret: 'a secret of the cluster that is another one' }
      const failure = String(await startReplica('second', other).catch((error: unknown) => error))
      expect(failure).toMatch(/cluster\.secret/)
    } finally {
      await replica.stop()
    }
  })
})
