/** Patterns that another gateway looks at prompts with, as a guard. */
import type { Draft } from './draft.ts'
import { DraftEntry } from './draft-entry.ts'
import { patternOf } from './foreign-pattern.ts'
import type { ForeignTexts } from './foreign-text.ts'
import type { Foreign } from './foreign-value.ts'

export interface ForeignPromptGuard {
  readonly deny: Foreign | undefined
  readonly allow: Foreign | undefined
  /** Whether messages of all roles are looked at, and not only those of users. */
  readonly allRoles: Foreign | undefined
  /** What says how much of a conversation is looked at, and whether that is its last message alone. */
  readonly history: Foreign | undefined
  readonly isAboutLast: boolean
  /** What says that it is there. */
  readonly said: Foreign | undefined
}

const inAll = 'it is looked for in the whole conversation'
const inLast = 'it is looked for in what the user said last'

/** The name of the guard; undefined when none of its patterns could be taken over. */
export function takePromptGuard(wanted: string, guard: ForeignPromptGuard, draft: Draft, texts: ForeignTexts): string | undefined {
  const entry = new DraftEntry().set('kind', 'patterns').set('on', 'input')
  let hasAny = false
  for (const [list, elsewhere] of [
    ['deny', guard.isAboutLast ? inAll : undefined],
    ['allow', guard.isAboutLast ? undefined : inLast],
  ] as const) {
    const patterns: string[] = []
    for (const item of guard[list]?.items() ?? []) {
      const pattern = patternOf(item, wanted, texts)
      if (pattern === undefined) continue
      for (const why of [pattern.why, elsewhere]) entry.from(item, `${list}[${patterns.length}]`, why)
      patterns.push(pattern.text)
    }
    if (patterns.length > 0) entry.set(list, patterns)
    hasAny ||= patterns.length > 0
  }
  if (!hasAny) return undefined
  const isAll = guard.allRoles?.flag() === true
  if (!isAll) entry.set('parts', ['user'], guard.allRoles)
  if (guard.said !== undefined) entry.from(guard.said, '')
  const name = draft.add('guards', wanted, entry)
  if (isAll) guard.allRoles?.left('all of a request is looked at')
  guard.history?.left('what is denied is looked for in the whole conversation, and what is allowed in what its user said last')
  return name
}
