/** Every kind of fault in answers. A table: one line a file. */
import type { AnswerKind } from './kind.ts'
import { argumentKinds } from './answers/arguments.ts'
import { endKinds } from './answers/ends.ts'
import { eventKinds } from './answers/events.ts'
import { identityKinds } from './answers/identities.ts'
import { nothingKinds } from './answers/nothings.ts'
import { reasoningKinds } from './answers/reasoning.ts'
import { usageKinds } from './answers/usage.ts'

export const answerKinds: readonly AnswerKind[] = [
  ...argumentKinds,
  ...endKinds,
  ...eventKinds,
  ...identityKinds,
  ...nothingKinds,
  ...reasoningKinds,
  ...usageKinds,
]
