/** Where clients of Converse call: the path names the model and the form of the answer. */
import { TurnwardError } from '../../../core/error.ts'
import type { DialectPaths, PathTarget } from '../../dialect.ts'
import { eventStream } from '../../framing/event-stream.ts'
import { unsupported } from '../../request/fields.ts'

export const paths: DialectPaths = { call: '/model/{target...}' }

/** Operations of the vendor's that are known and not served. */
const others: ReadonlySet<string> = new Set(['invoke-with-bidirectional-stream', 'count-tokens'])

/** `{modelId}/converse` or `{modelId}/converse-stream`; a model id holds colons, and is an ARN with slashes at times. */
export function readPath(target: string): PathTarget {
  const at = target.lastIndexOf('/')
  const operation = target.slice(at + 1)
  if (at > 0 && others.has(operation))
    throw unsupported(
      operation,
      'of Bedrock’s operations `converse`, `converse-stream`, `invoke` and `invoke-with-response-stream` are served',
    )
  if (at <= 0 || (operation !== 'converse' && operation !== 'converse-stream'))
    throw new TurnwardError('request.not_found', { subject: `/model/${target}`.slice(0, 200) })
  const model = modelOfPath(target.slice(0, at))
  const stream = operation === 'converse-stream'
  return { operation: 'call', model, stream, ...(stream ? { framing: eventStream } : {}) }
}

const longestModel = 2048

/** The id of a model as it stands in a path. Throws `request.invalid`. */
export function modelOfPath(text: string): string {
  let model: string
  try {
    model = decodeURIComponent(text)
  } catch {
    throw new TurnwardError('request.invalid', { subject: 'model', why: 'it is not percent-encoded UTF-8' })
  }
  const isWritten = /^[\x21-\x7e]+$/.test(model) && model.length <= longestModel
  if (!isWritten || model.split('/').some((part) => part === '' || part === '.' || part === '..'))
    throw new TurnwardError('request.invalid', { subject: 'model', why: 'it is no id of a model' })
  return model
}
