/** A person asks for something, and a tool that the client runs itself was read: the same conversation in each dialect. */
import type { JsonObject } from '../core/json.ts'

const schema = { type: 'object', properties: {} }

export interface Form {
  readonly path: (stream: boolean) => string
  readonly body: JsonObject
}

export interface Reading {
  readonly asked: string
  /** The tool that was read, what with, and what it said. */
  readonly reader: string
  readonly readArgs: JsonObject
  readonly read: string
  /** The tools the model may call. */
  readonly offered: readonly string[]
}

export function readingConversations({ asked, reader, readArgs, read, offered }: Reading): Readonly<Record<string, Form>> {
  return {
    'chat-completions': {
      path: () => '/v1/chat/completions',
      body: {
        model: 'm',
        tools: offered.map((name) => ({ type: 'function', function: { name, parameters: schema } })),
        messages: [
          { role: 'user', content: asked },
          {
            role: 'assistant',
            content: null,
            tool_calls: [{ id: 'c1', type: 'function', function: { name: reader, arguments: JSON.stringify(readArgs) } }],
          },
          { role: 'tool', tool_call_id: 'c1', content: read },
        ],
      },
    },
    messages: {
      path: () => '/v1/messages',
      body: {
        model: 'm',
        max_tokens: 100,
        tools: offered.map((name) => ({ name, input_schema: schema })),
        messages: [
          { role: 'user', content: asked },
          { role: 'assistant', content: [{ type: 'tool_use', id: 'c1', name: reader, input: readArgs }] },
          { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c1', content: [{ type: 'text', text: read }] }] },
        ],
      },
    },
    responses: {
      path: () => '/v1/responses',
      body: {
        model: 'm',
        store: false,
        tools: offered.map((name) => ({ type: 'function', name, parameters: schema })),
        input: [
          { role: 'user', content: asked },
          { type: 'function_call', call_id: 'c1', name: reader, arguments: JSON.stringify(readArgs) },
          { type: 'function_call_output', call_id: 'c1', output: read },
        ],
      },
    },
    gemini: {
      path: (stream) => `/v1beta/models/m:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
      body: {
        tools: [{ functionDeclarations: offered.map((name) => ({ name, parametersJsonSchema: schema })) }],
        contents: [
          { role: 'user', parts: [{ text: asked }] },
          { role: 'model', parts: [{ functionCall: { name: reader, args: readArgs } }] },
          { role: 'user', parts: [{ functionResponse: { name: reader, response: { output: read } } }] },
        ],
      },
    },
    converse: {
      path: (stream) => `/model/m/${stream ? 'converse-stream' : 'converse'}`,
      body: {
        toolConfig: { tools: offered.map((name) => ({ toolSpec: { name, inputSchema: { json: schema } } })) },
        messages: [
          { role: 'user', content: [{ text: asked }] },
          { role: 'assistant', content: [{ toolUse: { toolUseId: 'c1', name: reader, input: readArgs } }] },
          { role: 'user', content: [{ toolResult: { toolUseId: 'c1', content: [{ text: read }] } }] },
        ],
      },
    },
  }
}
