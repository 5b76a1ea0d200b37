import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadConfig } from '../config/load.ts'
import { systemClock } from '../core/clock.ts'
import { createPeopleService } from '../identity/people/people-service.ts'
import { openStore } from '../store/store.ts'
import { firstAdministratorText } from './first-administrator.ts'
import { openingSettingsOf, storePlaceOf } from './places.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnward-first-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function snapshotOf(identity: object) {
  const file = join(folder, 'turnward.yaml')
  await writeFile(file, JSON.stringify({ principals: { ada: {} }, identity }))
  return loadConfig(file, {})
}
const url = 'http://127.0.0.1:1'

test('a link is for a terminal, and names the verb where there is none', async () => {
  const snapshot = await snapshotOf({ sign_in: { local: true } })
  expect(await firstAdministratorText(snapshot, url, true)).toMatch(/\/set-password\/[0-9A-Za-z]{43}$/)
  const elsewhere = await firstAdministratorText(snapshot, url, false)
  expect(elsewhere).toContain('turnward accounts add NAME --role admin')
  expect(elsewhere).not.toContain('set-password')
})

test('there is none where nobody has an account here, or the configuration names administrators', async () => {
  for (const identity of [
    {},
    { sign_in: { local: true }, roles: { admin: { people: ['ada'] } } },
    { sign_in: { local: true }, roles: { admin: { groups: ['staff'] } } },
  ]) {
    expect(await firstAdministratorText(await snapshotOf(identity), url, true)).toBeUndefined()
    expect(await firstAdministratorText(await snapshotOf(identity), url, false)).toBeUndefined()
  }
  const others = { sign_in: { local: true }, roles: { viewer: { people: ['ada'] } } }
  expect(await firstAdministratorText(await snapshotOf(others), url, true)).toContain('set-password')
})

test('there is none once somebody has been given the role', async () => {
  const snapshot = await snapshotOf({ sign_in: { local: true } })
  const store = await openStore(storePlaceOf(openingSettingsOf(snapshot)))
  try {
    await createPeopleService({ store, clock: systemClock }).setRoles('ada', ['admin'], true)
  } finally {
    await store.close()
  }
  for (const isTerminal of [true, false]) expect(await firstAdministratorText(snapshot, url, isTerminal)).toBeUndefined()
})
