/**
 * Answers a request in the background: its client is told an id at once, the call is made on its behalf and held to
 * everything a call is held to, and what comes of it is kept under that id. Whatever happens, it comes to an end that can be
 * asked for.
 */
import type { Snapshot } from '../../config/snapshot.ts'
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import { randomText } from '../../core/ids.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import type { Caller } from '../../core/principal.ts'
import type { Dialect } from '../../wire/dialect.ts'
import type { CallOrigin } from '../origins/call-origin.ts'
import { type MemoryAnswer, memoryCall } from '../origins/memory-origin.ts'
import type { ReadRequest } from '../reading-request.ts'
import type { Services } from '../services.ts'
import { closeState, forCall } from '../state-of-call.ts'
import { type Keeper, keyOf } from './keeper.ts'
import { beginAnswer, endAnswer } from './kept-store.ts'

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
  const body = read.body.json
  const response = kept.begun(id, body, Math.floor(services.clock.now() / 1000))
  const begun = { id, response: { ...response, status: 'in_progress' }, modelCall: id, ...keeping }
  await gateway.background.reserve(keeper, key)
  try {
    if (!(await beginAnswer(keeper, begun)))
      throw new TurnwardError('state.too_large', { subject: 'input', why: 'it is larger than `responses.max_bytes`' })
    // Who is told an id finds it, also after a crash.
    await services.state.flush()
  } catch (error) {
    await gateway.background.release(keeper, key)
    throw error
  }
  const unseen = (): Keeper => ({ services: forCall(gateway, caller), snapshot, caller })
  gateway.background.start(unseen, key, async (signal) => {
    const { limits } = snapshot.settings
    const call = memoryCall({
      caller,
      body,
      maxBytes: limits.max_response_bytes,
      headers: origin.headers,
      background: id,
      keeping,
      signal,
    })
    const answered = call.answer.catch(asTurnwardError)
    await run(gateway, call.origin, dialect)
    const failure = failureOf(await answered)
    // What was kept has its end; anything else gets one now.
    const last = forCall(gateway, caller)
    await closeState(last, async () => {
      await endAnswer(
        { services: last, snapshot, caller },
        { ...begun, response: kept.ended(begun.response, { status: 'failed', ...failure }) },
      )
    })
  })
  const text = JSON.stringify(kept.shown({ response, input: [], previous: keeping.previous }))
  origin.outlet.head(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  origin.outlet.end(text)
}

/** What an answer that was not kept is said to have failed of. */
function failureOf(answer: MemoryAnswer | TurnwardError): { readonly code: string; readonly message: string } {
  if (answer instanceof TurnwardError) return { code: answer.code, message: answer.message }
  const said = answer.status >= 400 ? errorIn(answer.body) : undefined
  if (said !== undefined) return said
  const { code, message } = new TurnwardError('state.too_large', {
    subject: 'the response',
    why: 'it is larger than `responses.max_bytes`',
  })
  return { code, message }
}

function errorIn(body: Buffer): { readonly code: string; readonly message: string } {
  const { code, message } = errorOf(body)
  return {
    code: typeof code === 'string' ? code : 'upstream.failed',
    message: typeof message === 'string' ? message : 'The upstream failed.',
  }
}

function errorOf(body: Buffer): JsonObject {
  try {
    const value: unknown = parseJson(body.toString('utf8'))
    return isObject(value) && isObject(value.error) ? value.error : {}
  } catch {
    return {}
  }
}
