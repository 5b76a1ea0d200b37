import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { emptyText } from '../dialects/messages/hub/writing-messages.ts'
import { mediaNotice } from '../dialects/chat-completions/hub/writing-messages.ts'
import { converterFor } from './converting.ts'
import { chatRequestToMessages } from './pairs.fixture.ts'
import { messagesRequestToChat } from './pairs.fixture.ts'

/** Text that says something, since the messages API refuses text that does not. */
const said = fc.string({ minLength: 1, maxLength: 20 }).map((text) => `s${text}e`)
const imageUrl = fc.oneof(
  fc.constant('https://example.com/a.png'),
  fc.base64String({ minLength: 4, maxLength: 8 }).map((data) => `data:image/png;base64,${data}`),
)
const image = imageUrl.map((url): JsonObject => ({ type: 'image_url', image_url: { url } }))
const textPart = said.map((text): JsonObject => ({ type: 'text', text }))
const userContent: fc.Arbitrary<JsonValue> = fc.oneof(
  said,
  fc.constant(''),
  fc.array(fc.oneof(textPart, image), { minLength: 1, maxLength: 3 }),
)
const toolContent: fc.Arbitrary<JsonValue> = fc.oneof(
  said,
  fc.constant(''),
  said.map((text) => `[tool error] ${text}`),
  fc.array(fc.oneof(textPart, image), { minLength: 1, maxLength: 3 }),
)
const args = fc.oneof(
  fc.constant(''),
  fc.constant('{}'),
  fc.constant('{"broken":'),
  fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })).map((value) => JSON.stringify(JSON.parse(JSON.stringify(value)))),
)
const thinkingBlocks = fc.array(
  fc.oneof(
    fc.record({ type: fc.constant('thinking'), thinking: fc.string(), signature: said }),
    fc.record({ type: fc.constant('redacted_thinking'), data: said }),
  ),
  { maxLength: 2 },
)

const plainRound = fc.record({ user: userContent, answer: said }).map(({ user, answer }): JsonObject[] => [
  { role: 'user', content: user },
  { role: 'assistant', content: answer },
])
const toolRound = fc
  .record({
    user: userContent,
    thinking: thinkingBlocks,
    answer: fc.option(said),
    calls: fc.array(fc.record({ args, result: toolContent }), { minLength: 1, maxLength: 3 }),
    swap: fc.boolean(),
  })
  .map(({ user, thinking, answer, calls, swap }): JsonObject[] => {
    const tool_calls = calls.map((made, index) => ({
      id: `call_${index}`,
      type: 'function',
      function: { name: `tool_${index}`, arguments: made.args },
    }))
    const results = calls.map((made, index): JsonObject => ({ role: 'tool', tool_call_id: `call_${index}`, content: made.result }))
    const assistant: JsonObject = {
      role: 'assistant',
      content: answer,
      tool_calls,
      ...(thinking.length === 0 ? {} : { thinking_blocks: thinking }),
    }
    return [{ role: 'user', content: user }, assistant, ...(swap ? results.toReversed() : results)]
  })
const systemMessage = fc.record({ role: fc.constantFrom('system', 'developer'), content: said })
const conversation = fc
  .record({
    system: fc.array(systemMessage, { maxLength: 2 }),
    rounds: fc.array(fc.oneof(plainRound, toolRound), { maxLength: 4 }),
    last: userContent,
  })
  .map(({ system, rounds, last }): JsonObject[] => [...system, ...rounds.flat(), { role: 'user', content: last }])

function list(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter((item) => isObject(item)) : []
}

