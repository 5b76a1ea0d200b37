/**
 * Puts entries into the text of a client's file and takes them out again. Every edit is read back: one that would mean anything else
 * than what was asked is refused.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Entry, Format } from '@turnward/contract/connect/entry'
import { TurnwardError } from '../../core/error.ts'
import { isObject, type JsonValue } from '../../core/json.ts'
import { parseClientFile } from '../importing/reading-client-file.ts'
import { valueAt, withoutValue, withValue } from './at-path.ts'
import { withJsonValue, withoutJsonValue } from './editing-json.ts'
import { withoutTomlEntry, withTomlEntry } from './editing-toml.ts'

/** A client's file as it is now; it may not be there, and its text is empty then. */
export interface ClientText {
  readonly file: string
  readonly format: Format
  readonly text: string
}

/** Throws `request.invalid` for a file that is not of its format. */
export function plainOf({ file, format, text }: ClientText): JsonValue {
  try {
    return parseClientFile(text, format) as JsonValue
  } catch (error) {
    throw unsafe(file, error instanceof Error ? `it ${error.message}` : 'it cannot be read')
  }
}

/** The text with the entries, each in the place of what is there. Throws `request.invalid`. */
export function withEntries(client: ClientText, entries: readonly Entry[]): string {
  return entries.reduce<ClientText>((before, entry) => {
    const value = entry.value as JsonValue
    if (isDeepStrictEqual(valueAt(plainOf(before), entry.path), value)) return before
    return edited(
      before,
      (plain) => withValue(plain, entry.path, value),
      before.format === 'json' ? (text) => withJsonValue(text, entry.path, value) : (text) => withTomlEntry(text, entry),
    )
  }, client).text
}

/**
 * The text with what `before` has at these paths, and without what it does not have: also without an object or a list that is empty
 * now and was not there. Throws `request.invalid`.
 */
export function withEntriesOf(client: ClientText, paths: readonly Entry['path'][], before: JsonValue): string {
  return paths.reduce<ClientText>((now, path) => {
    const was = valueAt(before, path)
    if (was !== undefined) return { ...now, text: withEntries(now, [{ path, value: was as Entry['value'] }]) }
    return withoutEmptied(without(now, path), path, before)
  }, client).text
}

function withoutEmptied(client: ClientText, path: Entry['path'], before: JsonValue): ClientText {
  const outer = path.slice(0, -1) as readonly unknown[] as Entry['path']
  if (outer.length === 0 || valueAt(before, outer) !== undefined) return client
  const left = valueAt(plainOf(client), outer)
  const isEmpty = typeof left === 'object' && left !== null && Object.keys(left).length === 0
  return isEmpty ? withoutEmptied(without(client, outer), outer, before) : client
}

function without(client: ClientText, path: Entry['path']): ClientText {
  if (valueAt(plainOf(client), path) === undefined) return client
  const edit = client.format === 'json' ? withoutJsonValue : withoutTomlEntry
  return edited(
    client,
    (plain) => withoutValue(plain, path),
    (text) => edit(text, path),
  )
}

function edited(client: ClientText, expected: (plain: JsonValue) => JsonValue, edit: (text: string) => string): ClientText {
  try {
    const changed = { ...client, text: edit(client.text) }
    if (isDeepStrictEqual(comparable(plainOf(changed), client.format), comparable(expected(plainOf(client)), client.format))) return changed
  } catch {
    // Told as every other edit that cannot be made: what a parser says may quote the file.
  }
  throw unsafe(client.file, 'it is written in a way that this command does not change safely')
}

/** Without what parsers add to objects. TOML has no table that only held another one, once that is gone. */
function comparable(value: JsonValue, format: Format): unknown {
  if (Array.isArray(value)) return value.map((one) => comparable(one, format))
  if (!isObject(value)) return value
  const inner = Object.entries(value).map(([key, one]) => [key, comparable(one, format)] as const)
  return Object.fromEntries(format === 'json' ? inner : inner.filter(([, one]) => !isObject(one) || Object.keys(one).length > 0))
}

function unsafe(file: string, why: string): TurnwardError {
  return new TurnwardError('request.invalid', { subject: file, why, fix: 'Add what `--show` prints by hand.' })
}
