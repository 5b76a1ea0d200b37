/** Asks the upstreams of a route for an operation: as it came where they have it in the caller's form, converted where they have not. */
import type { Route, RouteTarget } from '../../config/snapshot.ts'
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import { chooseForOperation, routingField } from '../answering/choosing-upstreams.ts'
import { pause } from '../../models/balancing/pausing.ts'
import { askedWaitMs } from '../../models/balancing/waiting-times.ts'
import { providers } from '../../providers/providers.ts'
import type { CallOrigin } from '../origins/call-origin.ts'
import type { OperationCall } from '../recording/recording-operation.ts'
import { askConverted } from './converted-embeddings.ts'
import { type OperationBody, type OperationTarget, openWay } from './opening-way.ts'
import { refusalOf, relayOperation } from './relaying-operation.ts'

/**
 * The first that answers answers; one that is busy or broken, or whose form has no word for what is asked, is passed over while
 * nothing has gone out.
 */
export async function askForOperation(call: OperationCall, origin: CallOrigin, route: Route, body: OperationBody): Promise<void> {
  const targets = targetsFor(call, route)
  const attempts = await chooseForOperation(call, route, [...targets.keys()], body.json)
  let failure: unknown
  for (let target = attempts.take(); target !== undefined; target = attempts.take()) {
    const place = targets.get(target)
    if (place === undefined) continue
    let asked = 0
    try {
      call.routing = routingField(attempts, target).routing
      const isConverted = body.isConverted === true || place.form !== body.form
      if (call.operation === 'embeddings' && isConverted) return await askConverted(call, origin, { target, place }, body)
      call.leftOut = []
      const { bytes, contentType } = await body.as(target.model ?? body.model)
      const send = await openWay(call, origin, { target, place })
      const sent = await send(bytes, contentType)
      const isBusy = sent.response.status === 429 || sent.response.status >= 500
      if (isBusy) {
        asked = askedWaitMs(sent.response.headers, call.services.clock.now()) ?? 0
        throw await refusalOf(sent)
      }
      return await relayOperation(call, origin, sent)
    } catch (error) {
      if (origin.outlet.hasBegun || origin.signal.aborted || !isWorthAnother(error)) throw error
      // What one could have answered at another time is no fault of the request.
      if (failure === undefined || !isInexpressible(error)) failure = error
      const { code } = asTurnwardError(error)
      const isTransient = code.startsWith('upstream.') && code !== 'upstream.credential'
      const wait = attempts.after(isTransient ? 'transient' : 'elsewhere', code, asked)
      if (wait === undefined) throw failure
      noteFailover(call, target, code)
      if (wait > 0) await pause(wait, origin.signal)
    }
  }
}

/** Upstreams of a route that have the operation. Throws `request.unsupported` when none has. */
function targetsFor({ operation }: OperationCall, route: Route): ReadonlyMap<RouteTarget, OperationTarget['place']> {
  const targets = new Map<RouteTarget, OperationTarget['place']>()
  for (const target of route.targets) {
    const place = providers[target.upstream.config.kind].operations?.[operation]
    if (place !== undefined) targets.set(target, typeof place === 'string' ? { path: place, form: 'openai' } : place)
  }
  if (targets.size > 0) return targets
  throw new TurnwardError('request.unsupported', { subject: operation, why: `no upstream of the route \`${route.model}\` has it` })
}

/** Whether it is only this upstream that cannot be asked so. */
function isInexpressible(error: unknown): boolean {
  return asTurnwardError(error).code === 'request.unsupported'
}

/** What else is wrong with the request is wrong everywhere. */
function isWorthAnother(error: unknown): boolean {
  const { code, status } = asTurnwardError(error)
  if (isInexpressible(error)) return true
  if (code === 'upstream.failed') return status === 429 || status >= 500
  return code.startsWith('upstream.') || code.startsWith('limit.')
}

function noteFailover({ services }: OperationCall, { upstream }: RouteTarget, why: string): void {
  services.telemetry.count('turnward_upstream_failovers_total', { upstream: upstream.name })
  services.telemetry.logger.warn({ upstream: upstream.name, why }, 'failing over to the next upstream')
}
