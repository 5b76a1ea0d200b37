/** Relays a whole answer: the upstream's bytes when nothing is refused, an edited answer otherwise. */
import type { UsageRecord } from '@turnward/contract/decision'
import type { Route } from '../../config/snapshot.ts'
import { TurnwardError } from '../../core/error.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import { collectBody } from '../../models/collecting-body.ts'
import { routeCall, type RoutedResponse } from '../../models/routing-upstream.ts'
import { converterFor } from '../../wire/converting/converting.ts'
import type { ResponseView, SplicedRound } from '../../wire/dialect.ts'
import { answerHeaders } from './answering-client.ts'
import type { ModelCall, ProposalRulings } from '../call.ts'
import { decideProposals } from '../deciding/deciding-proposals.ts'
import { rememberDelivered, type DeliveredMessage } from './delivering.ts'
import { appendRefusedRound, exhaustedText, refusedRound } from './refused-rounds.ts'
import { relayFailure } from './relaying-failure.ts'
import { onAttempt, outgoing, type RelayEnd } from './relay.ts'
import { hasLineForPerson, takeLineForPerson } from '../telling/telling-person.ts'
import { sumUsage } from '../recording/usage.ts'

export async function relayJson(call: ModelCall, route: Route): Promise<RelayEnd> {
  const earlier: EarlierRounds = { rounds: [], usage: [], text: '' }
  for (;;) {
    const routed = await routeCall(call.services, call.snapshot, call.caller, route, outgoing(call), call.origin.signal, onAttempt(call))
    if (routed.response.status >= 400) return { failure: await relayFailure(call, routed), usage: sumUsage(earlier.usage) }
    const answer = await readAnswer(call, routed)
    const { view, body } = answer
    const rulings =
      view.calls.length === 0 ? noProposals : await decideProposals(call, { calls: view.calls, native: nativeCalls(call, answer) })
    if (isAllRefused(rulings) && earlier.rounds.length < call.snapshot.settings.turns.max_splices && call.view.choices === 1) {
      earlier.text = joinText(earlier.text, view.text)
      if (view.usage !== undefined) earlier.usage.push(view.usage)
      earlier.rounds.push(appendRefusedRound(call, call.dialect.respond.assistantMessage(body), rulings.refused))
      continue
    }
    const splice = spliceAnswer(call, body, rulings, earlier)
    const isTold = rulings.allowed.size === 0 && hasLineForPerson(call)
    const line = isTold ? await takeLineForPerson(call) : ''
    if (isTold) call.dialect.respond.appendText(body, line)
    const isEdited = splice !== undefined || isTold
    const delivered = isEdited ? call.dialect.readResponse(body) : view
    // Remembered before it is sent: the client may come back faster than we get here again.
    await rememberDelivered(call, { text: delivered.text, ours: line, calls: delivered.calls, ...(splice ?? unspliced) })
    send(call, routed, !isEdited && answer.bytes !== undefined ? answer.bytes : Buffer.from(JSON.stringify(body)))
    const usage = sumUsage(view.usage === undefined ? earlier.usage : [...earlier.usage, view.usage])
    return { finish: view.finish, usage, responseId: view.id, responseModel: view.model }
  }
}

/** What earlier rounds of this client request came to. */
interface EarlierRounds {
  readonly rounds: SplicedRound[]
  readonly usage: UsageRecord[]
  text: string
}

type Splice = Pick<DeliveredMessage, 'rounds' | 'dropped' | 'native'>

const unspliced: Splice = { rounds: [], dropped: [], native: undefined }

function isAllRefused({ allowed, refused }: ProposalRulings): boolean {
  return refused.length > 0 && allowed.size === 0
}

/** Edits the answer into what the client may have. Undefined when nothing had to change. */
function spliceAnswer(call: ModelCall, body: JsonObject, rulings: ProposalRulings, earlier: EarlierRounds): Splice | undefined {
  const { respond } = call.dialect
  const { refused } = rulings
  if (refused.length === 0 && earlier.rounds.length === 0) return undefined
  const made = structuredClone(respond.assistantMessage(body))
  if (refused.length > 0) respond.dropCalls(body, new Set(refused.map((one) => one.id)))
  const exhausted = isAllRefused(rulings) ? exhaustedText(refused) : undefined
  if (exhausted !== undefined) respond.appendText(body, exhausted)
  else if (refused.length > 0) call.services.telemetry.count('turnward_splices_total', { kind: 'mixed' })
  if (earlier.rounds.length > 0) respond.mergeEarlier(body, earlier)
  if (exhausted === undefined) return { rounds: earlier.rounds, dropped: refused, native: made }
  // The model shall see this round refused like the others, and the explanation as what it then said.
  return { rounds: [...earlier.rounds, refusedRound(made, refused)], dropped: [], native: { role: 'assistant', content: exhausted } }
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
    parsed = parseJson(bytes.toString('utf8'))
  } catch (error) {
    throw new TurnwardError('upstream.malformed', {
      subject: upstream,
      why: 'the answer is not JSON',
      turn: call.turn ?? undefined,
      cause: error,
    })
  }
  if (!isObject(parsed))
    throw new TurnwardError('upstream.malformed', {
      subject: upstream,
      why: 'the answer is not a JSON object',
      turn: call.turn ?? undefined,
    })
  const converter = converterFor(call.dialect.name, routed.provider.dialect)
  const body = converter === undefined ? parsed : converter.response(parsed, { upstream: routed.target.upstream.name })
  return { body, view: call.dialect.readResponse(body), bytes: converter === undefined ? bytes : undefined }
}

function nativeCalls(call: ModelCall, answer: Answer): ReadonlyMap<string, JsonObject> {
  return new Map(answer.view.calls.map((made) => [made.id, call.dialect.respond.nativeCall(answer.body, made.id) ?? {}]))
}

function send(call: ModelCall, routed: RoutedResponse, bytes: Buffer): void {
  const headers = answerHeaders(call, routed, 'application/json')
  headers['content-length'] = bytes.length
  call.origin.outlet.head(200, headers)
  call.span.firstByte()
  call.origin.outlet.end(bytes)
}

function joinText(earlier: string, text: string): string {
  return earlier === '' || text === '' ? earlier + text : `${earlier}\n${text}`
}
