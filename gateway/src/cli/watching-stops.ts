/** Looks each second for what administrators have stopped. */
import { asTurnwardError } from '../core/error.ts'
import type { Logger } from '../core/logger.ts'
import type { Stops } from '../turns/stops/stops.ts'
import { eachSecond } from './each-second.ts'

export function watchStops(stops: Stops, logger: Logger): { close(): Promise<void> } {
  let hasFailed = false
  return eachSecond(
    async () => {
      await stops.look()
      hasFailed = false
    },
    (error) => {
      if (!hasFailed) logger.error({ code: asTurnwardError(error).code }, 'what is stopped cannot be read: no call goes on until it can')
      hasFailed = true
    },
  )
}
