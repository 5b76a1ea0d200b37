/** Trace context of an MCP call: `_meta` first (SEP-414), HTTP headers otherwise. */
import type { McpContext, ServerRequest } from '../../tools/operations.ts'

export function toolTrace(
  context: McpContext,
  request: ServerRequest,
): { traceparent: string | undefined; tracestate: string | undefined } {
  return {
    traceparent: text(request.meta?.traceparent) ?? text(context.headers.traceparent),
    tracestate: text(request.meta?.tracestate) ?? text(context.headers.tracestate),
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
