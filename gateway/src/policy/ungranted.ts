/** Why somebody may not use something, in the words of records. Callers are told the same for what there is not. */
import type { GrantRuling } from './grant-index.ts'
import type { Gap } from './types.ts'

/** Travels as the cause of a `grant.*` error to the record; no answer shows a cause. */
export class Ungranted extends Error {
  readonly ruling: GrantRuling

  constructor(ruling: GrantRuling) {
    super(`denied by ${ruling.source}`)
    this.ruling = ruling
  }
}

/** What is missing when a ruling denies the use of `what`. */
export function ungranted({ source }: GrantRuling, what: string): Gap {
  return { kind: 'grant', detail: why(source, what), source }
}

function why(source: string, what: string): string {
  if (source === 'grants') return `no grant lets this principal use the ${what}`
  if (source.startsWith('forbid ')) return `a line of \`grants\` forbids this principal the ${what}`
  return `the key of this call is not for the ${what}`
}
