/** The mock model does what a prompt says, in every dialect, so that a client that does nothing is not taken for a governed one. */
import { expect, test } from 'vitest'
import type { Json } from '../../harness/json.ts'
import { closingWords, planIn, promptFor } from '../plan.ts'
import { startMockModel } from './server.ts'

const plan = [{ name: 'look', args: { path: '/a "b"' } }]

test('a plan comes out of a prompt as it went in, whatever a client quotes and escapes', () => {
  expect(planIn(promptFor(plan))).toEqual(plan)
  expect(planIn(`<reminder>plan</reminder>\n${JSON.stringify(JSON.stringify(promptFor(plan)))}`)).toEqual(plan)
  expect(planIn('plan nothing')).toBeUndefined()
})

interface Asked {
  readonly path: string
  /** A request that carries the prompt, and then the call and its result where they are given. */
  readonly body: (prompt: string, result?: string) => Json
  /** What the answer must hold of the call. */
  readonly call: string
}

const asked: readonly (readonly [string, Asked])[] = [
  [
    'chat completions',
    {
      path: '/v1/chat/completions',
      body: (prompt, result) => ({
        model: 'mock',
        tools: [{ type: 'function', function: { name: 'look' } }],
        messages: [
          { role: 'user', content: prompt },
          ...(result === undefined
            ? []
            : [
                { role: 'assistant', tool_calls: [{ id: 'c', function: { name: 'look', arguments: '{}' } }] },
                { role: 'tool', tool_call_id: 'c', content: result },
              ]),
        ],
      }),
      call: '"name": "look"',
    },
  ],
  [
    'messages',
    {
      path: '/v1/messages?beta=true',
      body: (prompt, result) => ({
        model: 'mock',
        tools: [{ name: 'look', input_schema: { type: 'object' } }],
        messages: [
          { role: 'user', content: prompt },
          ...(result === undefined
            ? []
            : [
                { role: 'assistant', content: [{ type: 'tool_use', id: 'c', name: 'look', input: {} }] },
                { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c', content: result }] },
              ]),
        ],
      }),
      call: '"name":"look"',
    },
  ],
  [
    'responses',
    {
      path: '/v1/responses',
      body: (prompt, result) => ({
        model: 'mock',
        tools: [{ type: 'function', name: 'look' }],
        input: [
          { role: 'user', content: prompt },
          ...(result === undefined
            ? []
            : [
                { type: 'function_call', call_id: 'c', name: 'look', arguments: '{}' },
                { type: 'function_call_output', call_id: 'c', output: result },
              ]),
        ],
      }),
      call: '"name":"look"',
    },
  ],
  [
    'gemini',
    {
      path: '/v1beta/models/mock:generateContent',
      body: (prompt, result) => ({
        tools: [{ functionDeclarations: [{ name: 'look' }] }],
        contents: [
          { role: 'user', parts: [{ text: prompt }] },
          ...(result === undefined
            ? []
            : [
                { role: 'model', parts: [{ functionCall: { name: 'look', args: {} } }] },
                { role: 'user', parts: [{ functionResponse: { name: 'look', response: { output: result } } }] },
              ]),
        ],
      }),
      call: '"name":"look"',
    },
  ],
  [
    'converse',
    {
      path: '/model/mock/converse',
      body: (prompt, result) => ({
        toolConfig: { tools: [{ toolSpec: { name: 'look' } }] },
        messages: [
          { role: 'user', content: [{ text: prompt }] },
          ...(result === undefined
            ? []
            : [
                { role: 'assistant', content: [{ toolUse: { toolUseId: 'c', name: 'look', input: {} } }] },
                { role: 'user', content: [{ toolResult: { toolUseId: 'c', content: [{ text: result }] } }] },
              ]),
        ],
      }),
      call: '"name":"look"',
    },
  ],
]

test.each(asked)('%s: makes the call, remembers its result, and closes', async (_name, { path, body, call }) => {
  await using model = await startMockModel()
  const ask = async (request: Json): Promise<string> =>
    (await fetch(`${model.url}${path}`, { method: 'POST', body: JSON.stringify(request) })).text()

  expect(await ask(body(promptFor(plan)))).toContain(call)
  expect(model.results()).toEqual([])
  const last = await ask(body(promptFor(plan), 'milk'))
  expect(last).toContain(closingWords)
  expect(last).not.toContain(call)
  expect(model.results().join()).toContain('milk')
  expect(model.offered()).toEqual(['look'])
})

test.each(asked)('%s: a request that carries no plan is answered with a title', async (_name, { path, body, call }) => {
  await using model = await startMockModel()
  const answer = await (await fetch(`${model.url}${path}`, { method: 'POST', body: JSON.stringify(body('Hello')) })).text()
  expect(answer).toContain('A short title')
  expect(answer).not.toContain(call)
})
