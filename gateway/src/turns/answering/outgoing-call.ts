/** What goes out for a model call, and the record that is made before it does. */
import type { OutgoingCall } from '../../models/building-request.ts'
import type { OnAttempt } from '../../models/routing-upstream.ts'
import { providers } from '../../providers/providers.ts'
import type { ModelCall } from '../call.ts'
import { noteDecision, recordOf } from '../recording/recording.ts'

export function outgoing(call: ModelCall): OutgoingCall {
  const { dialect, view, body, bytes, origin, span } = call
  return {
    dialect,
    model: view.model,
    stream: view.stream,
    wantsUsage: view.wantsUsage,
    body,
    bytes,
    clientHeaders: origin.headers,
    traceparent: span.traceparent,
    tracestate: span.tracestate,
  }
}

/** Records the decision to send this call to an upstream with a credential, before it is sent. Throws while the log cannot be written. */
export function onAttempt(call: ModelCall): OnAttempt {
  return (target, credential) => {
    const { name, config } = target.upstream
    const isFirst = call.attempt === undefined
    call.attempt = { upstream: name, provider: providers[config.kind].telemetryName, credential }
    const record = recordOf(call, {
      id: call.decision,
      type: 'decision',
      kind: 'model_call',
      subject: call.view.model,
      upstream: name,
      verdict: 'allow',
      action: 'allow',
      rules: [call.grant],
      reason: isFirst ? 'The principal may use this model.' : 'The call goes to this upstream next.',
      credential,
      ...(call.client === undefined ? {} : { client: call.client.name }),
      ...(call.side === undefined ? {} : { side: call.side }),
      ...(call.hidden.length > 0 ? { hidden: [...call.hidden] } : {}),
    })
    call.services.log.append(record)
    if (isFirst) noteDecision(call, record)
  }
}
