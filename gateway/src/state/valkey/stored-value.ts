/** A value as the server keeps it, read back: see `scripts.ts`. */
import type { VersionedValue, VersionedWrite, WriteResult } from '../versioned/versioned-place.ts'
import { versionsKept } from './scripts.ts'

/** What the server holds under a key; null and the empty text stand for nothing. */
export function readStored(held: string | null): VersionedValue {
  if (held === null || held === '') return { text: undefined, version: '' }
  const stop = held.indexOf('\n')
  const [version = ''] = held.slice(0, stop).split(' ', 1)
  const text = held.slice(stop + 1)
  return { text: text === '' ? undefined : text, version }
}

/**
 * What a write came to that found something else than it expected. `sentBefore`: an earlier answer to the same write was
 * lost, so that it may have been made, and others may have written since. One key that still remembers the expected
 * version without this write proves that it was not made, because a write is all or nothing.
 */
export function conflictOf({ changes, checks }: VersionedWrite, held: readonly (string | null)[], sentBefore: boolean): WriteResult {
  if (sentBefore && changes.length > 0 && !changes.some(({ expected }, at) => provesNotMade(held[at], expected))) return { kind: 'unknown' }
  const values = held.map(readStored)
  const asked = changes.length + checks.length
  return { kind: 'conflict', present: values.slice(0, asked), reads: values.slice(asked) }
}

function provesNotMade(held: string | null | undefined, expected: string | undefined): boolean {
  // Where there is nothing, nothing of the write is left either.
  if (held === null || held === undefined || held === '') return true
  const versions = held.slice(0, held.indexOf('\n')).split(' ')
  return expected === undefined || expected === '' ? versions.length < versionsKept : versions.includes(expected)
}
