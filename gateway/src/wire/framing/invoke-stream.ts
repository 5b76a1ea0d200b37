/**
 * The stream of Bedrock's InvokeModel as server-sent events and back: an AWS event stream whose frames (`chunk`) each carry, in
 * base64, one event of the model's own API. An exception of AWS's is an `error` event inside, in the form Anthropic gives it.
 */
import { TurnwardError } from '../../core/error.ts'
import { isObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import { eventStream, writeFrame } from './event-stream.ts'
import { SseFramer } from './sse.ts'
import type { StreamFraming, StreamRecoder } from './stream-framing.ts'

export const invokeStream: StreamFraming = {
  contentType: eventStream.contentType,
  decoder: (maxEventBytes) => new ChunkDecoder(maxEventBytes),
  encoder: () => new ChunkEncoder(),
}

const errorTypes: Readonly<Record<string, string>> = {
  throttlingException: 'rate_limit_error',
  serviceUnavailableException: 'overloaded_error',
  validationException: 'invalid_request_error',
  modelTimeoutException: 'timeout_error',
}

class ChunkDecoder implements StreamRecoder {
  readonly #frames: StreamRecoder
  readonly #framer = new SseFramer(Infinity)

  constructor(maxEventBytes: number) {
    this.#frames = eventStream.decoder(maxEventBytes)
  }

  push(bytes: Uint8Array): Buffer {
    return this.#read(this.#frames.push(bytes))
  }

  end(): Buffer {
    return this.#read(this.#frames.end())
  }

  /** The events that the frames have become say what kind each is of, and never end in the middle. */
  #read(events: Buffer): Buffer {
    let text = ''
    this.#framer.push(events, ({ event = '', data = '' }) => {
      text += event === 'chunk' ? innerEvent(payloadOf(data)) : errorEvent(event, payloadOf(data))
    })
    return Buffer.from(text)
  }
}

function payloadOf(data: string): unknown {
  try {
    return parseJson(data)
  } catch {
    throw malformed('a frame of its event stream is not JSON')
  }
}

function innerEvent(payload: unknown): string {
  const bytes = isObject(payload) ? payload.bytes : undefined
  if (typeof bytes !== 'string') throw malformed('a chunk of its event stream has no bytes')
  const json = Buffer.from(bytes, 'base64').toString('utf8')
  const inner = payloadOf(json)
  if (!isObject(inner)) throw malformed('a chunk of its event stream is no event')
  const { type } = inner
  // Edges keep a quiet stream open with these; Anthropic's own client passes them over as well.
  if (type === undefined) return ''
  if (typeof type !== 'string' || !/^\w{1,64}$/.test(type)) throw malformed('a chunk of its event stream is no event')
  return `event: ${type}\ndata: ${json.replace(/\r\n|\r|\n/g, '\ndata: ')}\n\n`
}

function errorEvent(name: string, payload: unknown): string {
  if (!name.endsWith('Exception')) throw malformed('a frame of its event stream is neither a chunk nor an exception')
  const message = isObject(payload) && typeof payload.message === 'string' ? payload.message : name
  const type = (Object.hasOwn(errorTypes, name) ? errorTypes[name] : undefined) ?? 'api_error'
  return `event: error\ndata: ${JSON.stringify({ type: 'error', error: { type, message } })}\n\n`
}

class ChunkEncoder implements StreamRecoder {
  // Events come whole from inside, and their size has been looked at there.
  readonly #framer = new SseFramer(Infinity)

  push(bytes: Uint8Array): Buffer {
    const frames: Buffer[] = []
    this.#framer.push(Buffer.from(bytes), ({ event, data }) => {
      if (data !== undefined && event !== undefined) frames.push(chunkOf(event, data))
    })
    return Buffer.concat(frames)
  }

  end(): Buffer {
    const frames: Buffer[] = []
    this.#framer.end(({ event, data, isTerminated }) => {
      if (isTerminated && data !== undefined && event !== undefined) frames.push(chunkOf(event, data))
    })
    return Buffer.concat(frames)
  }
}

function chunkOf(event: string, data: string): Buffer {
  if (event.endsWith('Exception')) return writeFrame(event, data)
  if (event === 'error') return writeFrame('modelStreamErrorException', JSON.stringify({ message: errorMessage(data) }))
  return writeFrame('chunk', JSON.stringify({ bytes: Buffer.from(data).toString('base64') }))
}

function errorMessage(data: string): string {
  const payload = payloadOf(data)
  const error = isObject(payload) && isObject(payload.error) ? payload.error : {}
  return typeof error.message === 'string' ? error.message : 'the upstream reported an error'
}

function malformed(why: string): TurnwardError {
  return new TurnwardError('upstream.malformed', { why })
}
