/** Where clients of Gemini call, and what their path says: the model, the operation and the form of a stream. */
import { TurnwardError } from '../../../core/error.ts'
import type { DialectPaths, PathTarget } from '../../dialect.ts'
import { invalid, unsupported } from '../../request/fields.ts'
import { jsonList } from './json-list.ts'

export const paths: DialectPaths = {
  call: '/v1beta/models/{target...}',
  more: ['/v1/models/{target...}'],
  models: '/v1beta/models',
}

const operations: Readonly<Record<string, Pick<PathTarget, 'operation' | 'stream'>>> = {
  generateContent: { operation: 'call', stream: false },
  streamGenerateContent: { operation: 'call', stream: true },
  countTokens: { operation: 'count', stream: false },
  embedContent: { operation: 'embeddings', stream: false },
  batchEmbedContents: { operation: 'embeddings', stream: false },
}

/** `{model}:{operation}` and the query. Throws `request.not_found`, `request.invalid`, `request.unsupported`. */
export function readPath(target: string, query: string): PathTarget {
  const colon = target.lastIndexOf(':')
  if (colon <= 0) throw new TurnwardError('request.not_found', { subject: `/v1beta/models/${target.slice(0, 200)}` })
  const name = target.slice(colon + 1)
  const said = Object.hasOwn(operations, name) ? operations[name] : undefined
  if (said === undefined)
    throw unsupported(
      `the operation ${/^\w{1,64}$/.test(name) ? name : 'of the path'}`,
      'it is not served here',
      `Served are ${Object.keys(operations).join(', ')}.`,
    )
  const alt = new URLSearchParams(query).getAll('alt')
  if (alt.length > 1 || (alt[0] !== undefined && alt[0] !== 'json' && (alt[0] !== 'sse' || !said.stream)))
    throw invalid('alt', 'it must be `sse` for a stream of events, or left out')
  const model = decoded(target.slice(0, colon))
  return { ...said, model, ...(said.stream && alt[0] !== 'sse' ? { framing: jsonList } : {}) }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalid('path', 'it is not percent-encoded UTF-8')
  }
}
