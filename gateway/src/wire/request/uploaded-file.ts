/** The file in a form that brings one, and the few texts beside it. */
import { TurnwardError } from '../../core/error.ts'
import { invalid } from './fields.ts'

/** The one file of that name. Throws `request.invalid`. */
export function fileIn(form: FormData, name: string): File {
  const [value, ...more] = form.getAll(name)
  if (value === undefined || typeof value === 'string' || more.length > 0) throw invalid(name, 'it must be there once, as a file')
  return value
}

/** Seconds after which it may go, as milliseconds; undefined when the form has no such field. Throws `request.invalid`. */
export function ttlIn(form: FormData, name: string, least: number, most: number): number | undefined {
  const value = form.get(name)
  if (value === null) return undefined
  const seconds = typeof value === 'string' ? Number(value) : Number.NaN
  if (!Number.isInteger(seconds) || seconds < least || seconds > most) throw invalid(name, `it must be ${least} to ${most} seconds`)
  return seconds * 1000
}

const longestName = 500

/** The last part of a name a client gives a file; nothing that could break a header or a path. */
export function plainName(name: string): string {
  const last = name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1)
  // oxlint-disable-next-line no-control-regex
  return last.replaceAll(/[\u0000-\u001f\u007f]/g, '').slice(0, longestName) || 'unnamed'
}

/** Throws `request.invalid` for a field the form of an upload does not know. */
export function requireKnownFields(form: FormData, known: readonly string[]): void {
  for (const name of form.keys())
    if (!known.includes(name))
      throw new TurnwardError('request.unsupported', { subject: name.slice(0, 64), why: 'an upload has no such field' })
}
