/**
 * Grants: who may use which models, gateways and tools. What no line allows is denied, and what a line forbids is denied whatever
 * allows it. Names are taken exactly where they allow, and without case where they forbid: a name that somebody else wrote
 * otherwise must neither open a door nor pass one that is shut.
 */
import type { Config } from '@turnward/contract/config'
import type { Grantee } from './types.ts'
import { serverOfName } from '../core/tool-names.ts'

/** Kinds of things that are granted by name. `tools`: resources and prompts too. */
export type GrantKind = 'models' | 'gateways' | 'tools'

type Line = Config['grants'][number]
type Named = Pick<Line, 'models' | 'gateways' | 'servers' | 'tools'>

/** A line of `grants`, its names resolved. */
export interface Grant {
  /** `grant #2`, in the order of the file. */
  readonly source: string
  /** What the line is called where it forbids: `forbid #2`. */
  readonly forbidSource: string
  readonly principals: ReadonlySet<string>
  readonly groups: ReadonlySet<string>
  /** Undefined: whichever it is. */
  readonly consumers: ReadonlySet<string> | undefined
  readonly actors: ReadonlySet<string> | undefined
  readonly issuers: ReadonlySet<string> | undefined
  readonly allow: Named
  readonly forbid: Named | undefined
}

/** How names are compared where they forbid. */
export function folded(name: string): string {
  return name.toLowerCase()
}

/** The lines in the order of the file. An address of a declared principal means that principal. References are checked by the config room. */
export function grantLines(config: Pick<Config, 'grants' | 'principals'>): readonly Grant[] {
  const owners = new Map(
    Object.entries(config.principals).flatMap(([id, { emails }]) => emails.map((email) => [folded(email), id] as const)),
  )
  return config.grants.map((line, index): Grant => {
    const { principals, groups, consumers, actors, issuers, models, gateways, servers, tools, forbid } = line
    const idsOf = (name: string) => [name, ...(Object.hasOwn(config.principals, name) ? [] : [owners.get(folded(name)) ?? name])]
    return {
      source: `grant #${index + 1}`,
      forbidSource: `forbid #${index + 1}`,
      principals: new Set(principals.flatMap(idsOf)),
      groups: new Set(groups),
      consumers: consumers && new Set(consumers),
      actors: actors && new Set(actors),
      issuers: issuers && new Set(issuers),
      allow: { models, gateways, servers, tools },
      forbid,
    }
  })
}

/** Whether a line is for everyone that its conditions hold for. */
export function isForEveryone({ principals, groups }: Grant): boolean {
  return principals.has('*') || (principals.size === 0 && groups.size === 0)
}

/**
 * Whether what a line allows holds for calls that come this way. Of a chain of agents the one that calls counts: those before it
 * are hearsay (RFC 8693 section 4.1).
 */
export function allowsThisWay({ consumers, actors, issuers }: Grant, { consumer = null, issuer = null, ...grantee }: Grantee): boolean {
  const [actor = null] = actorsOf(grantee)
  return isOneOf(consumers, consumer) && isOneOf(actors, actor) && isOneOf(issuers, issuer)
}

/** Whether what a line forbids holds for calls that come this way: for an agent also where it stands further back in the chain. */
export function forbidsThisWay({ consumers, actors, issuers }: Grant, { consumer = null, issuer = null, ...grantee }: Grantee): boolean {
  const acting = actorsOf(grantee)
  return (
    isFoldedOneOf(consumers, consumer) &&
    (actors === undefined || acting.some((actor) => isFoldedOneOf(actors, actor))) &&
    isFoldedOneOf(issuers, issuer)
  )
}

function actorsOf({ actors, actor }: Pick<Grantee, 'actors' | 'actor'>): readonly string[] {
  return actors !== undefined && actors.length > 0 ? actors : actor === null ? [] : [actor]
}

function isOneOf(names: ReadonlySet<string> | undefined, name: string | null): boolean {
  return names === undefined || (name !== null && names.has(name))
}

function isFoldedOneOf(names: ReadonlySet<string> | undefined, name: string | null): boolean {
  if (names === undefined) return true
  if (name === null) return false
  for (const one of names) if (folded(one) === folded(name)) return true
  return false
}

/** The server that a tool, a resource or a prompt is one of; undefined for what belongs to none. */
export function serverOfGranted(name: string): string | undefined {
  const read = /^(?:resource|prompt):([^/]+)\//.exec(name)
  return read === null ? serverOfName(name) : read[1]
}
