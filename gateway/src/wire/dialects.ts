/** The table of dialects: a lens on requests and answers, and one on streams, each. */
import type { Dialect, DialectName } from './dialect.ts'
import { chatCompletions } from './dialects/chat-completions/chat-completions.ts'
import { converse } from './dialects/converse/converse.ts'
import { gemini } from './dialects/gemini/gemini.ts'
import { messages } from './dialects/messages/messages.ts'
import { responses } from './dialects/responses/responses.ts'

/** The lens of each dialect. */
export const dialectByName: Readonly<Record<DialectName, Dialect>> = {
  'chat-completions': chatCompletions,
  messages,
  converse,
  gemini,
  responses,
}

/** Fields that any dialect reads: what one upstream takes for nothing, another may read, whichever it is sent to. */
export const allGuardedFields: ReadonlySet<string> = new Set(
  Object.values(dialectByName).flatMap(({ guardedFields }) => [...guardedFields]),
)
