/** The first and the last record of a model call that did not come from an upstream attempt. */
import type { DecisionRecord } from '@turnward/contract/decision'
import { asTurnwardError, type TurnwardError } from '../../core/error.ts'
import type { PricedRound } from '../../models/prices/prices.ts'
import type { CallEnd } from '../../telemetry/telemetry.ts'
import type { CacheOfCall } from '../caching/cache-of-call.ts'
import type { AttachedCall, ModelCall } from '../call.ts'
import { noteDecision, recordOf } from './recording.ts'
import { noModel, whyNotGranted } from './why-not-granted.ts'

/** A model nobody granted: on record with the session it was asked in. */
export function recordRefusedModel(
  call: AttachedCall,
  model: string,
  thrown: unknown,
  kind: 'model_call' | 'token_count' = 'model_call',
): void {
  const error = asTurnwardError(thrown)
  const record = recordOf(call, {
    type: 'decision',
    kind,
    subject: model.slice(0, 100),
    verdict: 'deny',
    action: 'refuse',
    ...whyNotGranted(thrown, 'model', noModel),
    credential: 'none',
    errorCode: error.code,
  })
  call.services.log.append(record)
  noteDecision(call, record)
}

/** Closes a model call: outcome record, session label after, metrics. Never throws: the answer has gone out. */
export function recordModelOutcome(call: ModelCall, started: number, failure?: TurnwardError): void {
  const { services } = call
  const { links, invisible } = call.neutralised
  const end = call.rounds.ending()
  const { endedBy } = call.rounds
  const templates = [...(call.templated?.names ?? [])]
  const transforms = call.transforms?.records ?? []
  // Before anything was sent.
  const refusedBy = call.attempt === undefined && failure !== undefined ? refusalOf(failure) : undefined
  const outcome = refusedBy === undefined ? outcomeOf(failure) : 'refused'
  const record = recordOf(call, {
    id: call.decision,
    type: 'outcome',
    kind: 'model_call',
    subject: call.view.model,
    upstream: call.attempt?.upstream ?? null,
    ...routeField(call.route, call.view.model),
    ...(refusedBy === undefined ? { verdict: 'allow', action: 'release' } : { verdict: 'deny', action: 'refuse' }),
    rules: [call.grant, ...(endedBy === undefined ? [] : [`limit ${endedBy}`])],
    reason:
      refusedBy ??
      (outcome === 'ok'
        ? endedBy === undefined
          ? 'The call completed.'
          : 'A limit is used up: the answer was ended there.'
        : 'The call did not complete.'),
    credential: call.attempt?.credential ?? 'none',
    outcome,
    latencyMs: Math.round(services.clock.monotonic() - started),
    ...(failure === undefined ? {} : { errorCode: failure.code }),
    ...(end.usage === undefined ? {} : { usage: end.usage }),
    ...call.rounds.races,
    ...(links + invisible === 0 ? {} : { neutralised: { links, invisible } }),
    ...(templates.length === 0 ? {} : { templates }),
    ...(transforms.length === 0 ? {} : { transforms: [...transforms] }),
    ...(call.context === undefined ? {} : { context: [...call.context.records] }),
    ...call.guards?.records(),
    ...(call.cache?.failed === undefined ? {} : { cacheBypass: call.cache.failed }),
    ...(call.cache?.found === undefined ? costField(call, call.rounds.priced) : cachedFields(call, call.cache)),
  })
  try {
    services.log.append(record)
  } catch (error) {
    services.telemetry.logger.error(
      { code: asTurnwardError(error).code, turn: call.turn },
      'the outcome of a model call could not be recorded',
    )
  }
  call.span.end({
    outcome,
    errorCode: failure?.code,
    upstream: call.attempt?.upstream,
    provider: call.attempt?.provider,
    responseModel: end.responseModel,
    responseId: end.responseId,
    finish: end.finish,
    usage: end.usage,
    session: call.session.id,
    turn: call.turn,
  })
}

/** A route of the very name of the model is said by that. */
export function routeField(route: string, model: string): Pick<DecisionRecord, 'route'> {
  return route === model ? {} : { route }
}

/** Why a call was not let go, where that is what has happened. */
function refusalOf({ code }: TurnwardError): string | undefined {
  if (code.startsWith('limit.')) return 'A limit is used up.'
  if (code === 'guard.refused') return 'A guard does not let it go to a model.'
  return code === 'transform.request' ? 'It cannot be changed as its route says.' : undefined
}

/** Nothing was sent, so nothing was used. */
function cachedFields({ services, snapshot }: ModelCall, { record }: CacheOfCall): Pick<DecisionRecord, 'cached' | 'cost'> {
  return { ...record, cost: services.prices.costOf(snapshot.prices, []) }
}

/** What a call has cost, as its record has it; nothing where its usage is not known. Never throws. */
export function costField(
  { services, snapshot }: Pick<AttachedCall, 'services' | 'snapshot'>,
  rounds: readonly PricedRound[],
): Pick<DecisionRecord, 'cost'> {
  if (rounds.length === 0) return {}
  return { cost: services.prices.costOf(snapshot.prices, rounds) }
}

/** How a call ended, by what went wrong. */
export function outcomeOf(failure: TurnwardError | undefined): CallEnd['outcome'] {
  if (failure === undefined) return 'ok'
  if (failure.code === 'request.cancelled') return 'cancelled'
  return failure.code === 'upstream.timeout' ? 'timeout' : 'error'
}
