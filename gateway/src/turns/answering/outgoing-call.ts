/** What goes out for a model call, and the record that is made before it does. */
import type { DecisionRecord } from '@turnward/contract/decision'
import type { RouteTarget } from '../../config/snapshot.ts'
import type { OutgoingCall } from '../../models/building-request.ts'
import type { OnAttempt, RoutedResponse } from '../../models/asking-upstream.ts'
import type { Attempts } from '../../models/balancing/attempts.ts'
import { providers } from '../../providers/providers.ts'
import { whenRead } from '../../state/state-store.ts'
import type { ModelCall } from '../call.ts'
import { narrowWhenSent } from '../deciding/narrowing-when-sent.ts'
import { requestIdOf } from './answering-client.ts'
import { routingField } from './choosing-upstreams.ts'
import { noteDecision, recordOf } from '../recording/recording.ts'

export function outgoing(call: ModelCall): OutgoingCall {
  const { dialect, view, body, bytes, origin, span, keeping } = call
  return {
    dialect,
    model: view.model,
    stream: view.stream,
    wantsUsage: view.wantsUsage,
    body,
    bytes,
    isUnkept: keeping !== undefined,
    clientHeaders: origin.headers,
    traceparent: span.traceparent,
    tracestate: span.tracestate,
  }
}

/** What is limited at the upstream is reserved. What the request brings counts from here; then the decision to send it to an upstream with a credential is recorded, before it is sent. Throws while the log cannot be written. */
export function onAttempt(call: ModelCall, attempts: Attempts): OnAttempt {
  return (target, credential, leftOut) =>
    whenRead(call.limits?.atUpstream(target), () =>
      whenRead(narrowWhenSent(call), () => recordAttempt(call, target, { credential, leftOut, routing: routingField(attempts, target) })),
    )
}

interface AttemptFields {
  readonly credential: string
  readonly leftOut: readonly string[]
  readonly routing: Pick<DecisionRecord, 'routing'>
}

function recordAttempt(call: ModelCall, target: RouteTarget, { credential, leftOut, routing }: AttemptFields): void {
  const { name, config } = target.upstream
  const isFirst = call.attempt === undefined
  const requestId = requestIdOf(call.origin.headers)
  call.attempt = { upstream: name, provider: providers[config.kind].telemetryName, credential }
  const record = recordOf(call, {
    id: call.decision,
    type: 'decision',
    kind: 'model_call',
    subject: call.view.model,
    upstream: name,
    verdict: 'allow',
    action: 'release',
    rules: [call.grant],
    reason: isFirst ? 'The principal may use this model.' : 'The call goes to this upstream next.',
    credential,
    ...routing,
    ...(requestId === undefined ? {} : { requestId }),
    ...(call.client === undefined ? {} : { client: call.client.name }),
    ...(call.side === undefined ? {} : { side: call.side }),
    ...(leftOut.length > 0 ? { leftOut: [...leftOut] } : {}),
    ...(call.hidden.length > 0 ? { hidden: [...call.hidden] } : {}),
    ...call.guards?.records(),
  })
  call.services.log.append(record)
  if (isFirst) noteDecision(call, record)
}

/** An upstream has begun to answer. Of several that were asked it need not be the last. */
export function noteAnswering(call: ModelCall, { target, provider, credential, response }: RoutedResponse): void {
  call.attempt = { upstream: target.upstream.name, provider: provider.telemetryName, credential }
  call.limits?.answeredBy(target)
  if (response.status < 400) call.rounds.begin(target, call.view.model)
}
