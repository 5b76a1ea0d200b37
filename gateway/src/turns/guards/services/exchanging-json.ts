/**
 * One exchange of JSON with a service elsewhere: within a time, which building the request is a part of, and within bounds. Whatever
 * the service says besides an answer is no answer; nothing it says is quoted.
 */
import type { Upstream } from '../../../config/snapshot.ts'
import type { CancelSignal } from '../../../core/cancellation.ts'
import { parseJson } from '../../../core/parse-json.ts'
import { collectBody } from '../../../models/collecting-body.ts'
import type { UpstreamRequest } from '../../../providers/transport.ts'
import type { Services } from '../../services.ts'
import { ServiceFailure } from '../examiner.ts'
import { followingFor } from './following-for.ts'

/** Flat list of names and values that each request has. */
export const jsonHeaders: readonly string[] = [
  'content-type',
  'application/json',
  'accept',
  'application/json',
  'accept-encoding',
  'identity',
  'user-agent',
  'turnward',
]

export interface JsonExchange {
  readonly service: Upstream
  readonly request: () => Promise<UpstreamRequest> | UpstreamRequest
  readonly timeoutMs: number
  /** Of its answer. */
  readonly mostBytes: number
  readonly isAnswer: (status: number) => boolean
  /** Ends when nobody waits any more. */
  readonly waiting: CancelSignal
}

/** What it answers. Rejects with `ServiceFailure`, or with the abort reason when nobody waits any more. */
export async function exchangeJson({ upstreams }: Pick<Services, 'upstreams'>, exchange: JsonExchange): Promise<unknown> {
  const { service, request, timeoutMs, mostBytes, isAnswer, waiting } = exchange
  const { signal, stop } = followingFor(waiting, timeoutMs)
  try {
    const response = await upstreams.of(service).send(await request(), signal)
    const cut = whenAborted(signal, () => response.abort())
    const bytes = await Promise.race([collectBody(response, mostBytes, service.name), cut])
    if (!isAnswer(response.status)) throw new ServiceFailure(`it answered ${response.status}`)
    return parsed(bytes)
  } catch (error) {
    if (waiting.aborted) throw waiting.reason
    if (signal.aborted) throw signal.reason
    throw error instanceof ServiceFailure
      ? error
      : new ServiceFailure('it cannot be reached, or its answer is broken off or too long', error)
  } finally {
    stop()
  }
}

function whenAborted(signal: CancelSignal, cut: () => void): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => {
      cut()
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
  })
}

function parsed(bytes: Buffer): unknown {
  try {
    return parseJson(bytes.toString('utf8'))
  } catch (error) {
    throw new ServiceFailure('its answer is no JSON', error)
  }
}
