/**
 * Answers a request in the background: its client is told an id at once, the call is made on its behalf and held to
 * everything a call is held to, and what comes of it is kept under that id. Whatever happens, it comes to an end that can be
 * asked for. A client that wants a stream follows it as anybody can who comes back for it.
 */
import type { Snapshot } from '../../config/snapshot.ts'
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import { randomText } from '../../core/ids.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import type { Caller } from '../../core/principal.ts'
import type { Dialect } from '../../wire/dialect.ts'
import type { CallOrigin } from '../origins/call-origin.ts'
import { type MemoryAnswer, memoryCall, ownCall, type OwnCall } from '../origins/memory-origin.ts'
import type { ReadRequest } from '../reading-request.ts'
import type { Services } from '../services.ts'
import { closeState, forCall } from '../state-of-call.ts'
import { type Failure, failureIn, failureOf, tooLarge } from './answer-failure.ts'
import { followStream } from './following-stream.ts'
import { type Keeper, keyOf, ownerOf } from './keeper.ts'
import { beginAnswer, endAnswer } from './kept-store.ts'
import { beginStream } from './kept-streams.ts'
import { LiveStream } from './live-stream.ts'
import { StreamRecorder } from './recording-stream.ts'
import { putOnShelf } from './shelves.ts'

export interface LaterCall {
  readonly origin: CallOrigin
  readonly caller: Caller
  readonly dialect: Dialect
  readonly snapshot: Snapshot
  readonly read: ReadRequest
}

type RunCall = (gateway: Services, origin: CallOrigin, dialect: Dialect) => Promise<void>

/** Throws `response.too_many`, `state.*`. */
export async function answerLater(gateway: Services, later: LaterCall, run: RunCall): Promise<void> {
  const { origin, caller, dialect, snapshot, read } = later
  const { keeping } = read
  const { kept } = dialect
  if (keeping === undefined || kept === undefined) throw new TurnwardError('gateway.internal', { why: 'nothing is kept for later' })
  const services = forCall(gateway, caller)
  const keeper: Keeper = { services, snapshot, caller }
  const id = `resp_${randomText(48)}`
  const key = keyOf(keeper, 'response', id)
  const response = kept.begun(id, read.body.json, Math.floor(services.clock.now() / 1000))
  const begun = { id, response: { ...response, status: 'in_progress' }, modelCall: id, ...keeping }
  const shown = kept.shown({ response, input: [], previous: keeping.previous })
  // Whoever follows it anywhere begins with these.
  const first = read.view.stream ? kept.streams.begun(shown).map((event, number) => kept.streams.text(event, number)) : undefined
  await gateway.background.reserve(keeper, key)
  try {
    if (!(await beginAnswer(keeper, begun, first !== undefined)))
      throw new TurnwardError('state.too_large', { subject: 'input', why: 'it is larger than `responses.max_bytes`' })
    if (first !== undefined) await beginStream(keeper, key, first)
    // Who is told an id finds it, also after a crash.
    await services.state.flush()
  } catch (error) {
    await gateway.background.release(keeper, key)
    throw error
  }
  const unseen = () => ({ services: forCall(gateway, caller), snapshot, caller })
  const call = { caller, body: read.body.json, headers: origin.headers, background: id, keeping, templated: read.templated }
  const runOwn: RunOwn = (own) => run(gateway, own, dialect)
  const live = first === undefined ? undefined : new LiveStream({ keeper: unseen, key, begun: first })
  gateway.background.start(
    unseen,
    key,
    async (signal) => {
      const made =
        live === undefined ? makeWhole(later, { ...call, signal }, runOwn) : makeStreamed(later, { ...call, signal }, runOwn, live)
      const failure = await made
      // What was kept has its end; anything else gets one now.
      const last = unseen()
      await closeState(last.services, async () => {
        const ended = { ...begun, response: kept.ended(begun.response, { status: 'failed', ...failure }) }
        await endAnswer(last, ended, { isShort: true })
      })
      if (live !== undefined) await closeStream(unseen(), key, live)
    },
    live,
  )
  if (live !== undefined) return followStream(gateway, { keeper: unseen, kept, key, response: shown, after: -1 }, origin)
  const text = JSON.stringify(shown)
  origin.outlet.head(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  origin.outlet.end(text)
}

type RunOwn = (origin: CallOrigin) => Promise<void>

/** Resolves with what it has failed of if it was not kept. */
async function makeWhole({ dialect, snapshot }: LaterCall, own: OwnCall, run: RunOwn): Promise<Failure> {
  const { origin, answer } = memoryCall({ ...own, maxBytes: snapshot.settings.limits.max_response_bytes })
  const answered = answer.catch(asTurnwardError)
  await run(origin)
  return failureOfWhole(dialect, await answered)
}

/** The same for an answer that is told event by event. */
async function makeStreamed({ dialect, snapshot }: LaterCall, own: OwnCall, run: RunOwn, live: LiveStream): Promise<Failure> {
  const { kept } = dialect
  if (kept === undefined) throw new TurnwardError('gateway.internal', { why: 'nothing is kept for later' })
  const { max_response_bytes: maxBytes } = snapshot.settings.limits
  const { origin, outlet } = ownCall(own, (cancel) => new StreamRecorder({ dialect, streams: kept.streams, live, maxBytes, cancel }))
  await run(origin)
  return outlet.failure ?? tooLarge()
}

/** Nothing more comes: what is kept of it counts as what its caller has here. */
async function closeStream(keeper: Keeper & { readonly services: Services }, key: string, live: LiveStream): Promise<void> {
  await live.end()
  await closeState(keeper.services, async () => {
    if (live.keptBytes > 0) await putOnShelf(keeper, ownerOf(keeper), key, live.keptBytes)
  })
}

function failureOfWhole(dialect: Dialect, answer: MemoryAnswer | TurnwardError): Failure {
  if (answer instanceof TurnwardError) return failureOf(answer)
  return (answer.status < 400 ? undefined : failureIn(dialect, bodyOf(answer), '')) ?? tooLarge()
}

function bodyOf({ body }: MemoryAnswer): JsonObject {
  try {
    const value: unknown = parseJson(body.toString('utf8'))
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}
