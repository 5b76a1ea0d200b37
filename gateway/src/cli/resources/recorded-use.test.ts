import { expect, test } from 'vitest'
import type { LogReading } from '../../audit/reading/log-reading.ts'
import { testClock } from '../../turns/state-and-clock.fixture.ts'
import { UseOnRecord } from './recorded-use.ts'

const decided = (time: number, more: object) => ({
  writer: 0,
  seq: time,
  hash: '',
  record: { type: 'decision', id: `dec_${time}`, turn: 'turn_1', time, subject: 'office__send', toolCallId: 'a', ...more },
})

test('a call that was proposed and made counts once, and those who ask together read once', async () => {
  const clock = testClock()
  let reads = 0
  const find = async ({ filter }: { readonly filter: { readonly kind?: string | undefined } }) => {
    reads += 1
    const records =
      filter.kind === 'tool_call'
        ? [decided(2, { kind: 'tool_call', action: 'release' })]
        : [decided(1, { kind: 'tool_proposal', action: 'release' })]
    return { records, next: undefined }
  }
  const use = new UseOnRecord({ find: find as unknown as LogReading['find'] }, clock)
  const [one, other] = await Promise.all([use.read(), use.read()])
  expect(one).toBe(other)
  expect(one).toMatchObject({ from: 1, records: 2 })
  expect(one.uses.get('office__send')).toMatchObject({ calls: 1, refused: 0 })
  expect(reads).toBe(2)
})

test('a reading that failed is tried again', async () => {
  const clock = testClock()
  let fails = true
  const find = async () => {
    if (fails) throw new Error('busy')
    return { records: [], next: undefined }
  }
  const use = new UseOnRecord({ find }, clock)
  await expect(use.read()).rejects.toThrow('busy')
  fails = false
  expect(await use.read()).toEqual({ uses: new Map(), from: null, records: 0 })
})
