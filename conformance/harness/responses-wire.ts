/** Responses as api.openai.com sends them: the fields, the events and their order. One answer in, the bytes of it out. */
import type { HistoryMessage } from './model-history.ts'
import type { Json } from './json.ts'
import type { ModelAnswer } from './model-answer.ts'
import { pieces } from './openai-wire.ts'

const id = 'resp_68f9d2a4c1b88190a7e5'

function itemsOf(answer: ModelAnswer): Json[] {
  const cut = answer.finish === 'length' ? 'incomplete' : 'completed'
  const calls = (answer.calls ?? []).map((call, index) => ({
    id: `fc_68f9d2a4${index}${call.id}`,
    type: 'function_call',
    status: cut,
    arguments: typeof call.args === 'string' ? call.args : JSON.stringify(call.args ?? {}),
    call_id: call.id,
    name: call.name,
  }))
  const content = [{ type: 'output_text', annotations: [], logprobs: [], text: answer.text }]
  // Ids of a vendor's are its own in every response.
  const own = Buffer.from(answer.text ?? '')
    .toString('hex')
    .slice(0, 24)
  const message = { id: `msg_68f9d2a5${own}`, type: 'message', status: cut, content, role: 'assistant' }
  const reasoning = { id: `rs_68f9d2a3${calls[0]?.call_id ?? ''}`, type: 'reasoning', encrypted_content: 'gAAAAABo-dKk', summary: [] }
  const search = { id: 'ws_68f9d2a6', type: 'web_search_call', status: 'completed', action: { type: 'search', query: answer.searched } }
  const before = [...(answer.thinking === undefined ? [] : [reasoning]), ...(answer.searched === undefined ? [] : [search])]
  return [...before, ...(answer.text === undefined ? [] : [message]), ...calls]
}

function responseOf(answer: ModelAnswer, model: string, output: readonly Json[] | undefined): Json {
  const { input = 82, output: written = 17 } = answer.usage ?? {}
  const isCut = answer.finish === 'length'
  return {
    id,
    object: 'response',
    created_at: 1761264000,
    status: output === undefined ? 'in_progress' : isCut ? 'incomplete' : 'completed',
    background: false,
    error: null,
    incomplete_details: output !== undefined && isCut ? { reason: 'max_output_tokens' } : null,
    instructions: null,
    max_output_tokens: null,
    model: `${model}-2026-08-06`,
    output: output ?? [],
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    service_tier: 'default',
    store: true,
    temperature: 1,
    text: { format: { type: 'text' }, verbosity: 'medium' },
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    truncation: 'disabled',
    usage:
      output === undefined
        ? null
        : {
            input_tokens: input,
            input_tokens_details: { cached_tokens: 0 },
            output_tokens: written,
            output_tokens_details: { reasoning_tokens: 0 },
            total_tokens: input + written,
          },
    user: null,
    metadata: {},
  }
}

/** The body of a whole answer. */
export function response(answer: ModelAnswer, model: string): string {
  return JSON.stringify(responseOf(answer, model, itemsOf(answer)), undefined, 2)
}

/** The events of a streamed answer. */
export function responseEvents(answer: ModelAnswer, model: string): string[] {
  const events: Json[] = [
    { type: 'response.created', response: responseOf(answer, model, undefined) },
    { type: 'response.in_progress', response: responseOf(answer, model, undefined) },
  ]
  const items = itemsOf(answer)
  for (const [output_index, item] of items.entries()) events.push(...itemEvents(item, output_index))
  const whole = responseOf(answer, model, items)
  events.push({ type: `response.${whole.status}`, response: whole })
  return events.map((event, sequence_number) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number })}\n\n`)
}

function itemEvents(item: Json, output_index: number): Json[] {
  const at = { item_id: item.id, output_index }
  const end = { type: 'response.output_item.done', output_index, item }
  if (item.type === 'reasoning' || item.type === 'web_search_call') return [{ type: 'response.output_item.added', output_index, item }, end]
  if (item.type === 'function_call') {
    return [
      { type: 'response.output_item.added', output_index, item: { ...item, status: 'in_progress', arguments: '' } },
      ...pieces(item.arguments, 7).map((delta) => ({ type: 'response.function_call_arguments.delta', ...at, delta, obfuscation: 'q7' })),
      { type: 'response.function_call_arguments.done', ...at, arguments: item.arguments },
      end,
    ]
  }
  const part = item.content[0]
  const place = { ...at, content_index: 0 }
  return [
    { type: 'response.output_item.added', output_index, item: { ...item, status: 'in_progress', content: [] } },
    { type: 'response.content_part.added', ...place, part: { ...part, text: '' } },
    ...pieces(part.text, 9).map((delta) => ({ type: 'response.output_text.delta', ...place, delta, logprobs: [], obfuscation: 'q7' })),
    { type: 'response.output_text.done', ...place, text: part.text, logprobs: [] },
    { type: 'response.content_part.done', ...place, part },
    end,
  ]
}

/** The items of a request as messages: what the model answered at once is one. */
export function historyOfItems(input: Json[] | string): HistoryMessage[] {
  const items: Json[] = typeof input === 'string' ? [{ role: 'user', content: input }] : input
  const history: { role: string; text: string; calls: HistoryMessage['calls'][number][]; results: { id: string; text: string }[] }[] = []
  let isAnswer = false
  for (const item of items) {
    if (item.role === 'system' || item.role === 'developer') continue
    const isModels = item.role === 'assistant' || ['function_call', 'reasoning'].includes(item.type)
    if (!isModels || !isAnswer) history.push({ role: item.role ?? (isModels ? 'assistant' : 'tool'), text: '', calls: [], results: [] })
    isAnswer = isModels
    const last = history.at(-1)
    if (last === undefined) continue
    if (item.type === 'function_call') last.calls.push({ id: item.call_id, name: item.name, args: JSON.parse(item.arguments || '{}') })
    else if (item.type === 'function_call_output') last.results.push({ id: item.call_id, text: textOf(item.output) })
    else if (item.content !== undefined) last.text += textOf(item.content)
  }
  return history
}

function textOf(content: Json): string {
  return typeof content === 'string' ? content : (content as Json[]).map(({ text }) => String(text ?? '')).join('')
}
