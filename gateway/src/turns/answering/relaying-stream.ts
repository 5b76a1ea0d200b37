/**
 * Relays a streamed answer: text at once, tool calls when they are decided. A message whose calls are all
 * refused never reaches the client: the model is asked again within the same answer.
 */
import type { UsageRecord } from '@turnward/contract/decision'
import { TurnwardError } from '../../core/error.ts'
import type { Route } from '../../config/snapshot.ts'
import { maskSecrets } from '../../models/masking-secrets.ts'
import { routeCall, type RoutedResponse } from '../../models/routing-upstream.ts'
import { createStreamGate } from '../../wire/dialects.ts'
import type { RefusedCall, SplicedRound, ToolCallView } from '../../wire/dialect.ts'
import type { GateRound, StreamGate } from '../../wire/gate/stream-gate.ts'
import { answerHeaders } from './answering-client.ts'
import type { ModelCall } from '../call.ts'
import { decideProposals } from '../deciding/deciding-proposals.ts'
import { rememberDelivered } from './delivering.ts'
import { pumpStream } from './pumping-stream.ts'
import { appendRefusedRound, exhaustedText, refusedRound } from './refused-rounds.ts'
import { relayFailure } from './relaying-failure.ts'
import { outgoing, onAttempt, type RelayEnd } from './relay.ts'
import { hasLineForPerson, takeLineForPerson } from '../telling/telling-person.ts'
import { sumUsage } from '../recording/usage.ts'

export async function relayStream(call: ModelCall, route: Route): Promise<RelayEnd> {
  const { services, snapshot } = call
  const { outlet, signal } = call.origin
  let routed: RoutedResponse | undefined
  const sink = {
    // The head goes out with the first byte: until then an upstream may still fail into a real status.
    write(bytes: Uint8Array | string): void {
      if (!outlet.hasBegun && routed !== undefined) {
        outlet.head(200, {
          ...answerHeaders(call, routed, 'text/event-stream; charset=utf-8'),
          'cache-control': 'no-cache',
          'x-accel-buffering': 'no',
        })
        call.span.firstByte()
      }
      outlet.write(bytes)
    },
  }
  const gate = createStreamGate(call.dialect.name, sink, {
    maxEventBytes: snapshot.settings.limits.max_event_bytes,
    hideUsageChunk: !call.view.wantsUsage,
    maskError: (raw) => maskSecrets(raw, routed?.secrets ?? []),
    holdsEnd: () => hasLineForPerson(call),
  })
  // A quiet upstream or a held call must not look like a dead connection to proxies and clients.
  const keepAlive = setInterval(() => {
    if (outlet.hasBegun && outlet.isOpen && !outlet.isFull) outlet.write(': keep-alive\n\n')
  }, snapshot.settings.turns.keep_alive_ms)

  const rounds: SplicedRound[] = []
  const usages: UsageRecord[] = []
  try {
    for (;;) {
      routed = await routeCall(services, snapshot, call.caller, route, outgoing(call), signal, onAttempt(call))
      if (routed.response.status >= 400) return { failure: await relayFailure(call, routed), usage: sumUsage(usages) }
      const round = await pumpStream(call, routed, gate)
      if (round.usage !== undefined) usages.push(round.usage)
      const end = { finish: round.finish, usage: sumUsage(usages), responseId: round.responseId, responseModel: round.model }
      if (round.upstreamError !== undefined) {
        outlet.end()
        return {
          ...end,
          failure: new TurnwardError('upstream.failed', {
            subject: routed.target.upstream.name,
            why: 'it sent an error inside the stream',
            turn: call.turn ?? undefined,
          }),
        }
      }
      if (!round.complete)
        throw new TurnwardError('upstream.failed', {
          subject: routed.target.upstream.name,
          why: 'the stream was cut off',
          turn: call.turn ?? undefined,
        })

      const next = await settleRound(call, gate, round, rounds)
      if (next === 'again') continue
      outlet.end()
      return end
    }
  } finally {
    clearInterval(keepAlive)
  }
}

/** Decides the held calls of a round. `again`: all were refused and the model is to be asked once more. */
async function settleRound(call: ModelCall, gate: StreamGate, round: GateRound, rounds: SplicedRound[]): Promise<'again' | 'done'> {
  if (round.calls.length === 0) {
    const line = gate.holding && hasLineForPerson(call) ? await takeLineForPerson(call) : ''
    if (line !== '') gate.addText(line)
    await remember(call, gate, [], rounds, [], round, line)
    if (gate.holding) gate.release(new Set())
    return 'done'
  }
  const { allowed, refused } = await decideProposals(call, round)
  if (allowed.size > 0) {
    if (refused.length > 0) call.services.telemetry.count('turnward_splices_total', { kind: 'mixed' })
    // Remembered before it is released: the client may come back faster than we get here again.
    await remember(
      call,
      gate,
      round.calls.filter((made) => allowed.has(made.id)),
      rounds,
      refused,
      round,
    )
    gate.release(allowed)
    return 'done'
  }
  const maxSplices = call.snapshot.settings.turns.max_splices
  if (rounds.length >= maxSplices || call.view.choices > 1) {
    const explanation = hasLineForPerson(call) ? `${exhaustedText(refused)}\n\n${await takeLineForPerson(call)}` : exhaustedText(refused)
    gate.finishWithText(explanation)
    const closing = { role: 'assistant', content: explanation }
    await rememberDelivered(call, {
      text: gate.deliveredText,
      ours: explanation,
      calls: [],
      rounds: [...rounds, refusedRound(round.assistant, refused)],
      dropped: [],
      native: closing,
    })
    return 'done'
  }
  rounds.push(appendRefusedRound(call, gate.startContinuation(), refused))
  return 'again'
}

async function remember(
  call: ModelCall,
  gate: StreamGate,
  calls: readonly ToolCallView[],
  rounds: readonly SplicedRound[],
  dropped: readonly (RefusedCall & { readonly position: number })[],
  round: GateRound,
  ours = '',
): Promise<void> {
  await rememberDelivered(call, { text: gate.deliveredText, ours, calls, rounds, dropped, native: round.assistant })
}
