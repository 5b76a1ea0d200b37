/** A wire format of the mock model. A dialect is a file and one line in `server.ts`. */
import type { Json } from '../../harness/json.ts'
import type { Answer, Conversation } from './conversation.ts'

export interface MockDialect {
  /** Whether a request to this path is one of this dialect. */
  readonly takes: (path: string) => boolean
  readonly read: (body: Json) => Conversation
  /** The answer as bytes: a whole one, or the events of a stream. */
  readonly write: (
    answer: Answer,
    request: { readonly path: string; readonly body: Json },
  ) => {
    readonly streamed: boolean
    /** Of a stream that is not of server-sent events. */
    readonly contentType?: string
    readonly parts: readonly (string | Buffer)[]
  }
}

/** The text of a content field, whatever its form; results inside results included. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return (content as Json[]).map((part) => (typeof part.text === 'string' ? part.text : textOf(part.content))).join('\n')
}

/** Enough that a client finds a conversation worth shortening, not so much that one shortens it unasked. */
export const usage = { input: 30_000, output: 17 }
