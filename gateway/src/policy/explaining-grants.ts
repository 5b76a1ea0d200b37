/**
 * Why a caller may or may not use something, for people: the line that decides, and those that nearly do. Reads the same index
 * that decides calls, so it cannot say anything else than they meet.
 */
import { closest } from '../core/closest-name.ts'
import type { GrantIndex, GrantRuling } from './grant-index.ts'
import { allowsThisWay, type Grant, type GrantKind, isForEveryone } from './grants.ts'
import { hasLine } from './line-sets.ts'
import type { Grantee } from './types.ts'

export interface GrantExplanation {
  readonly ruling: GrantRuling
  /** Indices of the lines that allow it, and of those that forbid it, in the order of the file. */
  readonly allowedBy: readonly number[]
  readonly forbiddenBy: readonly number[]
  /** Lines that allow it to others, or something like it to this caller: what is missing. Nearest first. */
  readonly misses: readonly NearMiss[]
}

export interface NearMiss {
  readonly line: number
  /** In words: `it is for group \`support\``. */
  readonly why: string
}

const mostMisses = 5
const mostNamed = 3

/** Explains the ruling on one thing. */
export function explainGrant(grants: GrantIndex, caller: Grantee, kind: GrantKind, name: string): GrantExplanation {
  const standing = grants.standing(caller)
  const naming = grants.naming(kind, name)
  const indices = grants.lines.keys().toArray()
  const allowedBy = indices.filter((index) => hasLine(standing.allow, index) && hasLine(naming.allow, index))
  const forbiddenBy = indices.filter((index) => hasLine(standing.forbid, index) && hasLine(naming.forbid, index))
  return {
    ruling: grants.ruling(caller, kind, name),
    allowedBy,
    forbiddenBy,
    misses: allowedBy.length > 0 ? [] : missesOf(grants.lines, (index) => hasLine(naming.allow, index), caller, kind, name),
  }
}

function missesOf(
  lines: readonly Grant[],
  names: (index: number) => boolean,
  caller: Grantee,
  kind: GrantKind,
  name: string,
): readonly NearMiss[] {
  const found = lines.flatMap((line, index): (NearMiss & { readonly far: number })[] => {
    const missing = missingOf(line, caller)
    if (names(index)) return [{ line: index, why: missing.join(', and '), far: missing.length }]
    const near = missing.length === 0 ? closest(name, line.allow[kind]) : undefined
    return near === undefined ? [] : [{ line: index, why: `it is for \`${near}\``, far: 0 }]
  })
  return found
    .toSorted((one, other) => one.far - other.far)
    .slice(0, mostMisses)
    .map(({ line, why }) => ({ line, why }))
}

/** What the caller is not that the line asks for. */
function missingOf(line: Grant, caller: Grantee): readonly string[] {
  const { principal } = caller
  const isForIt = isForEveryone(line) || line.principals.has(principal.id) || principal.groups.some((group) => line.groups.has(group))
  const missing: string[] = []
  if (!isForIt)
    missing.push(`it is for ${[listed('principal', line.principals), listed('group', line.groups)].filter(Boolean).join(' and ')}`)
  for (const [noun, names, narrowed] of [
    ['consumer', line.consumers, { ...line, actors: undefined, issuers: undefined }],
    ['actor', line.actors, { ...line, consumers: undefined, issuers: undefined }],
    ['issuer', line.issuers, { ...line, consumers: undefined, actors: undefined }],
  ] as const)
    if (names !== undefined && !allowsThisWay(narrowed, caller)) missing.push(`it needs ${listed(noun, names)}`)
  return missing
}

function listed(noun: string, names: ReadonlySet<string>): string {
  const shown = [...names].slice(0, mostNamed).map((name) => `\`${name}\``)
  if (shown.length === 0) return ''
  const more = names.size - shown.length
  return `${noun} ${shown.join(' or ')}${more > 0 ? ` or ${more} more` : ''}`
}
