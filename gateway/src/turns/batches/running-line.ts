/**
 * One line of a batch: a call like any other, made on behalf of whoever asked for the batch. Who that is, is looked at anew
 * for every line, so that a batch does not outlive the right to make calls.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { errorCodes, type ErrorCodeName } from '@turnward/contract/error-codes'
import type { Snapshot } from '../../config/snapshot.ts'
import { Cancellation, type CancelSignal } from '../../core/cancellation.ts'
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import { parseExactJson } from '../../core/exact-json.ts'
import { asText, isObject, type JsonObject } from '../../core/json.ts'
import type { Caller } from '../../core/principal.ts'
import { modelOperations } from '../../models/operations.ts'
import type { Dialect } from '../../wire/dialect.ts'
import { dialectByName } from '../../wire/dialects.ts'
import type { BatchResult } from '../../wire/kept-batches.ts'
import { runModelCall } from '../model-call.ts'
import { runModelOperation } from '../model-operation.ts'
import type { CallOrigin } from '../origins/call-origin.ts'
import { memoryCall, type MemoryAnswer } from '../origins/memory-origin.ts'
import type { Services } from '../services.ts'
import type { Batch, OpenLine } from './batch-store.ts'

export interface LineAnswer {
  readonly outcome: 'ok' | 'error'
  readonly answer: NonNullable<BatchResult['answer']>
}

/** Nobody waits for a line, so an upstream that is busy or out of reach is asked again a few times. */
const attempts = 5
/** So much of a line's name goes on record. */
const longestNoted = 128
const firstPauseMs = 1000
const longestPauseMs = 30_000
const busy: ReadonlySet<number> = new Set([429, 502, 503, 529])
/** What says that the gateway itself cannot work at the moment. Nothing has come of a line then, and there is no use in trying others. */
function isOwnOutage(status: number, code: string): boolean {
  return status === 503 && /^(?:audit|state|store|cluster)\.|^gateway\.draining$/.test(code)
}

/** Undefined when it was cancelled: then nothing has come of it. Throws when the gateway cannot work at the moment. */
export async function runLine(gateway: Services, batch: Batch, line: OpenLine, stop: CancelSignal): Promise<LineAnswer | undefined> {
  // A signal of its own: a batch has many lines, and none shall listen any longer than it runs.
  const own = new Cancellation()
  const cancel = (): void => own.cancel(new TurnwardError('request.cancelled'))
  stop.addEventListener('abort', cancel)
  if (stop.aborted) cancel()
  try {
    return await runUntilAnswered(gateway, batch, line, own)
  } finally {
    stop.removeEventListener('abort', cancel)
  }
}

async function runUntilAnswered(gateway: Services, batch: Batch, line: OpenLine, signal: CancelSignal): Promise<LineAnswer | undefined> {
  const { dialect, run } = callsAt(batch.endpoint, dialectByName[batch.dialect])
  for (let attempt = 1; ; attempt += 1) {
    let answered: MemoryAnswer | undefined
    try {
      answered = await ask(gateway, batch, line, run, signal)
    } catch (thrown) {
      if (signal.aborted) return undefined
      const error = asTurnwardError(thrown)
      if (isOwnOutage(error.status, error.code)) throw error
      return refused(dialect, error)
    }
    if (signal.aborted) return undefined
    const { status, headers } = answered
    const outage = outageIn(answered)
    if (outage !== undefined) throw outage
    if (!busy.has(status) || attempt === attempts) return answerOf(dialect, answered)
    const asked = Number(headers['retry-after']) * 1000
    await pauseFor(Math.min(longestPauseMs, asked > 0 ? asked : firstPauseMs * 2 ** (attempt - 1)), signal)
    if (signal.aborted) return undefined
  }
}

type Run = (gateway: Services, origin: CallOrigin) => Promise<void>

/** How calls at this path are answered. */
function callsAt(endpoint: string, of: Dialect): { readonly dialect: Dialect; readonly run: Run } {
  const dialect = Object.values(dialectByName).find(({ paths }) => paths.call === endpoint)
  if (dialect !== undefined) return { dialect, run: (gateway, origin) => runModelCall(gateway, origin, dialect) }
  const operation = modelOperations.find(({ path }) => path === endpoint)
  if (operation === undefined) throw new TurnwardError('gateway.internal', { why: `nothing answers ${endpoint}` })
  return { dialect: of, run: (gateway, origin) => runModelOperation(gateway, origin, operation) }
}

async function ask(gateway: Services, batch: Batch, line: OpenLine, run: Run, signal: CancelSignal): Promise<MemoryAnswer> {
  const snapshot = gateway.snapshot()
  const caller = await callerNow(gateway, snapshot, batch)
  const body = parseExactJson(line.body) as JsonObject
  dialectByName[batch.dialect].batches?.check(body)
  // Each line stands by itself: what one has read is nothing to the others.
  const headers: IncomingHttpHeaders = { ...batch.headers, 'x-turnward-session': `${batch.id}.${line.line}` }
  if (signal.aborted) throw asTurnwardError(signal.reason)
  const call = memoryCall({
    caller: { ...caller, batch: { id: batch.id, customId: line.customId.slice(0, longestNoted) } },
    body,
    maxBytes: snapshot.settings.limits.max_response_bytes,
    headers,
    signal,
  })
  const answer = call.answer.catch(asTurnwardError)
  await run(gateway, call.origin)
  const answered = await answer
  if (answered instanceof TurnwardError) throw answered
  return answered
}

/** Throws `auth.*` when the key is no longer good, or is somebody else's. */
async function callerNow({ authenticator }: Services, snapshot: Snapshot, { caller: was }: Batch): Promise<Caller> {
  const caller = await authenticator.callerLater(was.key, snapshot)
  if (caller.principal.id === was.principal && caller.consumer === was.consumer && caller.actor === was.actor) return caller
  throw new TurnwardError('auth.unknown_key', { subject: was.key, why: 'it is not that of who made the batch any more' })
}

function answerOf(dialect: Dialect, { status, headers, body }: MemoryAnswer): LineAnswer {
  const json = jsonOf(body)
  const call = String(headers['x-turnward-call'] ?? '')
  const isRight = status < 400 && json !== undefined
  const said = json ?? dialect.errorBody({ status, code: 'upstream.malformed', message: 'The answer is not JSON.' })
  return {
    outcome: isRight ? 'ok' : 'error',
    answer: { status: isRight || status >= 400 ? status : 502, call, body: JSON.stringify(said) },
  }
}

/** On one line, whatever the upstream has made of it. */
function jsonOf(body: Buffer): JsonObject | undefined {
  try {
    const value = parseExactJson(body.toString('utf8'))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function outageIn({ status, body }: MemoryAnswer): TurnwardError | undefined {
  const { error } = (status === 503 ? jsonOf(body) : undefined) ?? {}
  const code = isObject(error) ? asText(error.code) : ''
  if (!isOwnOutage(status, code) || !Object.hasOwn(errorCodes, code)) return undefined
  return new TurnwardError(code as ErrorCodeName, { why: 'a line of a batch was refused with it' })
}

function refused(dialect: Dialect, { status, code, message }: TurnwardError): LineAnswer {
  return { outcome: 'error', answer: { status, call: '', body: JSON.stringify(dialect.errorBody({ status, code, message })) } }
}

async function pauseFor(milliseconds: number, signal: CancelSignal): Promise<void> {
  const over = new AbortController()
  const stop = (): void => over.abort()
  signal.addEventListener('abort', stop, { once: true })
  await pause(milliseconds, undefined, { signal: over.signal, ref: false }).catch(() => {})
  signal.removeEventListener('abort', stop)
}
