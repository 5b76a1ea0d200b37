/** Answers a question about something that is kept: who asks, what is answered, and errors in the envelope of its dialect. */
import type { JsonObject } from '../../core/json.ts'
import type { Caller } from '../../core/principal.ts'
import type { Dialect } from '../../wire/dialect.ts'
import { answerError } from '../answering/answering-client.ts'
import type { CallOrigin } from '../origins/call-origin.ts'
import type { Services } from '../services.ts'
import { forCall, settleState } from '../state-of-call.ts'
import type { Keeper } from './keeper.ts'

/** Who asks, with all there is. */
export interface AskingCaller extends Keeper {
  readonly services: Services
  readonly caller: Caller
}

/** What is answered, or who sends it bit by bit; undefined when it has been sent. */
export type Reply = JsonObject | ((origin: CallOrigin) => Promise<void>) | undefined

/** Never rejects. */
export async function answerCaller(
  gateway: Services,
  origin: CallOrigin,
  dialect: Dialect,
  answerOf: (keeper: AskingCaller) => Promise<Reply>,
): Promise<void> {
  let exit: (() => void) | undefined
  try {
    const snapshot = gateway.snapshot()
    const caller = await gateway.authenticator.authenticate(origin, snapshot, 'models')
    exit = gateway.live.enter(caller, origin)
    const services = forCall(gateway, caller)
    const answer = await answerOf({ services, snapshot, caller })
    await settleState(services)
    if (answer === undefined) return
    if (typeof answer === 'function') {
      await answer(origin)
      // What is sent bit by bit stops without a word when it is cut.
      if (origin.signal.aborted) answerError(origin.outlet, dialect, origin.signal.reason)
      return
    }
    const text = JSON.stringify(answer)
    origin.outlet.head(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    origin.outlet.end(text)
  } catch (thrown) {
    const error = answerError(origin.outlet, dialect, thrown)
    if (error.code.startsWith('auth.')) gateway.telemetry.count('turnward_auth_failures_total', { code: error.code })
    if (error.status >= 500) gateway.telemetry.logger.error({ code: error.code, err: error.cause }, error.message)
  } finally {
    exit?.()
  }
}
