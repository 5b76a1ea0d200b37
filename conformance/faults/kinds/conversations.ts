/** The same conversation in each dialect: what a client says of tools, calls, results and instructions. */
import type { Json } from '../../harness/json.ts'
import type { Wire } from '../breaking-wires.ts'

export interface SaidTool {
  readonly name: string
  /** Undefined: none is given, or the least the dialect allows. */
  readonly schema: Json | undefined
}

/** Fields that offer these tools. */
export const offering: Readonly<Record<Wire, (tools: readonly SaidTool[]) => Json>> = {
  openai: (tools) => ({
    tools: tools.map(({ name, schema }) => ({
      type: 'function',
      function: { name, ...(schema === undefined ? {} : { parameters: schema }) },
    })),
  }),
  anthropic: (tools) => ({ tools: tools.map(({ name, schema }) => ({ name, input_schema: schema ?? { type: 'object' } })) }),
  responses: (tools) => ({
    tools: tools.map(({ name, schema }) => ({ type: 'function', name, strict: false, parameters: schema ?? null })),
  }),
  gemini: (tools) => ({
    tools: [
      {
        functionDeclarations: tools.map(({ name, schema }) => ({
          name,
          description: 'A tool.',
          ...(schema === undefined ? {} : { parametersJsonSchema: schema }),
        })),
      },
    ],
  }),
  converse: (tools) => ({
    toolConfig: { tools: tools.map(({ name, schema }) => ({ toolSpec: { name, inputSchema: { json: schema ?? { type: 'object' } } } })) },
  }),
}

/** Fields of a conversation in which these calls of `get_time` were made and answered, in one message. */
export const called: Readonly<Record<Wire, (ids: readonly string[]) => Json>> = {
  openai: (ids) => ({
    messages: [
      { role: 'user', content: 'What time is it?' },
      {
        role: 'assistant',
        content: null,
        tool_calls: ids.map((id) => ({ id, type: 'function', function: { name: 'get_time', arguments: '{}' } })),
      },
      ...ids.map((id) => ({ role: 'tool', tool_call_id: id, content: '12:00' })),
    ],
  }),
  anthropic: (ids) => ({
    messages: [
      { role: 'user', content: 'What time is it?' },
      { role: 'assistant', content: ids.map((id) => ({ type: 'tool_use', id, name: 'get_time', input: {} })) },
      { role: 'user', content: ids.map((id) => ({ type: 'tool_result', tool_use_id: id, content: '12:00' })) },
    ],
  }),
  responses: (ids) => ({
    input: [
      { role: 'user', content: 'What time is it?' },
      ...ids.map((call_id) => ({ type: 'function_call', call_id, name: 'get_time', arguments: '{}' })),
      ...ids.map((call_id) => ({ type: 'function_call_output', call_id, output: '12:00' })),
    ],
  }),
  gemini: (ids) => ({
    contents: [
      { role: 'user', parts: [{ text: 'What time is it?' }] },
      { role: 'model', parts: ids.map((id) => ({ functionCall: { id, name: 'get_time', args: {} } })) },
      { role: 'user', parts: ids.map((id) => ({ functionResponse: { id, name: 'get_time', response: { output: '12:00' } } })) },
    ],
  }),
  converse: (ids) => ({
    messages: [
      { role: 'user', content: [{ text: 'What time is it?' }] },
      { role: 'assistant', content: ids.map((toolUseId) => ({ toolUse: { toolUseId, name: 'get_time', input: {} } })) },
      { role: 'user', content: ids.map((toolUseId) => ({ toolResult: { toolUseId, content: [{ text: '12:00' }] } })) },
    ],
    toolConfig: { tools: [{ toolSpec: { name: 'get_time', inputSchema: { json: { type: 'object' } } } }] },
  }),
}

/** Fields with instructions in every place and form a dialect has for them. */
export const instructed: Readonly<Record<Wire, (texts: readonly [string, string, string]) => Json>> = {
  openai: ([one, two, three]) => ({
    messages: [
      { role: 'system', content: one },
      { role: 'developer', content: [{ type: 'text', text: two }] },
      { role: 'user', content: 'Hi.' },
      { role: 'assistant', content: 'Hello.' },
      { role: 'system', content: three },
      { role: 'user', content: 'Go on.' },
    ],
  }),
  anthropic: ([one, two, three]) => ({
    system: [
      { type: 'text', text: one, cache_control: { type: 'ephemeral' } },
      { type: 'text', text: two },
      { type: 'text', text: three },
    ],
  }),
  responses: ([one, two, three]) => ({
    instructions: one,
    input: [
      { role: 'developer', content: two },
      { type: 'message', role: 'system', content: [{ type: 'input_text', text: three }] },
      { role: 'user', content: 'Hi.' },
    ],
  }),
  gemini: ([one, two, three]) => ({ systemInstruction: { parts: [{ text: one }, { text: two }, { text: three }] } }),
  converse: ([one, two, three]) => ({ system: [{ text: one }, { cachePoint: { type: 'default' } }, { text: two }, { text: three }] }),
}

/** Fields that stop an answer at these words; undefined where a dialect cannot. */
export const stopping: Readonly<Record<Wire, ((stops: readonly string[]) => Json) | undefined>> = {
  openai: (stop) => ({ stop }),
  anthropic: (stop_sequences) => ({ stop_sequences }),
  responses: undefined,
  gemini: (stopSequences) => ({ generationConfig: { stopSequences } }),
  converse: (stopSequences) => ({ inferenceConfig: { stopSequences } }),
}
