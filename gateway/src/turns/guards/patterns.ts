/** The kind `patterns`: what must not be found, and what must. */
import type { GuardConfig } from '@turnward/contract/config'
import type { Guard } from '../../config/snapshot.ts'
import type { Inspector } from './guard.ts'
import { apart } from './findings.ts'
import { endOfSentences } from './sentences.ts'

type PatternsConfig = Extract<GuardConfig, { kind: 'patterns' }>

export function inspectPatterns({ deny, allow }: Guard, { hold, replacement }: PatternsConfig): Inspector {
  return {
    // Which pattern it was is on record; what it says is nobody's to learn from a refusal.
    find: (text) =>
      apart(deny.find(text).map(({ start, end, pattern }) => ({ start, end, what: `deny[${pattern}]`, instead: replacement }))),
    isClear: (text) => !deny.mayHold(text),
    openFrom(text) {
      if (hold === 'sentence') return endOfSentences(text)
      return hold === 'answer' ? 0 : Math.max(0, text.length - hold)
    },
    ...(allow.count === 0 ? {} : { refuses: (text) => (allow.which(text).length > 0 ? undefined : 'nothing of what is allowed') }),
  }
}
