/** An answer whose body has been read already, for whoever reads it next. */
import type { BodySink, UpstreamResponse } from '../providers/transport.ts'

/** The answer again, from memory. */
export function holdResponse({ status, headers }: Pick<UpstreamResponse, 'status' | 'headers'>, body: Buffer): UpstreamResponse {
  return {
    status,
    headers,
    read(sink: BodySink) {
      if (body.length > 0) sink.onData(body)
      sink.onEnd()
    },
    pause() {},
    resume() {},
    abort() {},
  }
}
