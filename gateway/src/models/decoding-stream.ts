/** A stream of an upstream that frames it in its own way, as server-sent events. */
import { asTurnwardError } from '../core/error.ts'
import type { BodySink, UpstreamResponse } from '../providers/transport.ts'
import type { StreamFraming } from '../wire/framing/stream-framing.ts'

/** The same response with its body read into server-sent events; one that is no stream of this form (an error) stays as it is. */
export function decodedStream(response: UpstreamResponse, framing: StreamFraming, maxEventBytes: number): UpstreamResponse {
  if (response.status >= 300 || !String(response.headers['content-type'] ?? '').startsWith(framing.contentType)) return response
  return {
    status: response.status,
    headers: { ...response.headers, 'content-type': 'text/event-stream' },
    read: (sink) => response.read(decodingSink(sink, response, framing, maxEventBytes)),
    pause: () => response.pause(),
    resume: () => response.resume(),
    abort: () => response.abort(),
  }
}

function decodingSink(sink: BodySink, response: UpstreamResponse, framing: StreamFraming, maxEventBytes: number): BodySink {
  const decoder = framing.decoder(maxEventBytes)
  let isOver = false
  const step = (decode: () => Buffer): void => {
    if (isOver) return
    try {
      const events = decode()
      if (events.length > 0) sink.onData(events)
    } catch (error) {
      isOver = true
      response.abort()
      sink.onError(asTurnwardError(error))
    }
  }
  return {
    onData: (chunk) => step(() => decoder.push(chunk)),
    onEnd() {
      step(() => decoder.end())
      if (!isOver) sink.onEnd()
    },
    onError(error) {
      if (!isOver) sink.onError(error)
    },
  }
}
