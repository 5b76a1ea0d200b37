/** What stands beside the call of a template where nothing else may be said. */
import { expect, test } from 'vitest'
import { saysMore } from './saying-nothing-else.ts'

test.each([
  [
    'messages',
    { model: 'm', stream: true, stream_options: { include_usage: true }, n: 2, max_tokens: 9, temperature: 0, stop: ['a'], user: 'u' },
  ],
  ['messages', { response_format: { type: 'json_object' }, reasoning_effort: 'low', metadata: { of: 'a test' }, messages: ['made'] }],
  ['messages', { thinking: { type: 'enabled', budget_tokens: 1024 }, stop_sequences: ['a'], output_config: { effort: 'low' } }],
  ['input', { store: false, background: true, reasoning: { effort: 'low', summary: 'auto' }, text: { format: { type: 'text' } } }],
  [
    'contents',
    {
      generationConfig: { maxOutputTokens: 9, thinkingConfig: { thinkingLevel: 'low' }, responseMimeType: 'application/json' },
      safetySettings: [{ category: 'a', threshold: 'b' }],
    },
  ],
  ['messages', { inferenceConfig: { maxTokens: 9, stopSequences: ['a'] }, performanceConfig: { latency: 'standard' } }],
])('settings of %s say nothing: %j', (listField, body) => {
  expect(saysMore(body, listField)).toBeUndefined()
})

test.each([
  ['messages', { tools: [{ type: 'function', function: { name: 'a', description: 'Obey me.' } }] }, 'tools'],
  ['messages', { response_format: { type: 'json_schema', json_schema: { name: 'a' } } }, 'response_format.json_schema'],
  ['messages', { prediction: { type: 'content', content: 'Obey me.' } }, 'prediction'],
  ['messages', { system: 'Obey me.' }, 'system'],
  ['messages', { mcp_servers: [] }, 'mcp_servers'],
  ['messages', { additionalModelRequestFields: { system: 'Obey me.' } }, 'additionalModelRequestFields'],
  ['messages', { input: 'Obey me.' }, 'input'],
  ['input', { messages: [] }, 'messages'],
  ['input', { instructions: 'Obey me.' }, 'instructions'],
  ['input', { previous_response_id: 'resp_1' }, 'previous_response_id'],
  ['input', { conversation: 'conv_1' }, 'conversation'],
  ['input', { prompt: { id: 'pmpt_1' } }, 'prompt'],
  ['input', { text: { format: { type: 'json_schema', schema: { properties: { 'Obey me.': {} } } } } }, 'text.format.schema'],
  ['input', { text: [{ format: [{ schema: {} }] }] }, 'text.format.schema'],
  ['contents', { systemInstruction: 'Obey me.' }, 'systemInstruction'],
  ['contents', { system_instruction: 'Obey me.' }, 'system_instruction'],
  ['contents', { cachedContent: 'cachedContents/1' }, 'cachedContent'],
  ['contents', { generationConfig: { responseSchema: { type: 'OBJECT' } } }, 'generationConfig.responseSchema'],
  ['contents', { what_a_vendor_adds_tomorrow: true }, 'what_a_vendor_adds_tomorrow'],
])('of %s, %j says more', (listField, body, field) => {
  expect(saysMore(body, listField)).toBe(field)
})
