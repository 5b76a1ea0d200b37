/**
 * Values of identity headers, strictly: a value that could be read in two ways names nobody. Node gives header bytes as Latin-1 and
 * joins headers of one name by a comma; edges send UTF-8.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { TurnwardError } from '../../../core/error.ts'

const longestValue = 256
const longestList = 8192
const mostNames = 200
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** One value; undefined for none, and for an empty one. Throws `request.invalid`. */
export function singleValue(headers: IncomingHttpHeaders, name: string): string | undefined {
  const text = textOf(headers, name, longestValue)
  if (text?.includes(',') === true) throw invalid(name, 'it was sent twice, or holds a comma')
  return text
}

/** Names between commas, each once. Throws `request.invalid`. */
export function listedValues(headers: IncomingHttpHeaders, name: string): readonly string[] {
  const text = textOf(headers, name, longestList)
  if (text === undefined) return []
  const names = [...new Set(text.split(',').map((one) => one.trim()))].filter((one) => one !== '')
  if (names.length > mostNames) throw invalid(name, `it names more than ${mostNames}`)
  for (const one of names) {
    if (one.length > longestValue) throw invalid(name, `a name in it has more than ${longestValue} characters`)
    if (/[;|"'`\\[\]{}]/.test(one)) throw invalid(name, 'its names are separated by something other than commas')
  }
  return names
}

/** A token, or JSON in Base64, which nobody needs to read as text. Throws `request.invalid`. */
export function opaqueValue(headers: IncomingHttpHeaders, name: string, longest: number): string | undefined {
  const value = headers[name]
  if (value === undefined || value === '') return undefined
  if (typeof value !== 'string' || value.includes(',')) throw invalid(name, 'it was sent twice')
  if (value.length > longest) throw invalid(name, `it has more than ${longest} characters`)
  return value
}

function textOf(headers: IncomingHttpHeaders, name: string, longest: number): string | undefined {
  const value = headers[name]
  if (value === undefined || value === '') return undefined
  if (typeof value !== 'string') throw invalid(name, 'it was sent twice')
  if (value.length > longest) throw invalid(name, `it has more than ${longest} bytes`)
  const text = decoded(value, name)
  // Control, format and private characters, and every space but the plain one: names that look alike shall be alike.
  if (/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.test(text)) throw invalid(name, 'it holds a character that cannot be seen')
  return text.trim() === '' ? undefined : text.trim()
}

function decoded(value: string, name: string): string {
  if (/^[\x20-\x7e]*$/.test(value)) return value
  try {
    return utf8.decode(Buffer.from(value, 'latin1'))
  } catch {
    throw invalid(name, 'it is not UTF-8')
  }
}

/** A header of an edge that is not as it must be. */
export function invalid(name: string, why: string): TurnwardError {
  return new TurnwardError('request.invalid', { subject: name, why, fix: 'See what the edge in front sends.' })
}
