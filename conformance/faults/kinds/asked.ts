/** What a vendor is asked, in no vendor's words. */
import type { Json } from '../../harness/json.ts'
import type { VendorRequest } from '../../harness/vendor.ts'
import type { Wire } from '../breaking-wires.ts'

export interface OfferedTool {
  readonly name: string
  readonly schema: Json | undefined
}

export interface Asked {
  /** Ids of the calls in the history, and of what answers them. */
  readonly callIds: readonly string[]
  readonly resultIds: readonly string[]
  readonly tools: readonly OfferedTool[]
}

const blocks = (messages: readonly Json[]): Json[] => messages.flatMap(({ content }) => (Array.isArray(content) ? (content as Json[]) : []))

const readers: Readonly<Record<Wire, (body: Json) => Asked>> = {
  openai: ({ messages = [], tools = [] }) => ({
    callIds: (messages as Json[]).flatMap(({ tool_calls: calls }) => (calls ?? []).map(({ id }: Json) => String(id))),
    resultIds: (messages as Json[]).flatMap(({ tool_call_id: id }) => (id === undefined ? [] : [String(id)])),
    tools: (tools as Json[]).map((tool) => ({ name: tool['function'].name, schema: tool['function'].parameters })),
  }),
  anthropic: ({ messages = [], tools = [] }) => ({
    callIds: blocks(messages).flatMap(({ type, id }) => (type === 'tool_use' ? [String(id)] : [])),
    resultIds: blocks(messages).flatMap(({ tool_use_id: id }) => (id === undefined ? [] : [String(id)])),
    tools: (tools as Json[]).map(({ name, input_schema: schema }) => ({ name, schema })),
  }),
  responses: ({ input = [], tools = [] }) => ({
    callIds: (input as Json[]).flatMap(({ type, call_id: id }) => (type === 'function_call' ? [String(id)] : [])),
    resultIds: (input as Json[]).flatMap(({ type, call_id: id }) => (type === 'function_call_output' ? [String(id)] : [])),
    tools: (tools as Json[]).map(({ name, parameters: schema }) => ({ name, schema })),
  }),
  gemini: ({ contents = [], tools = [] }) => {
    const parts = (contents as Json[]).flatMap((content) => (content['parts'] ?? []) as Json[])
    const declared = (tools as Json[]).flatMap((tool) => (tool['functionDeclarations'] ?? []) as Json[])
    return {
      callIds: parts.flatMap(({ functionCall: call }) => (call === undefined ? [] : [String(call.id ?? '')])),
      resultIds: parts.flatMap(({ functionResponse: result }) => (result === undefined ? [] : [String(result.id ?? '')])),
      tools: declared.map(({ name, parametersJsonSchema, parameters }) => ({ name, schema: parametersJsonSchema ?? parameters })),
    }
  },
  converse: ({ messages = [], toolConfig }) => ({
    callIds: blocks(messages).flatMap(({ toolUse: call }) => (call === undefined ? [] : [String(call.toolUseId)])),
    resultIds: blocks(messages).flatMap(({ toolResult: result }) => (result === undefined ? [] : [String(result.toolUseId)])),
    tools: ((toolConfig?.tools ?? []) as Json[]).flatMap(({ toolSpec: tool }) =>
      tool === undefined ? [] : [{ name: tool.name, schema: tool.inputSchema.json }],
    ),
  }),
}

export function readAsked(wire: Wire, { body }: Pick<VendorRequest, 'body'>): Asked {
  return readers[wire](body)
}
