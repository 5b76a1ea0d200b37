/** Conditions of a change (RFC 9110, section 13): nobody replaces what they have not seen. Pure. */
import { digestJson } from '../../core/hash.ts'
import { TurnwardError } from '../../core/error.ts'

export interface Preconditions {
  readonly ifMatch: string | undefined
  readonly ifNoneMatch: string | undefined
}

/** The tag of an object, of what of it may be seen. */
export function etagOf(shown: unknown): string {
  return `"${digestJson(shown).slice(0, 32)}"`
}

/** The tag of all objects that are managed. */
export function revisionTag(revision: number): string {
  return `"r${revision}"`
}

/** `there`: the tag of what would be replaced; undefined when there is nothing. Throws `config.changed` or `config.tag_needed`. */
export function requireTag(there: string | undefined, { ifMatch, ifNoneMatch }: Preconditions, subject: string): void {
  if (ifNoneMatch !== undefined && there !== undefined && (ifNoneMatch.trim() === '*' || tagsIn(ifNoneMatch).includes(there)))
    throw new TurnwardError('config.changed', { subject, why: 'it is there already' })
  if (ifMatch === undefined) {
    if (there !== undefined) throw new TurnwardError('config.tag_needed', { subject })
    return
  }
  if (there === undefined) throw new TurnwardError('config.changed', { subject, why: 'it is not there any more' })
  if (ifMatch.trim() === '*' || tagsIn(ifMatch).includes(there)) return
  throw new TurnwardError('config.changed', { subject, why: `its \`ETag\` is ${there} now` })
}

/** Weak tags match nothing here (section 13.1.1). */
function tagsIn(header: string): readonly string[] {
  return header.match(/(?<!W\/)"[^"]*"/g) ?? []
}