/** What the model reads in a chat conversation, whatever the number of messages it is spread over. */
function meaning(messages: readonly JsonObject[]): unknown {
  const read: { role: string; items: unknown[] }[] = []
  const system: string[] = []
  /** Media stand with the call they came from, whichever message carries them. */
  const media = new Map<string, unknown[]>()
  const add = (role: string, items: unknown[]): void => {
    const last = read.at(-1)
    if (last?.role === role) last.items.push(...items)
    else if (items.length > 0) read.push({ role, items })
  }
  for (const [index, message] of messages.entries()) {
    const parts = typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : list(message.content)
    if (message.role === 'system' || message.role === 'developer') system.push(...parts.map((part) => String(part.text)))
    else if (message.role === 'tool') {
      const texts = parts.filter((part) => part.type === 'text').map((part) => part.text)
      const images = parts.filter((part) => part.type !== 'text')
      add('user', [{ result: message.tool_call_id, text: texts.join('\n') }])
      if (images.length > 0) media.set(`${roundOf(messages, index)}:${String(message.tool_call_id)}`, images)
    } else if (message.role === 'assistant') {
      const calls = list(message.tool_calls).map((made) => ({ id: made.id, call: callMeaning(made) }))
      add('assistant', [...list(message.thinking_blocks), ...parts.filter((part) => part.text !== ''), ...calls])
    } else {
      let from: string | undefined
      const own: unknown[] = []
      for (const part of parts) {
        const notice = [0, 1, 2].map((call) => `call_${call}`).find((id) => part.text === mediaNotice(id))
        if (notice !== undefined) {
          from = `${roundOf(messages, index)}:${notice}`
          media.set(from, [])
        } else if (from !== undefined) media.get(from)?.push(part)
        else if (part.text !== '' && part.text !== emptyText) own.push(part)
      }
      add('user', own)
    }
  }
  return { system: system.join('\n\n'), read, media: Object.fromEntries(media) }
}

/** How many assistant messages with calls came before: names the tool round. */
function roundOf(messages: readonly JsonObject[], index: number): number {
  return messages.slice(0, index).filter((message) => list(message.tool_calls).length > 0).length
}

function callMeaning(made: JsonObject): unknown {
  const called = isObject(made.function) ? made.function : {}
  const text = String(called.arguments) === '' ? '{}' : String(called.arguments)
  try {
    return { name: called.name, args: JSON.parse(text) }
  } catch {
    return { name: called.name, args: text }
  }
}

describe('conversations across dialects', () => {
  test('chat -> messages is valid for the messages API', () => {
    fc.assert(
      fc.property(conversation, (messages) => {
        const converted = list(chatRequestToMessages({ model: 'claude-opus-4-6', messages }, { defaultMaxTokens: 10 }).messages)
        expect(converted[0]?.role).toBe('user')
        let open: unknown[] = []
        for (const [index, message] of converted.entries()) {
          expect(message.role).toBe(index % 2 === 0 ? 'user' : 'assistant')
          const blocks = list(message.content)
          expect(blocks.length).toBeGreaterThan(0)
          for (const block of blocks) if (block.type === 'text') expect(String(block.text).trim()).not.toBe('')
          const results = blocks.filter((block) => block.type === 'tool_result')
          // Results come first and answer exactly the calls of the message before.
          expect(blocks.slice(0, results.length)).toEqual(results)
          expect(results.map((block) => block.tool_use_id).toSorted()).toEqual(open.toSorted())
          open = blocks.filter((block) => block.type === 'tool_use').map((block) => block.id)
        }
        expect(open).toEqual([])
      }),
    )
  })

  test('chat -> messages -> chat keeps the meaning', () => {
    fc.assert(
      fc.property(conversation, (messages) => {
        const there = chatRequestToMessages({ model: 'claude-opus-4-6', messages }, { defaultMaxTokens: 10 })
        expect(meaning(list(messagesRequestToChat(there).messages))).toEqual(meaning(messages))
      }),
    )
  })

  test('a conversion leaves the original as it was', () => {
    fc.assert(
      fc.property(conversation, (messages) => {
        const body: JsonObject = { model: 'claude-opus-4-6', messages }
        const before = JSON.stringify(body)
        const there = chatRequestToMessages(body, { defaultMaxTokens: 10 })
        expect(JSON.stringify(body)).toBe(before)
        const between = JSON.stringify(there)
        messagesRequestToChat(there)
        expect(JSON.stringify(there)).toBe(between)
      }),
    )
  })
})

describe('the table of conversions', () => {
  test('one dialect needs none', () => {
    expect(converterFor('messages', 'messages')).toBeUndefined()
    expect(converterFor('chat-completions', 'chat-completions')).toBeUndefined()
  })

  test('requests go to the upstream, responses and streams come back', () => {
    const converter = converterFor('chat-completions', 'messages')
    expect(converter?.request({ model: 'm', messages: [{ role: 'user', content: 'x' }] })).toMatchObject({ max_tokens: 8192 })
    expect(converter?.response({ content: [] })).toHaveProperty('choices')
    const start = { event: 'message_start', data: '{"type":"message_start","message":{"id":"msg_1","model":"m"}}' }
    expect(converter?.stream().push(start)).toMatch(/^data: \{/)
    const chunk = { event: undefined, data: '{"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}' }
    expect(converterFor('messages', 'chat-completions')?.stream().push(chunk)).toMatch(/^event: message_start\n/)
  })
})
