/**
 * All grants of a configuration as one index. A caller is the set of lines that hold for it, a name the set of lines that name
 * it; what decides is the first line in both. Both sets are remembered, so that asking again costs some hundred words of bits,
 * however many grants, people and tools there are.
 */
import { BoundedMap } from '../core/bounded-map.ts'
import { allowsThisWay, folded, forbidsThisWay, type Grant, type GrantKind, isForEveryone, serverOfGranted } from './grants.ts'
import { addLine, firstInBoth, hasLine, lineSet, type LineSet, removeLine } from './line-sets.ts'
import { NamedLines } from './named-lines.ts'
import type { Grantee } from './types.ts'
import { compileWithin, type Narrowing } from './within.ts'

/** What decides whether a caller may use something: the line, or what narrows the caller's key. `grants`: no line names it. */
export interface GrantRuling {
  readonly allowed: boolean
  /** `grant #2`, `forbid #5`, `key key_…`, `grants`. */
  readonly source: string
}

/** The lines that hold for a caller. Callers for whom the same lines hold have the same one. */
export interface Standing {
  readonly allow: LineSet
  readonly forbid: LineSet
  readonly narrowing: Narrowing | undefined
}

export interface LinesOfName {
  readonly allow: LineSet
  readonly forbid: LineSet
}

type Effect = 'allow' | 'forbid'
type NamedKind = GrantKind | 'servers'

const kinds: readonly NamedKind[] = ['models', 'gateways', 'servers', 'tools']
/** Names of a kind and sets of lines that are remembered, and the longest name: clients ask for what they like. */
const mostNames = 10_000
const mostNameBytes = 16 * 1024 * 1024
const longestName = 256
const mostStandings = 2000

