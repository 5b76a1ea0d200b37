/** Responses. A call of `tool_search` is an item of its own kind; a tool of a group is called by group and name. */
import type { Json } from '../../harness/json.ts'
import type { Answer, Said } from './conversation.ts'
import { textOf, type MockDialect } from './dialect.ts'

const isCall = new Set(['function_call', 'custom_tool_call', 'tool_search_call', 'local_shell_call'])

export const responses: MockDialect = {
  takes: (path) => path.endsWith('/responses'),
  read: (body) => ({
    tools: functionsOf([
      ...(body.tools ?? []),
      ...((body.input ?? []) as Json[]).flatMap((item) => (item.type === 'tool_search_output' ? item.tools : [])),
    ]),
    history: ((body.input ?? []) as Json[]).flatMap((item): Said[] => {
      if (item.role === 'user') return [{ kind: 'user', text: textOf(item.content) }]
      if (isCall.has(item.type)) return [{ kind: 'call' }]
      if (!String(item.type).endsWith('_output')) return []
      return [{ kind: 'result', text: typeof item.output === 'string' ? item.output : JSON.stringify(item.output ?? item.tools) }]
    }),
  }),
  write: (answer, { body }) => {
    const offered = ((body.tools ?? []) as Json[]).map(({ type, name }) => `${type} ${name ?? ''}`.trim())
    const output = itemsOf(answer, offered)
    const response = {
      id: 'resp_000000000000000000000000',
      object: 'response',
      created_at: 1761264000,
      status: 'completed',
      model: body.model,
      output,
      parallel_tool_calls: true,
      tool_choice: 'auto',
      tools: [],
      usage: usage,
    }
    if (body.stream !== true) return { streamed: false, parts: [JSON.stringify(response)] }
    return { streamed: true, parts: eventsOf(response, output) }
  },
}

const usage = {
  input_tokens: 82,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 17,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 99,
}

// A group of tools holds them; what the vendor runs has no name.
function functionsOf(tools: readonly Json[]): string[] {
  return tools.flatMap((tool) =>
    tool.tools === undefined ? (tool.name ?? (tool.execution === 'client' ? tool.type : [])) : functionsOf(tool.tools),
  )
}

/** `offered`: types and names of tools; a name alone does not say which kind of call is made of it. */
function itemsOf({ text, call }: Answer, offered: readonly string[]): Json[] {
  const said = {
    type: 'message',
    id: `msg_${call?.id ?? 'last'}`,
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text, annotations: [] }],
  }
  if (call === undefined) return [said]
  const { id, name, namespace, args } = call
  if (name === 'tool_search' && offered.includes('tool_search'))
    return [
      said,
      { type: 'tool_search_call', id: `tsc_${id}`, call_id: `call_${id}`, execution: 'client', arguments: args, status: 'completed' },
    ]
  if (offered.includes(`custom ${name}`))
    return [
      said,
      { type: 'custom_tool_call', id: `ctc_${id}`, call_id: `call_${id}`, name, input: (args as Json).input, status: 'completed' },
    ]
  return [
    said,
    {
      type: 'function_call',
      id: `fc_${id}`,
      call_id: `call_${id}`,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      arguments: JSON.stringify(args),
      status: 'completed',
    },
  ]
}

function eventsOf(response: Json, output: readonly Json[]): string[] {
  const started = { ...response, status: 'in_progress', output: [], usage: null }
  const events: Json[] = [{ type: 'response.created', response: started }]
  for (const [output_index, item] of output.entries()) {
    events.push({
      type: 'response.output_item.added',
      output_index,
      item: { ...item, status: 'in_progress', ...(item.type === 'message' ? { content: [] } : {}) },
    })
    const text = item.type === 'message' ? item.content[0].text : undefined
    if (text !== undefined)
      events.push({ type: 'response.output_text.delta', item_id: item.id, output_index, content_index: 0, delta: text })
    events.push({ type: 'response.output_item.done', output_index, item })
  }
  events.push({ type: 'response.completed', response })
  return events.map((event, sequence_number) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number })}\n\n`)
}
