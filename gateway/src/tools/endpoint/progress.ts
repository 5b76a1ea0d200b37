/** Progress of a request, told to its client under the client's own token, and what servers log meanwhile. */
import { numberText } from '../../core/exact-json.ts'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { compareNumbers } from '../../core/number-literals.ts'
import type { CallOptions } from '../catalogue.ts'
import { isWanted } from '../log-levels.ts'
import { LatestInTime, Pace } from '../pace.ts'
import type { MethodCall } from './parts.ts'

/** The latest progress always arrives, before the result. */
const progressRate = { burst: 10, perSecond: 10 }
const logRate = { burst: 100, perSecond: 20 }

/** Where log messages go; undefined when the client wants none, or cannot be told. Too many are left out, and counted. */
export function logsOf({ reply, logLevel, parts }: MethodCall): CallOptions['logs'] {
  if (reply === undefined || logLevel === undefined) return undefined
  const pace = new Pace(parts.clock, logRate)
  let leftOut = 0
  const tellLeftOut = (): void => {
    if (leftOut === 0) return
    const data = `${leftOut} log messages are left out: the server logs more than ${logRate.perSecond} a second, or words that are withheld`
    leftOut = 0
    reply.notify('notifications/message', { level: isWanted('warning', logLevel) ? 'warning' : logLevel, logger: 'turnward', data })
  }
  const leaveOut = ({ level }: JsonObject): void => {
    if (isWanted(level, logLevel)) leftOut += 1
  }
  reply.beforeEnd(tellLeftOut)
  return {
    level: logLevel,
    leaveOut,
    tell(message) {
      if (!isWanted(message.level, logLevel)) return
      if (!pace.take()) return leaveOut(message)
      tellLeftOut()
      reply.notify('notifications/message', message)
    },
  }
}

/** Where progress goes; undefined when the client wants none, or cannot be told. */
export function progressOf({ reply, parts }: MethodCall, meta: JsonObject | undefined): ((progress: JsonObject) => void) | undefined {
  const token = meta?.progressToken
  if (reply === undefined || (typeof token !== 'string' && typeof token !== 'number')) return undefined
  const latest = new LatestInTime<JsonObject>(new Pace(parts.clock, progressRate), (params) =>
    reply.notify('notifications/progress', { ...params, progressToken: token }),
  )
  reply.beforeEnd(() => latest.flush())
  return increasing((params) => latest.offer(params))
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
