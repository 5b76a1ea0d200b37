/** The answer to an operation of a model, passed on as it comes: JSON, sound or events. What an upstream refuses is told without secrets. */
import type { OutgoingHttpHeaders } from 'node:http'
import type { RouteTarget } from '../../config/snapshot.ts'
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import { collectBody } from '../../models/collecting-body.ts'
import { maskSecretText } from '../../models/masking-secrets.ts'
import { throttlingOf } from '../../models/throttling.ts'
import type { UpstreamResponse } from '../../providers/transport.ts'
import { readUpstreamError } from '../../wire/hub/upstream-errors.ts'
import { endBytes, usageAtEnd } from '../../wire/embeddings/usage-at-end.ts'
import type { CallOrigin } from '../origins/call-origin.ts'
import { guardedRelay } from '../guards/guarding-operations.ts'
import type { OperationCall } from '../recording/recording-operation.ts'

export interface RelayedOperation {
  readonly target: RouteTarget
  readonly response: UpstreamResponse
  readonly secrets: readonly string[]
}

/** The last bytes of what comes in chunks. */
class EndOf {
  readonly #most: number
  #chunks: Buffer[] = []
  #size = 0

  constructor(most: number) {
    this.#most = most
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    for (let first = this.#chunks[0]; first !== undefined && this.#size - first.length >= this.#most; first = this.#chunks[0]) {
      this.#chunks.shift()
      this.#size -= first.length
    }
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks).subarray(-this.#most)
  }
}

const maxErrorBytes = 1024 * 1024

/** The head of an answer. */
export function operationHeaders({ modelCall, leftOut }: OperationCall, contentType: string): OutgoingHttpHeaders {
  return {
    'content-type': contentType,
    'x-turnward-call': modelCall ?? '',
    ...(leftOut.length > 0 ? { 'x-turnward-warnings': `left out: ${leftOut.join(', ')}` } : {}),
  }
}

/** What an upstream that answered with an error is told as, without secrets. */
export async function refusalOf({ target, response, secrets }: RelayedOperation): Promise<TurnwardError> {
  const upstream = target.upstream.name
  const { status } = response
  const text = (await collectBody(response, maxErrorBytes, upstream)).toString('utf8')
  if (status === 401) return new TurnwardError('upstream.credential', { subject: upstream, why: 'the upstream refused it' })
  const throttling = throttlingOf(status, response.headers)
  return new TurnwardError('upstream.failed', {
    subject: upstream,
    why: `it answered ${status}: ${maskSecretText(readUpstreamError(text, status).message, secrets)}`,
    status: throttling === undefined ? status : 429,
    retryAfterSeconds: throttling?.retryAfterSeconds,
  })
}

/** Resolves when the answer is whole. Rejects with `upstream.*` or the abort reason; an answer that has begun is cut off then. */
export async function relayOperation(
  call: OperationCall,
  origin: CallOrigin,
  { target, response, secrets }: RelayedOperation,
): Promise<void> {
  const upstream = target.upstream.name
  const type = String(response.headers['content-type'] ?? 'application/octet-stream')
  const headers = operationHeaders(call, type)
  if (response.status >= 400) throw await refusalOf({ target, response, secrets })
  const most = call.snapshot.settings.limits.max_response_bytes
  await new Promise<void>((resolve, reject) => {
    const { outlet } = origin
    const onDrain = (): void => response.resume()
    let size = 0
    const end = type.includes('json') ? new EndOf(endBytes) : undefined
    const finish = (): void => outlet.offDrain(onDrain)
    const fail = (error: TurnwardError): void => {
      finish()
      response.abort()
      // Nobody can tell half of such an answer from a whole one, except by its connection.
      if (outlet.hasBegun) outlet.destroy()
      reject(error)
    }
    const send = (bytes: Buffer): void => {
      if (!outlet.hasBegun) outlet.head(response.status, headers)
      outlet.write(bytes)
      if (outlet.isFull) response.pause()
    }
    const guarded = guardedRelay(call, type, {
      push: send,
      pause: () => response.pause(),
      resume: () => response.resume(),
      fail: (error) => fail(asTurnwardError(error)),
    })
    const conclude = (): void => {
      finish()
      if (!outlet.hasBegun) outlet.head(response.status, headers)
      outlet.end()
      const usage = end === undefined ? undefined : usageAtEnd(end.bytes())
      if (usage !== undefined) call.used = { upstream: target.upstream, models: [target.model ?? call.model], usage }
      resolve()
    }
    outlet.onDrain(onDrain)
    response.read({
      onData(chunk) {
        size += chunk.length
        if (size > most) return fail(new TurnwardError('upstream.malformed', { subject: upstream, why: `more than ${most} bytes` }))
        end?.add(chunk)
        if (guarded === undefined) return send(chunk)
        try {
          guarded.push(chunk)
        } catch (error) {
          fail(asTurnwardError(error))
        }
      },
      onEnd() {
        if (guarded === undefined) conclude()
        else guarded.end().then(conclude, (error: unknown) => fail(asTurnwardError(error)))
      },
      onError(error) {
        fail(
          origin.signal.aborted
            ? asTurnwardError(origin.signal.reason)
            : new TurnwardError('upstream.failed', { subject: upstream, why: 'the answer was cut off', cause: error }),
        )
      },
    })
  })
}
