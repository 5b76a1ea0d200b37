/** Every place in which words of a request stand is found, in every dialect, and can be written otherwise. */
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../core/json.ts'
import { type DialectName } from '../dialect.ts'
import { dialectByName } from '../dialects.ts'

const schema = { type: 'object', properties: { to: { type: 'string', description: 'T2', enum: ['T3'] } } }
const picture = `data:image/png;base64,${'A'.repeat(40)}`

/** `S`: system. `U`: user. `A`: assistant. `C`: calls. `R`: results. `T`: tools. `O`: settings. A number behind it: its place. Nothing else is found. */
const bodies: Readonly<Record<DialectName, JsonObject>> = {
  'chat-completions': {
    model: 'm',
    messages: [
      { role: 'system', content: 'S1' },
      { role: 'developer', content: [{ type: 'text', text: 'S2' }] },
      {
        role: 'user',
        name: 'U1',
        content: [
          { type: 'text', text: 'U2' },
          { type: 'image_url', image_url: { url: picture } },
          { type: 'new', words: 'U3' },
        ],
      },
      {
        role: 'assistant',
        content: 'A1',
        reasoning_content: 'A2',
        tool_calls: [{ id: 'x', type: 'function', function: { name: 'C1', arguments: '{"a":"C2"}' } }],
      },
      { role: 'tool', tool_call_id: 'x', content: 'R1' },
    ],
    tools: [{ type: 'T4', function: { name: 'T5', description: 'T1', parameters: { ...schema, type: 'T6' } } }],
    user: 'O1',
    response_format: { type: 'O2' },
  },
  messages: {
    model: 'm',
    system: [{ type: 'text', text: 'S1' }],
    messages: [
      { role: 'user', content: 'U1' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hidden', signature: 's' },
          { type: 'text', text: 'A1' },
          { type: 'tool_use', id: 'x', name: 'C1', input: { type: 'C2', deep: [{ id: 'C3' }] } },
        ],
      },
      {
        role: 'user',
        content: [
          {
            type: 'tool_result',
            tool_use_id: 'x',
            content: [
              { type: 'text', text: 'R1' },
              { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
            ],
          },
          { type: 'document', title: 'U2', source: { type: 'text', media_type: 'text/plain', data: 'U3' } },
          {
            type: 'web_search_tool_result',
            tool_use_id: 'y',
            content: [{ type: 'web_search_result', title: 'R2', encrypted_content: 'zzz' }],
          },
        ],
      },
    ],
    tools: [{ name: 'T4', description: 'T1', input_schema: { ...schema, type: 'T5' } }],
    metadata: { user_id: 'O1' },
  },
  responses: {
    model: 'm',
    instructions: 'S1',
    input: [
      { role: 'user', content: 'U1' },
      { type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'S2' }] },
      { type: 'reasoning', id: 'r', summary: [{ type: 'summary_text', text: 'A1' }], encrypted_content: 'zzz' },
      { type: 'function_call', call_id: 'x', name: 'C1', arguments: '{"a":"C2"}' },
      { type: 'function_call_output', call_id: 'x', output: 'R1' },
      { type: 'local_shell_call', id: 'l', call_id: 'y', action: { type: 'C3', command: ['C4'] } },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'A2' }] },
    ],
    tools: [{ type: 'T4', name: 'T5', description: 'T1', parameters: { ...schema, type: 'T6' } }],
    metadata: { a: 'O1' },
  },
  gemini: {
    model: 'm',
    systemInstruction: { parts: [{ text: 'S1' }] },
    contents: [
      { role: 'user', parts: [{ text: 'U1' }, { inlineData: { mimeType: 'image/png', data: 'AAAA' } }] },
      { role: 'model', parts: [{ text: 'A1', thoughtSignature: 'zzz' }, { functionCall: { name: 'C1', args: { type: 'C2' } } }] },
      { role: 'user', parts: [{ functionResponse: { name: 'R1', response: { id: 'R2' } } }] },
    ],
    tools: [{ functionDeclarations: [{ name: 'T4', description: 'T1', parametersJsonSchema: { ...schema, type: 'T5' } }] }],
    labels: { a: 'O1' },
  },
  converse: {
    model: 'm',
    system: [{ text: 'S1' }],
    messages: [
      {
        role: 'user',
        content: [
          { text: 'U1' },
          { document: { name: 'U2', format: 'txt', source: { text: 'U3' } } },
          { image: { format: 'png', source: { bytes: 'AAAA' } } },
        ],
      },
      {
        role: 'assistant',
        content: [
          { reasoningContent: { reasoningText: { text: 'hidden', signature: 's' } } },
          { text: 'A1' },
          { toolUse: { toolUseId: 'x', name: 'C1', input: { id: 'C2' } } },
        ],
      },
      { role: 'user', content: [{ toolResult: { toolUseId: 'x', content: [{ text: 'R1' }, { json: { type: 'R2' } }] } }] },
    ],
    toolConfig: { tools: [{ toolSpec: { name: 'T4', description: 'T1', inputSchema: { json: { ...schema, type: 'T5' } } } }] },
    requestMetadata: { a: 'O1' },
  },
}

const parts: Readonly<Record<string, string>> = {
  S: 'system',
  U: 'user',
  A: 'assistant',
  C: 'tool_call',
  R: 'tool_result',
  T: 'tools',
  O: 'settings',
}

test('text that looks like a picture is text', () => {
  const [text] = dialectByName['chat-completions'].requestTexts({ messages: [{ role: 'user', content: 'data:;base64,AAAA and more' }] })
  expect(text).toMatchObject({ part: 'user', field: 'content' })
})

describe.each(Object.entries(bodies))('a request in %s', (name, body) => {
  const dialect = dialectByName[name as DialectName]

  test('has its words where they are, and what no model reads is none of them', () => {
    const found = dialect.requestTexts(structuredClone(body))
    const written = found.map(({ part, holder, field }) => [String((holder as JsonObject)[field]).replaceAll(/[{}":a]/g, ''), part])
    const marks = [...JSON.stringify(body).matchAll(/"([SUACRTO]\d)\\?"/g)].map(([, mark = '']) => [mark, parts[mark.charAt(0)]])
    const types = [
      ['string', 'tools'],
      ['function', 'tools'],
    ]
    expect(written.filter((one) => !types.some((type) => type.join() === one.join())).toSorted()).toEqual(marks.toSorted())
  })

  test('what describes a tool may be written otherwise, and its names may not', () => {
    const fixed = dialect.requestTexts(structuredClone(body)).filter(({ isFixed }) => isFixed === true)
    const words = fixed.map(({ holder, field }) => (holder as JsonObject)[field])
    expect(words).toContain('T4')
    expect(words).not.toContain('T1')
    expect(words).not.toContain('T2')
    expect(words).toContain('T3')
  })
})
