/** W3C Trace Context: what a caller sends is taken over only when it is exactly well formed, else it is dropped whole. */

export interface TraceContext {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string
  /** 16 lower-case hex digits, not all zero. */
  readonly spanId: string
  readonly flags: number
  readonly traceparent: string
  readonly tracestate: string | undefined
}

const version0 = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/
const later = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-[\x21-\x7e]{0,128})?$/
// Section 3.3.1.3: key with an optional vendor part, `=`, printable value without `,` and `=`.
const stateMember = /^[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{1,256}$/

/** The caller's context, or `undefined` when `traceparent` is absent or malformed (Trace Context level 2, section 3.2). */
export function parseTraceContext(traceparent: string | undefined, tracestate: string | undefined): TraceContext | undefined {
  if (traceparent === undefined || traceparent.length > 256) return undefined
  const found = version0.exec(traceparent) ?? (traceparent.startsWith('00') ? null : later.exec(traceparent))
  const [, traceId, spanId, flags] = found ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  return { traceId, spanId, flags: Number.parseInt(flags, 16), traceparent, tracestate: validTracestate(tracestate) }
}

/** `traceparent` of a context, version 00. Only the flags we know are passed on (section 3.2.2.5). */
export function formatTraceparent(traceId: string, spanId: string, flags: number): string {
  return `00-${traceId}-${spanId}-${flags & 1 ? '01' : '00'}`
}

function validTracestate(text: string | undefined): string | undefined {
  if (text === undefined || text.length > 512) return undefined
  const members = text
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '')
  return members.length > 0 && members.length <= 32 && members.every((member) => stateMember.test(member)) ? text : undefined
}
