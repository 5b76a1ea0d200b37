import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { silentLogger } from '../../core/logger.ts'
import type { VersionedWrite } from '../versioned/versioned-place.ts'
import { notedInMemory } from '../backends.fixture.ts'
import { openValkeyPlace } from './open-valkey-state.ts'
import type { ValkeyPlace } from './valkey-place.ts'

const redis = process.env['TURNWARD_TEST_REDIS'] ?? ''
const options = { prefix: `place-${process.pid}:`, timeoutMs: 10_000, noted: notedInMemory(), clock: systemClock, logger: silentLogger }
const slot = 's'
let epoch = ''
const write = (version: string, key: string, expected: string, text: string | undefined): VersionedWrite => ({
  version,
  epoch,
  changes: [{ namespace: 'count', key, expected, text, livesMs: 60_000 }],
  checks: [],
  reads: [],
  announce: [],
})

describe.skipIf(redis === '')('a place on Valkey', () => {
  let place: ValkeyPlace
  beforeAll(async () => {
    place = await openValkeyPlace({ ...options, url: redis })
    epoch = (await place.epochOf(slot)).id
  })
  afterAll(() => place.close())

  test('makes a write that is sent again once, also when others have written since', async () => {
    expect(await place.write(slot, write('a', 'again', '', '1'))).toMatchObject({ kind: 'ok' })
    expect(await place.write(slot, write('b', 'again', 'a', '2'))).toMatchObject({ kind: 'ok' })
    expect(await place.write(slot, write('a', 'again', '', '1'))).toMatchObject({ kind: 'ok' })
    expect((await place.read(slot, [{ namespace: 'count', key: 'again' }])).values).toEqual([{ text: '2', version: 'b' }])
  })

  test('does not take what was removed for what was never there', async () => {
    await place.write(slot, write('a', 'removed', '', '1'))
    await place.write(slot, write('b', 'removed', 'a', undefined))
    expect(await place.write(slot, write('c', 'removed', '', '2'))).toMatchObject({
      kind: 'conflict',
      present: [{ text: undefined, version: 'b' }],
    })
  })

  test('writes nothing where one of many is not as expected', async () => {
    await place.write(slot, write('a', 'checked', '', '1'))
    const checks = [{ namespace: 'count' as const, key: 'checked', expected: 'other' }]
    expect(await place.write(slot, { ...write('b', 'unwritten', '', '1'), checks })).toMatchObject({ kind: 'conflict' })
    expect((await place.read(slot, [{ namespace: 'count', key: 'unwritten' }])).values).toEqual([{ text: undefined, version: '' }])
  })

  test('takes as many keys as the longest conversation has', async () => {
    await place.write(slot, write('a', 'last', '', '7'))
    const reads = Array.from({ length: 20_000 }, (_, at) => ({ namespace: 'count' as const, key: at === 19_999 ? 'last' : `none-${at}` }))
    const result = await place.write(slot, { ...write('b', 'many', '', '1'), reads })
    expect(result.kind === 'ok' ? [result.reads.length, result.reads.at(-1)] : result).toEqual([20_000, { text: '7', version: 'a' }])
  })

  test('keeps nothing that is too large', async () => {
    const text = JSON.stringify('x'.repeat(5 * 1024 * 1024))
    await expect(place.write(slot, write('a', 'large', '', text))).rejects.toMatchObject({ code: 'state.too_large' })
  })

  test.each([
    ['a wrong password', redis.replace(/:[^:@/]+@/, ':wrong-secret@'), 'the server refuses the user or the password'],
    ['a port where nothing listens', 'redis://:wrong-secret@127.0.0.1:1', 'nothing listens at the address'],
  ])('says what %s means, and nothing that is secret', async (_, url, why) => {
    const failure: unknown = await openValkeyPlace({ ...options, url }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'state.unavailable', why })
    expect(JSON.stringify(failure)).not.toContain('wrong-secret')
  })
})
