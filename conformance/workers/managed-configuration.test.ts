/** What is changed over the API at one worker runs at all of them once it is answered. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Json } from '../harness/json.ts'
import { key, startSeveral, type Several } from './several.ts'

const adminKey = 'tw_conformance_root_00000000001'
const asAdmin = { authorization: `Bearer ${adminKey}` }

let several: Several
beforeAll(async () => {
  several = await startSeveral({
    principals: { ada: {}, root: {} },
    keys: { ada: { principal: 'ada', secret: key }, root: { principal: 'root', secret: adminKey, scopes: ['admin'] } },
    identity: { roles: { admin: { people: ['root'] } } },
  })
})
afterAll(() => several?.[Symbol.asyncDispose]())

const revisionAt = async (worker: number): Promise<Json> =>
  (await (await several.to(worker)).ask('/api/config', undefined, asAdmin)).json['running']

test('an object that one worker is asked for is made by all of them', async () => {
  const [one, other] = await Promise.all([several.to(0), several.to(1)])
  const route = { model: 'made', upstreams: ['openai'] }
  expect((await one.ask('/api/config/routes/made', route, asAdmin, 'PUT')).json).toMatchObject({ applied: true, revision: 1 })
  expect([await revisionAt(0), await revisionAt(1)]).toMatchObject([{ revision: 1 }, { revision: 1 }])
  expect((await other.ask('/v1/models')).json['data']).toEqual(expect.arrayContaining([expect.objectContaining({ id: 'made' })]))
  const broken = await other.ask('/api/config/routes/made', { ...route, upstreams: ['none'] }, { ...asAdmin, 'if-match': '*' }, 'PUT')
  expect(broken).toMatchObject({ status: 422 })
  expect([await revisionAt(0), await revisionAt(1)]).toMatchObject([{ revision: 1 }, { revision: 1 }])
  const gone = await other.ask('/api/config/routes/made', undefined, { ...asAdmin, 'if-match': '*' }, 'DELETE')
  expect(gone.json).toMatchObject({ applied: true, revision: 2 })
  expect([await revisionAt(0), await revisionAt(1)]).toMatchObject([{ revision: 2 }, { revision: 2 }])
})