export class GrantIndex {
  /** In the order of the file. */
  readonly lines: readonly Grant[]
  readonly #named: Readonly<Record<Effect, Readonly<Record<NamedKind, NamedLines>>>>
  readonly #byPrincipal: Readonly<Record<Effect, ReadonlyMap<string, readonly number[]>>>
  readonly #byGroup: Readonly<Record<Effect, ReadonlyMap<string, readonly number[]>>>
  readonly #forEveryone: LineSet
  /** Lines that hold for some ways of calling only. */
  readonly #conditional: readonly number[]
  readonly #hasForbids: boolean
  /** By the name alone: its hash is known, that of a name with something before it is not. */
  readonly #names: Readonly<Record<GrantKind, BoundedMap<string, LinesOfName>>> = {
    models: namesOfKind(),
    gateways: namesOfKind(),
    tools: namesOfKind(),
  }
  readonly #standings = new BoundedMap<string, Standing>({ most: mostStandings })
  readonly #ofCaller = new WeakMap<Grantee, Standing>()

  constructor(lines: readonly Grant[]) {
    this.lines = lines
    this.#named = { allow: namedLines(lines, 'allow'), forbid: namedLines(lines, 'forbid') }
    this.#byPrincipal = { allow: linesBy(lines, 'principals'), forbid: linesBy(lines, 'principals', folded) }
    this.#byGroup = { allow: linesBy(lines, 'groups'), forbid: linesBy(lines, 'groups', folded) }
    this.#forEveryone = lineSet(lines.length, indicesOf(lines, isForEveryone))
    this.#conditional = indicesOf(lines, ({ consumers, actors, issuers }) => (consumers ?? actors ?? issuers) !== undefined)
    this.#hasForbids = lines.some(({ forbid }) => forbid !== undefined)
  }

  /** What decides, and whether the caller may use the named thing. */
  ruling(caller: Grantee, kind: GrantKind, name: string): GrantRuling {
    const standing = this.standing(caller)
    const named = this.#linesOf(kind, name)
    const forbidden = this.#hasForbids ? firstInBoth(standing.forbid, named.forbid) : undefined
    if (forbidden !== undefined) return { allowed: false, source: this.lines[forbidden]?.forbidSource ?? 'grants' }
    const line = firstInBoth(standing.allow, named.allow)
    const allowedBy = line === undefined ? undefined : this.lines[line]
    if (allowedBy === undefined) return { allowed: false, source: 'grants' }
    if (standing.narrowing?.(kind, name) === false) return { allowed: false, source: `key ${caller.key ?? ''}`.trim() }
    return { allowed: true, source: allowedBy.source }
  }

  /** The lines that name something, to allow it and to forbid it. */
  naming(kind: GrantKind, name: string): LinesOfName {
    return this.#linesOf(kind, name)
  }

  /** The lines that hold for a caller: the same object while nothing that matters differs. */
  standing(caller: Grantee): Standing {
    const known = this.#ofCaller.get(caller)
    if (known !== undefined) return known
    const standing = this.#standingOf(caller)
    this.#ofCaller.set(caller, standing)
    return standing
  }

  #standingOf(caller: Grantee): Standing {
    const { id, emails, groups } = caller.principal
    const allow = this.#linesFor('allow', [id], groups)
    // An address is enough to be forbidden something, and too little to be allowed it: not every one is proven.
    const forbid = this.#hasForbids ? this.#linesFor('forbid', [id, ...emails].map(folded), groups.map(folded)) : lineSet(0)
    for (const index of this.#conditional) {
      const line = this.lines[index]
      if (line === undefined) continue
      if (hasLine(allow, index) && !allowsThisWay(line, caller)) removeLine(allow, index)
      if (hasLine(forbid, index) && !forbidsThisWay(line, caller)) removeLine(forbid, index)
    }
    const key = `${allow.join()} ${forbid.join()} ${caller.within === undefined ? '' : JSON.stringify(caller.within)}`
    const known = this.#standings.get(key)
    if (known !== undefined) return known
    const standing: Standing = { allow, forbid, narrowing: compileWithin(caller.within) }
    this.#standings.set(key, standing)
    return standing
  }

  #linesFor(effect: Effect, ids: readonly string[], groups: readonly string[]): LineSet {
    const set = this.#forEveryone.slice()
    for (const id of ids) for (const line of this.#byPrincipal[effect].get(id) ?? []) addLine(set, line)
    for (const group of groups) for (const line of this.#byGroup[effect].get(group) ?? []) addLine(set, line)
    return set
  }

  #linesOf(kind: GrantKind, name: string): LinesOfName {
    const known = this.#names[kind].get(name)
    if (known !== undefined) return known
    const lines = { allow: this.#find('allow', kind, name), forbid: this.#hasForbids ? this.#find('forbid', kind, name) : lineSet(0) }
    if (name.length <= longestName)
      this.#names[kind].set(name, lines, { size: lines.allow.byteLength + lines.forbid.byteLength + 2 * name.length })
    return lines
  }

  #find(effect: Effect, kind: GrantKind, name: string): LineSet {
    const set = lineSet(this.lines.length)
    const found = (line: number): void => addLine(set, line)
    this.#named[effect][kind].each(name, found)
    const server = kind === 'tools' ? serverOfGranted(name) : undefined
    if (server !== undefined) this.#named[effect].servers.each(server, found)
    return set
  }
}

/** The source of the first grant that lets the caller use the named thing (`grant #2`), or undefined: denied. */
export function granted(grants: GrantIndex, caller: Grantee, kind: GrantKind, name: string): string | undefined {
  const { allowed, source } = grants.ruling(caller, kind, name)
  return allowed ? source : undefined
}

function namesOfKind(): BoundedMap<string, LinesOfName> {
  return new BoundedMap({ most: mostNames, maxBytes: mostNameBytes })
}

function namedLines(lines: readonly Grant[], effect: Effect): Readonly<Record<NamedKind, NamedLines>> {
  const named = { models: new NamedLines(), gateways: new NamedLines(), servers: new NamedLines(), tools: new NamedLines() }
  for (const [index, line] of lines.entries()) {
    for (const kind of kinds) for (const pattern of line[effect]?.[kind] ?? []) named[kind].add(pattern, index)
  }
  return named
}

function linesBy(
  lines: readonly Grant[],
  who: 'principals' | 'groups',
  written: (name: string) => string = (name) => name,
): ReadonlyMap<string, readonly number[]> {
  const by = new Map<string, number[]>()
  for (const [index, line] of lines.entries()) {
    for (const name of line[who]) {
      const known = by.get(written(name))
      if (known === undefined) by.set(written(name), [index])
      else known.push(index)
    }
  }
  return by
}

function indicesOf(lines: readonly Grant[], holds: (line: Grant) => boolean): number[] {
  return lines.flatMap((line, index) => (holds(line) ? [index] : []))
}
