/** Progress of a request, told to its client under the client's own token, and what servers log meanwhile. */
import { numberText } from '../../core/exact-json.ts'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { compareNumbers } from '../../core/number-literals.ts'
import type { CallOptions } from '../catalogue.ts'
import { isWanted } from '../log-levels.ts'
import type { MethodCall } from './parts.ts'

/** Where log messages go; undefined when the client wants none, or cannot be told. */
export function logsOf({ reply, logLevel }: MethodCall): CallOptions['logs'] {
  if (reply === undefined || logLevel === undefined) return undefined
  return {
    level: logLevel,
    tell(message) {
      if (isWanted(message.level, logLevel)) reply.notify('notifications/message', message)
    },
  }
}

/** Where progress goes; undefined when the client wants none, or cannot be told. */
export function progressOf({ reply }: MethodCall, meta: JsonObject | undefined): ((progress: JsonObject) => void) | undefined {
  const token = meta?.progressToken
  if (reply === undefined || (typeof token !== 'string' && typeof token !== 'number')) return undefined
  return increasing((params) => reply.notify('notifications/progress', { ...params, progressToken: token }))
}

/** Progress must increase (basic/patterns/progress); what does not is dropped. */
function increasing(send: (params: JsonObject) => void): (params: JsonObject) => void {
  let last: string | undefined
  return (params) => {
    const progress = numberText(params.progress)
    if (progress === undefined || (last !== undefined && compareNumbers(progress, last) <= 0)) return
    last = progress
    send(readable(params))
  }
}

/** Without what no client could read: an amount that is no number, a message that is no text. */
function readable(params: JsonObject): JsonObject {
  const { total, message, ...rest } = params
  return {
    ...rest,
    ...(numberText(total) === undefined ? {} : { total: total as JsonValue }),
    ...(typeof message === 'string' ? { message } : {}),
  }
}
