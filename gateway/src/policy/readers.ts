/**
 * Readers: the names of who may receive data, from configuration and from tool arguments, in one normal form.
 * Text from arguments that is not plainly a list of readers is never taken for one.
 */
import type { Principal } from '../core/principal.ts'
import { didYouMean } from '../core/closest-name.ts'
import type { Audience, Directory } from './types.ts'

/** Names an administrator declared, lower-cased, to tell bare words apart. */
export interface ReaderNames {
  readonly principals: ReadonlySet<string>
  readonly groups: ReadonlySet<string>
}

const plainWord = /^[a-z0-9][a-z0-9_.-]{0,62}$/
const plainGroup = /^@[a-z0-9][a-z0-9_.-]{0,62}$/
const plainDomain = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/
// No `!` and `%`: mailers once routed by them, so `evil.example!bob@corp.example` could end somewhere else.
const plainAddress =
  /^(?=.{3,320}$)[a-z0-9_](?:[a-z0-9_+'&=~-]|\.(?!\.|@))*@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/
/** A display name before `<address>`: words, so that it cannot hide a second address. */
const displayName = /^[\p{L}\p{M}\p{N} ."'_-]{0,200}$/u
/** A longer list of recipients is not read at all. */
const maxReaders = 1000
const maxText = 65_536
const printableAscii = /^[\x20-\x7e]*$/

/** The normal form of one reader (lower case), or undefined when it is not a plain one. ASCII only: lookalikes are not readers. */
export function normaliseReader(text: string): string | undefined {
  if (!printableAscii.test(text)) return undefined
  const reader = text.toLowerCase()
  const plain = plainWord.test(reader) || plainGroup.test(reader) || plainAddress.test(reader) || plainDomain.test(reader)
  return plain ? reader : undefined
}

/** The domain of an address reader; undefined for other readers. */
export function domainOf(reader: string): string | undefined {
  const at = reader.indexOf('@')
  return at > 0 ? reader.slice(at + 1) : undefined
}

/** A reader as an administrator wrote it: `@group`, address, domain, `public`, `$principal`, or a declared principal or group. */
export function parseConfiguredReader(text: string, names: ReaderNames): { readonly reader: string } | { readonly problem: string } {
  const trimmed = text.trim().normalize('NFKC')
  if (trimmed === '$principal') return { reader: trimmed }
  const reader = normaliseReader(trimmed)
  if (reader === undefined)
    return {
      problem: `\`${text}\` is not a reader: use \`@group\`, an address, a domain, a declared principal, \`public\` or \`$principal\``,
    }
  if (reader === 'public' || reader.includes('@') || names.principals.has(reader)) return { reader }
  if (names.groups.has(reader)) return { reader: `@${reader}` }
  if (reader.includes('.')) return { reader }
  return { problem: `\`${text}\` is not a declared principal or group${didYouMean(reader, [...names.principals, ...names.groups])}` }
}

/**
 * The readers a string argument names: one, or a list separated by `,` or `;`, each plain or `Name <address>`.
 * Undefined when any part is not plainly a reader, there is none, or there are more than 1000.
 */
export function parseArgumentReaders(value: string): readonly string[] | undefined {
  if (value.length > maxText) return undefined
  const pieces = value.split(/[,;]/, maxReaders + 1)
  if (pieces.length > maxReaders) return undefined
  const readers: string[] = []
  for (const piece of pieces) {
    const reader = normaliseReader(bareReader(trimSpaces(piece)))
    if (reader === undefined) return undefined
    readers.push(reader)
  }
  return readers
}

/** `Name <a@b>` without the name; anything stranger is returned as it is and fails to normalise. */
function bareReader(text: string): string {
  const open = text.indexOf('<')
  if (open === -1 || !text.endsWith('>') || !displayName.test(text.slice(0, open))) return text
  const address = text.slice(open + 1, -1)
  return address.includes('@') ? address : text
}

/** Only spaces: a line break at the edge of an address is not something to overlook. */
function trimSpaces(text: string): string {
  let [start, end] = [0, text.length]
  while (start < end && text[start] === ' ') start++
  while (end > start && text[end - 1] === ' ') end--
  return text.slice(start, end)
}

/**
 * The principal as a reader. Not every identity provider gives plain ids: an id outside ASCII keeps its exact text,
 * so that it cannot be folded into somebody else's. Undefined for an id that would read as everyone. A person that only an
 * identity provider names is a reader by an address that is nobody else's here; any other id of such a person (`bob`, which
 * may be declared too; `corp.example`, which reads as a domain) is one that neither configuration nor arguments can name.
 */
export function principalReader({ id }: Principal, directory: Directory): string | undefined {
  const reader = printableAscii.test(id) ? id.toLowerCase() : id
  if (directory.declares?.(id) === false) return plainAddress.test(reader) && directory.owns?.(reader) !== true ? reader : `=${id}`
  return reader === 'public' || reader.startsWith('@') || reader.startsWith('$') ? undefined : reader
}

/**
 * Every reader name that means the principal of a call. One that nobody declared goes by its address and the domain of that,
 * by the groups of this call, and by other addresses as long as nobody declared has them; never by what the directory knows of
 * another.
 */
export function namesOfPrincipal(principal: Principal, directory: Directory): readonly string[] {
  const reader = principalReader(principal, directory)
  if (reader === undefined) return []
  const isDeclared = directory.declares?.(principal.id) !== false
  const domain = isDeclared || reader.startsWith('=') ? undefined : domainOf(reader)
  const names = new Set(isDeclared ? directory.namesOf(reader) : [reader])
  if (domain?.includes('.') === true && directory.owns?.(domain) !== true) names.add(domain)
  for (const group of principal.groups) names.add(`@${printableAscii.test(group) ? group.toLowerCase() : group}`)
  for (const email of principal.emails) {
    const address = normaliseReader(email)
    if (address?.includes('@') === true && directory.owns?.(address) !== true) names.add(address)
  }
  return [...names]
}

/** Whether a clause holds for a reader: it names it, or something the reader is (a group, an address, a domain). */
export function covers(clause: readonly string[], reader: string, directory: Directory): boolean {
  return coversNames(clause, directory.namesOf(reader))
}

/** Whether a clause holds for somebody who goes by these names. */
export function coversNames(clause: readonly string[], names: readonly string[]): boolean {
  return clause.some((reader) => names.includes(reader))
}

/** Whether all clauses of an audience hold for somebody who goes by these names. */
export function mayReceive(audience: Audience, names: readonly string[]): boolean {
  return audience.every((clause) => coversNames(clause, names))
}

/**
 * Readers who may receive something with this audience, at most `limit`: those its clauses name, else declared
 * principals. `unknown` when there may be one that nobody can list, because the directory is not enumerable.
 */
export function possibleReaders(audience: Audience, directory: Directory, limit: number): readonly string[] | 'unknown' {
  if (audience.some((clause) => clause.length === 0)) return []
  const fits = (reader: string) => mayReceive(audience, directory.namesOf(reader))
  // A reader that no argument can name is none that may be chosen.
  const named = [...new Set(audience.flat())].filter((reader) => normaliseReader(reader) !== undefined && fits(reader))
  if (named.length > 0) return named.slice(0, limit)
  if (directory.readers === undefined) return 'unknown'
  const found: string[] = []
  for (const reader of directory.readers) {
    if (found.length === limit) break
    if (fits(reader)) found.push(reader)
  }
  return found
}
