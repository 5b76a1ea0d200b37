/** Relays a whole answer: the upstream's bytes when nothing is refused, an edited answer otherwise. */
import type { UsageRecord } from '@turnward/contract/decision'
import type { Route } from '../config/snapshot.ts'
import { TurnwardError } from '../core/error.ts'
import { isObject, type JsonObject } from '../core/json.ts'
import { collectBody } from '../models/collecting-body.ts'
import { routeCall, type RoutedResponse } from '../models/routing-upstream.ts'
import { converterFor } from '../wire/convert/converter.ts'
import type { RefusedCall, ResponseView, SplicedRound } from '../wire/dialect.ts'
import { answerHeaders } from './answering-client.ts'
import type { ModelCall, ProposalRulings } from './call.ts'
import { decideProposals } from './deciding-proposals.ts'
import { rememberDelivered } from './delivering.ts'
import { appendRefusedRound, exhaustedText } from './refused-rounds.ts'
import { relayFailure } from './relaying-failure.ts'
import { onAttempt, outgoing, type RelayEnd } from './relay.ts'
import { sumUsage } from './usage.ts'

export async function relayJson(call: ModelCall, route: Route): Promise<RelayEnd> {
  const rounds: SplicedRound[] = []
  const usages: UsageRecord[] = []
  let earlierText = ''
  for (;;) {
    const routed = await routeCall(call.services, call.snapshot, call.caller, route, outgoing(call), call.signal, onAttempt(call))
    if (routed.response.status >= 400) return { failure: await relayFailure(call, routed), usage: sumUsage(usages) }
    const answer = await readAnswer(call, routed)
    const { view, body } = answer
    const earlier = { text: earlierText, usage: [...usages] }
    if (view.usage !== undefined) usages.push(view.usage)
    const end: RelayEnd = { finish: view.finish, usage: sumUsage(usages), responseId: view.id, responseModel: view.model }

    const rulings = view.calls.length === 0 ? noProposals : await decideProposals(call, { calls: view.calls, native: nativeCalls(call, answer) })
    const { allowed, refused } = rulings
    const allRefused = refused.length > 0 && allowed.size === 0
    if (allRefused && rounds.length < call.snapshot.settings.turns.max_splices && call.view.choices === 1) {
      earlierText = joinText(earlierText, view.text)
      rounds.push(appendRefusedRound(call, call.dialect.respond.assistantMessage(body), refused))
      continue
    }
    if (refused.length > 0) {
      call.dialect.respond.dropCalls(body, new Set(refused.map((made) => made.id)))
      if (allRefused) call.dialect.respond.appendText(body, exhaustedText(refused))
      else call.services.telemetry.count('turnward_splices_total', { kind: 'mixed' })
    }
    const isEdited = refused.length > 0 || rounds.length > 0
    const native = rounds.length > 0 ? call.dialect.respond.assistantMessage(structuredClone(body)) : undefined
    if (rounds.length > 0) call.dialect.respond.mergeEarlier(body, earlier)
    await remember(call, isEdited ? call.dialect.readResponse(body) : view, rounds, allRefused ? [] : refused, native)
    send(call, routed, isEdited || answer.bytes === undefined ? Buffer.from(JSON.stringify(body)) : answer.bytes)
    return end
  }
}

const noProposals: ProposalRulings = { allowed: new Set(), refused: [] }

interface Answer {
  readonly body: JsonObject
  readonly view: ResponseView
  /** The upstream's bytes, when it speaks the caller's dialect. */
  readonly bytes: Buffer | undefined
}

async function readAnswer(call: ModelCall, routed: RoutedResponse): Promise<Answer> {
  const upstream = routed.target.upstream.name
  const bytes = await collectBody(routed.response, call.snapshot.settings.limits.max_response_bytes, upstream)
  let parsed: unknown
  try {
    parsed = JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    throw new TurnwardError('upstream.malformed', { subject: upstream, why: 'the answer is not JSON', turn: call.turn, cause: error })
  }
  if (!isObject(parsed)) throw new TurnwardError('upstream.malformed', { subject: upstream, why: 'the answer is not a JSON object', turn: call.turn })
  const converter = converterFor(call.dialect.name, routed.provider.dialect)
  const body = converter === undefined ? parsed : converter.response(parsed)
  return { body, view: call.dialect.readResponse(body), bytes: converter === undefined ? bytes : undefined }
}

function nativeCalls(call: ModelCall, answer: Answer): ReadonlyMap<string, JsonObject> {
  return new Map(answer.view.calls.map((made) => [made.id, call.dialect.respond.nativeCall(answer.body, made.id) ?? {}]))
}

async function remember(
  call: ModelCall,
  delivered: ResponseView,
  rounds: readonly SplicedRound[],
  dropped: readonly (RefusedCall & { readonly position: number })[],
  native: JsonObject | undefined,
): Promise<void> {
  await rememberDelivered(call, { text: delivered.text, calls: delivered.calls, rounds, dropped, native })
}

function send(call: ModelCall, routed: RoutedResponse, bytes: Buffer): void {
  const headers = answerHeaders(call, routed, 'application/json')
  headers['content-length'] = bytes.length
  call.response.writeHead(200, headers)
  call.span.firstByte()
  call.response.end(bytes)
}

function joinText(earlier: string, text: string): string {
  return earlier === '' || text === '' ? earlier + text : `${earlier}\n${text}`
}
