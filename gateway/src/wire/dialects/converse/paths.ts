/** Where clients of Converse call: the path names the model and the form of the answer. */
import { TurnwardError } from '../../../core/error.ts'
import type { DialectPaths, PathTarget } from '../../dialect.ts'
import { eventStream } from '../../framing/event-stream.ts'
import { unsupported } from '../../request/fields.ts'

export const paths: DialectPaths = { call: '/model/{target...}' }

const operations: Readonly<Record<string, Pick<PathTarget, 'operation' | 'stream' | 'framing'>>> = {
  converse: { operation: 'call', stream: false },
  'converse-stream': { operation: 'call', stream: true, framing: eventStream },
  'count-tokens': { operation: 'count', stream: false },
}

/** `{modelId}/{operation}`; a model id holds colons, and is an ARN with slashes at times. */
export function readPath(target: string): PathTarget {
  const at = target.lastIndexOf('/')
  const name = target.slice(at + 1)
  if (at > 0 && name === 'invoke-with-bidirectional-stream') throw unsupported(name, 'nobody here can look into such a stream')
  const operation = Object.hasOwn(operations, name) ? operations[name] : undefined
  if (at <= 0 || operation === undefined) throw new TurnwardError('request.not_found', { subject: `/model/${target}`.slice(0, 200) })
  return { ...operation, model: modelOfPath(target.slice(0, at)) }
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
