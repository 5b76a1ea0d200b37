/** Whatever a transform that is allowed changes, the request that goes out reads as the one that was decided on. */
import { configSchema } from '@turnward/contract/config'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkTransforms } from '../../config/transforms.ts'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { patched, UnfitChange, type Change } from '../../core/json-patch.ts'
import { configOf } from '../../invariants/floors.fixture.ts'
import type { DialectName } from '../../wire/dialect.ts'
import { allGuardedFields, dialectByName } from '../../wire/dialects.ts'

const schema = { type: 'object', properties: {} }
const bodies: Readonly<Record<DialectName, JsonObject>> = {
  'chat-completions': {
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'one' },
    ],
    tools: [{ type: 'function', function: { name: 'look', parameters: schema } }],
    tool_choice: 'auto',
    stream_options: { include_usage: true },
    metadata: { a: 'b' },
    stop: ['A'],
  },
  messages: {
    system: 'Be brief.',
    messages: [{ role: 'user', content: 'one' }],
    max_tokens: 9,
    tools: [{ name: 'look', input_schema: schema }],
    metadata: { user_id: 'u' },
    stop_sequences: ['A'],
  },
  responses: {
    instructions: 'Be brief.',
    input: 'one',
    tools: [{ type: 'function', name: 'look', parameters: schema }],
    store: false,
    metadata: { a: 'b' },
    reasoning: { effort: 'low' },
  },
  gemini: {
    systemInstruction: { parts: [{ text: 'Be brief.' }] },
    contents: [{ role: 'user', parts: [{ text: 'one' }] }],
    tools: [{ functionDeclarations: [{ name: 'look', parameters: schema }] }],
    generationConfig: { temperature: 1, candidateCount: 1, stopSequences: ['A'] },
    labels: { a: 'b' },
  },
  converse: {
    system: [{ text: 'Be brief.' }],
    messages: [{ role: 'user', content: [{ text: 'one' }] }],
    toolConfig: { tools: [{ toolSpec: { name: 'look', inputSchema: { json: schema } } }] },
    inferenceConfig: { temperature: 1, stopSequences: ['A'] },
    additionalModelRequestFields: { top_k: 5 },
  },
}

const more = [
  'systemInstruction system_instruction toolConfig tool_config generationConfig candidateCount cachedContent candidate_count',
  'promptVariables generateContentRequest additionalModelRequestFields inferenceConfig stopSequences top_k user labels',
  'Tools MESSAGES Stream 0 1 - a x_vendor __proto__',
].flatMap((line) => line.split(' '))
const step = fc.constantFrom(...allGuardedFields, ...more)
const place = fc.array(step, { minLength: 1, maxLength: 3 }).map((steps) => `/${steps.join('/')}`)
const value: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.constantFrom<JsonValue>(null, true, 2, 'other', '', [], {}),
  step.map((name): JsonValue => ({ [name]: 'other' })),
  step.map((name): JsonValue => [{ type: name, name, role: 'user', content: 'other', text: 'other' }]),
)
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ op: fc.constantFrom('add' as const, 'replace' as const), path: place, value }),
  fc.record({ op: fc.constant('remove' as const), path: place }),
  fc.record({ op: fc.constant('move' as const), from: place, path: place }),
)

function isAllowed(name: DialectName, patch: readonly Change[]): boolean {
  let allowed = true
  const transforms = { one: { dialects: [name], patch: patch as never } }
  const { success, data } = configSchema.safeParse(configOf({ transforms }))
  if (success) checkTransforms(data, () => (allowed = false))
  return success && allowed
}

describe.each(Object.values(dialectByName))('$name', (dialect) => {
  test('what is asked, said and on offer is the same', () => {
    const body: JsonObject = { model: 'm', stream: true, ...bodies[dialect.name] }
    const before = dialect.readRequest(structuredClone(body))
    let changes = 0
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (patch) => {
        if (!isAllowed(dialect.name, patch)) return
        let after: JsonObject
        try {
          after = patched(structuredClone(body), patch)
        } catch (error) {
          if (error instanceof UnfitChange) return
          throw error
        }
        changes += Number(JSON.stringify(after) !== JSON.stringify(body))
        expect(dialect.readRequest(after)).toEqual(before)
      }),
      { numRuns: 500 },
    )
    // Otherwise nothing has been tried.
    expect(changes).toBeGreaterThan(5)
  })
})
