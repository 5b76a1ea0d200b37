/** Patterns that another gateway looks at prompts with, as a guard. */
import { compileTextPatterns } from '../../../core/text-patterns.ts'
import type { Draft } from './draft.ts'
import { DraftEntry } from './draft-entry.ts'
import type { ForeignTexts } from './foreign-text.ts'
import type { Foreign } from './foreign-value.ts'

export interface ForeignPromptGuard {
  readonly deny: Foreign | undefined
  readonly allow: Foreign | undefined
  /** Whether messages of all roles are looked at, and not only those of users. */
  readonly allRoles: Foreign | undefined
  /** What says how much of a conversation is looked at. */
  readonly history: Foreign | undefined
  /** What says that it is there. */
  readonly said: Foreign | undefined
}

/** The name of the guard; undefined when none of its patterns could be taken over. */
export function takePromptGuard(wanted: string, guard: ForeignPromptGuard, draft: Draft, texts: ForeignTexts): string | undefined {
  const entry = new DraftEntry().set('kind', 'patterns').set('on', 'input')
  let hasAny = false
  for (const list of ['deny', 'allow'] as const) {
    const patterns: string[] = []
    for (const item of guard[list]?.items() ?? []) {
      const pattern = item.text()
      const written = pattern === undefined ? undefined : patternText(pattern, wanted, texts)
      if (written === undefined) {
        item.left('it is no pattern of RE2, which has no look-around and no references back')
        continue
      }
      entry.from(item, `${list}[${patterns.length}]`)
      patterns.push(written)
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

function patternText(pattern: string, owner: string, texts: ForeignTexts): string | undefined {
  try {
    compileTextPatterns([pattern])
  } catch {
    return undefined
  }
  return texts.words(pattern, owner, `${owner}_PATTERN`).text
}
