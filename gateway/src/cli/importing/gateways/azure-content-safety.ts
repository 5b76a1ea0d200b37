/**
 * Azure's Content Safety, as other gateways have it. A guard of ours has one severity for all of its categories, so categories with
 * others become guards of their own.
 */
import { looksSecret } from '../../../config/masking.ts'
import type { Draft } from './draft.ts'
import type { DraftEntry } from './draft-entry.ts'
import type { Foreign } from './foreign-value.ts'
import { textsOf } from './guard-settings.ts'

export interface ForeignCategory {
  /** `Hate`, as Azure calls it. */
  readonly name: string
  /** What names it. */
  readonly said?: Foreign
  readonly severity: Foreign | undefined
}

export interface ForeignContentSafety {
  readonly categories: readonly ForeignCategory[]
  /** From which severity on something is found where a category does not say it. */
  readonly usual: number
  readonly blocklists: Foreign | undefined
  /** A guard without categories. */
  readonly make: () => DraftEntry
}

export const contentCategories: readonly string[] = ['Hate', 'SelfHarm', 'Sexual', 'Violence']
const most = 6
const levels = 'there are four levels here (0, 2, 4, 6): it is found from the next lower one on'

export function takeContentSafety(
  wanted: string,
  { categories, usual, blocklists, make }: ForeignContentSafety,
  draft: Draft,
): readonly string[] {
  const bySeverity = Map.groupBy(
    categories.filter((category) => isKnown(category)),
    ({ severity }) => severityOf(severity, usual)[0],
  )
  if (bySeverity.size === 0) bySeverity.set(severityOf(undefined, usual)[0], [])
  return [...bySeverity].flatMap(([severity, group], index) => {
    const entry = make().set('severity', severity)
    if (group.length > 0)
      entry.set(
        'categories',
        group.map(({ name }) => name),
      )
    for (const [at, { said, severity: from }] of group.entries()) {
      if (said !== undefined) entry.from(said, `categories[${at}]`)
      if (from !== undefined) entry.from(from, 'severity', severityOf(from, usual)[1])
    }
    // They are looked for once.
    if (index === 0) setBlocklists(entry, blocklists)
    const name = draft.add('guards', wanted, entry)
    return name === undefined ? [] : [name]
  })
}

function isKnown({ name, said, severity }: ForeignCategory): boolean {
  if (contentCategories.includes(name)) return true
  for (const from of [said, severity]) from?.left('Content Safety has no such category')
  return false
}

/** What counts as severe, and what is different about it. The gateway asks in four levels. */
function severityOf(from: Foreign | undefined, usual: number): readonly [severity: number, why?: string] {
  const level = from?.number()
  if (from === undefined) return [usual]
  if (level === undefined || level > most) return level === undefined ? [usual, 'it is no level, and the usual one holds'] : [most, levels]
  if (level < 1) return [1, 'what has no severity at all is not found']
  return level % 2 === 0 ? [level] : [Math.max(1, Math.floor(level / 2) * 2), levels]
}

function setBlocklists(entry: DraftEntry, from: Foreign | undefined): void {
  const taken = textsOf(from, entry, 'blocklists', {
    isTaken: (text) => /^[\w~.-]{1,64}$/.test(text) && !looksSecret(text),
    why: 'it is no name of a block list',
    most: 10,
  })
  if (taken.length > 0) entry.set('blocklists', taken)
}
