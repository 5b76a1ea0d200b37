import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import type { JsonObject } from '../../core/json.ts'
import { chatCompletions } from '../dialects/chat-completions/chat-completions.ts'
import type { SplicedCall, SplicedRound } from '../dialect.ts'
import { messages } from '../dialects/messages/messages.ts'

type Dropped = SplicedCall & { readonly position: number }

const chatCall = (id: string): JsonObject => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } })
const toolUse = (id: string): JsonObject => ({ type: 'tool_use', id, name: 'f', input: {} })
const refusal = (call: JsonObject, id: string): SplicedCall => ({ call, id, name: 'f', notice: `not run: ${id}` })

/** One generated assistant message: how many rounds came before it, its calls, and which of them were refused. */
interface Step {
  readonly id: string
  readonly rounds: readonly (readonly string[])[]
  readonly calls: readonly string[]
  readonly dropped: readonly string[]
  readonly hasText: boolean
  readonly followUp: 'text' | 'none'
}

const step = fc
  .record({
    rounds: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 }),
    calls: fc.array(fc.boolean(), { maxLength: 5 }),
    hasText: fc.boolean(),
    followUp: fc.constantFrom<Step['followUp'][]>('text', 'none'),
  })
  // When all calls of a message are refused it becomes a round, so a delivered message keeps one.
  .map(({ calls, ...rest }) => ({ ...rest, calls: calls.length > 0 && calls.every(Boolean) ? [...calls, false] : calls }))

const conversation = fc.array(step, { minLength: 1, maxLength: 5 }).map((steps) =>
  steps.map(({ rounds, calls, hasText, followUp }, at): Step => {
    const ids = calls.map((_dropped, index) => `s${at}c${index}`)
    return {
      id: `s${at}`,
      rounds: rounds.map((count, round) => Array.from({ length: count }, (_unused, index) => `s${at}r${round}c${index}`)),
      calls: ids,
      dropped: ids.filter((_id, index) => calls[index]),
      hasText: hasText || calls.length === 0,
      followUp,
    }
  }),
)

function droppedOf(one: Step, native: (id: string) => JsonObject): Dropped[] {
  return one.dropped.map((id) => ({ ...refusal(native(id), id), position: one.calls.indexOf(id) }))
}

describe('chat-completions', () => {
  test('every call of a restored history is answered once, in order, right after it was made', () => {
    fc.assert(
      fc.property(conversation, (steps) => {
        const body: JsonObject & { messages: JsonObject[] } = { messages: [{ role: 'user', content: 'go' }] }
        const assistants: { index: number; one: Step }[] = []
        for (const one of steps) {
          const kept = one.calls.filter((id) => !one.dropped.includes(id))
          assistants.push({ index: body.messages.length, one })
          const merged = one.rounds.map((_round, at) => `round ${at}`).join('\n\n')
          body.messages.push({
            role: 'assistant',
            content: one.hasText ? `${merged} said ${one.id}` : merged,
            name: 'kept',
            ...(kept.length > 0 ? { tool_calls: kept.map(chatCall) } : {}),
          })
          for (const id of kept) body.messages.push({ role: 'tool', tool_call_id: id, content: `result ${id}` })
          if (one.followUp === 'text') body.messages.push({ role: 'user', content: 'more' })
        }
        let inserted = 0
        for (const { index, one } of assistants) {
          const rounds = one.rounds.map((ids, at): SplicedRound => ({
            assistant: { role: 'assistant', content: `round ${at}`, tool_calls: ids.map(chatCall) },
            calls: ids.map((id) => refusal(chatCall(id), id)),
          }))
          const delivered = one.rounds.length > 0 ? { role: 'assistant', content: one.hasText ? `said ${one.id}` : null } : undefined
          const before = body.messages.length
          const count = chatCompletions.edit.restore(body, index + inserted, { rounds, dropped: droppedOf(one, chatCall), delivered })
          expect(count).toBe(body.messages.length - before)
          inserted += count
        }
        chatCompletions.readRequest({ model: 'm', ...body })
        expect(waitingAfter(body.messages)).toEqual([])
        const made = body.messages.flatMap((message) => (message.tool_calls as JsonObject[] | undefined) ?? []).map((call) => call.id)
        expect(made).toEqual(steps.flatMap((one) => [...one.rounds.flat(), ...one.calls]))
        for (const one of steps)
          expect(body.messages.filter((message) => String(message.content).includes(`said ${one.id}`))).toHaveLength(one.hasText ? 1 : 0)
        for (const one of steps.filter((each) => each.rounds.length > 0))
          for (const message of body.messages) expect(String(message.content)).not.toContain(`round 0 said ${one.id}`)
      }),
    )
  })

  /** Call ids left unanswered; throws when an answer comes out of turn. */
  function waitingAfter(list: JsonObject[]): unknown[] {
    let waiting: unknown[] = []
    for (const message of list) {
      if (message.role === 'tool') expect(message.tool_call_id).toBe(waiting.shift())
      else {
        expect(waiting).toEqual([])
        waiting = ((message.tool_calls as JsonObject[] | undefined) ?? []).map((call) => call.id)
      }
    }
    return waiting
  }

  test('dropped calls return to their places with notices, the client’s own fields stay', () => {
    const body: JsonObject = {
      messages: [
        { role: 'user', content: 'go' },
        { role: 'assistant', content: 'Look.', name: 'bot', tool_calls: [chatCall('b')] },
        { role: 'tool', tool_call_id: 'b', content: 'B' },
        { role: 'user', content: 'next' },
      ],
    }
    const dropped = [
      { ...refusal(chatCall('a'), 'a'), position: 0 },
      { ...refusal(chatCall('c'), 'c'), position: 2 },
    ]
    expect(chatCompletions.edit.restore(body, 1, { rounds: [], dropped, delivered: undefined })).toBe(2)
    expect(body.messages).toEqual([
      { role: 'user', content: 'go' },
      { role: 'assistant', content: 'Look.', name: 'bot', tool_calls: [chatCall('a'), chatCall('b'), chatCall('c')] },
      { role: 'tool', tool_call_id: 'a', content: 'not run: a' },
      { role: 'tool', tool_call_id: 'b', content: 'B' },
      { role: 'tool', tool_call_id: 'c', content: 'not run: c' },
      { role: 'user', content: 'next' },
    ])
  })

  test('restoring twice changes nothing', () => {
    const body: JsonObject = {
      messages: [
        { role: 'assistant', content: null, tool_calls: [chatCall('b')] },
        { role: 'tool', tool_call_id: 'b', content: 'B' },
      ],
    }
    const record = { rounds: [], dropped: [{ ...refusal(chatCall('a'), 'a'), position: 0 }], delivered: undefined }
    chatCompletions.edit.restore(body, 0, record)
    const once = structuredClone(body)
    expect(chatCompletions.edit.restore(body, 0, record)).toBe(0)
    expect(body).toEqual(once)
  })

  test('a delivered message that said nothing keeps what the client has', () => {
    const body: JsonObject = { messages: [{ role: 'assistant', content: 'round text and explanation' }] }
    chatCompletions.edit.restore(body, 0, { rounds: [], dropped: [], delivered: { role: 'assistant', content: '' } })
    expect(body.messages).toEqual([{ role: 'assistant', content: 'round text and explanation' }])
  })

  test('an appended round is answered in the order of its calls', () => {
    const body: JsonObject = { messages: [{ role: 'user', content: 'go' }] }
    const round = {
      assistant: { role: 'assistant', content: null, tool_calls: [chatCall('a'), chatCall('b')] },
      calls: [refusal(chatCall('b'), 'b'), refusal(chatCall('a'), 'a')],
    }
    chatCompletions.edit.appendRound(body, round)
    expect((body.messages as JsonObject[]).slice(2)).toEqual([
      { role: 'tool', tool_call_id: 'a', content: 'not run: a' },
      { role: 'tool', tool_call_id: 'b', content: 'not run: b' },
    ])
  })
})

describe('messages', () => {
  test('every call of a restored history is answered once, in order, at the start of the next message; roles alternate', () => {
    fc.assert(
      fc.property(conversation, fc.boolean(), (steps, plainText) => {
        const body: JsonObject & { messages: JsonObject[] } = { messages: [{ role: 'user', content: 'go' }] }
        const assistants: { index: number; one: Step }[] = []
        for (const [at, one] of steps.entries()) {
          const kept = one.calls.filter((id) => !one.dropped.includes(id))
          assistants.push({ index: body.messages.length, one })
          const text = { type: 'text', text: `shown ${one.id}` }
          body.messages.push({ role: 'assistant', content: plainText && kept.length === 0 ? text.text : [text, ...kept.map(toolUse)] })
          const isLast = at === steps.length - 1
          if (isLast && kept.length === 0 && one.followUp === 'none') continue
          const results = kept.map((id) => ({ type: 'tool_result', tool_use_id: id, content: 'ok' }))
          if (results.length === 0) body.messages.push({ role: 'user', content: 'more' })
          else
            body.messages.push({ role: 'user', content: one.followUp === 'text' ? [...results, { type: 'text', text: 'more' }] : results })
        }
        let inserted = 0
        for (const { index, one } of assistants) {
          const rounds = one.rounds.map((ids): SplicedRound => ({
            assistant: { role: 'assistant', content: [{ type: 'thinking', thinking: 't', signature: 's' }, ...ids.map(toolUse)] },
            calls: ids.map((id) => refusal(toolUse(id), id)),
          }))
          const delivered =
            one.rounds.length > 0
              ? {
                  role: 'assistant',
                  content: [...(one.hasText ? [{ type: 'text', text: `said ${one.id}` }] : []), ...one.calls.map(toolUse)],
                }
              : undefined
          const before = body.messages.length
          const count = messages.edit.restore(body, index + inserted, { rounds, dropped: droppedOf(one, toolUse), delivered })
          expect(count).toBe(body.messages.length - before)
          inserted += count
        }
        messages.readRequest({ model: 'm', ...body })
        const made = checkAnswers(body.messages)
        expect(made).toEqual(steps.flatMap((one) => [...one.rounds.flat(), ...one.calls]))
      }),
    )
  })

  /** All call ids; fails when roles do not alternate or a call is not answered next. */
  function checkAnswers(list: JsonObject[]): unknown[] {
    const made: unknown[] = []
    let waiting: unknown[] = []
    for (const [index, message] of list.entries()) {
      expect(message.role).toBe(index % 2 === 0 ? 'user' : 'assistant')
      const blocks = Array.isArray(message.content) ? (message.content as JsonObject[]) : []
      const answers = blocks.slice(0, waiting.length).map((block) => block.tool_use_id)
      expect(answers).toEqual(waiting)
      expect(blocks.slice(waiting.length).some((block) => block.type === 'tool_result')).toBe(false)
      waiting = blocks.filter((block) => block.type === 'tool_use').map((block) => block.id)
      made.push(...waiting)
    }
    expect(waiting).toEqual([])
    return made
  }

  test('dropped calls return to their places; notices go before what the user says', () => {
    const body: JsonObject = {
      messages: [
        { role: 'user', content: 'go' },
        { role: 'assistant', content: [{ type: 'text', text: 'Look.' }, toolUse('b')] },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'b', content: 'B' },
            { type: 'text', text: 'next' },
          ],
        },
      ],
    }
    const dropped = [
      { ...refusal(toolUse('a'), 'a'), position: 0 },
      { ...refusal(toolUse('c'), 'c'), position: 2 },
    ]
    expect(messages.edit.restore(body, 1, { rounds: [], dropped, delivered: undefined })).toBe(0)
    const notice = (id: string): JsonObject => ({ type: 'tool_result', tool_use_id: id, content: `not run: ${id}`, is_error: true })
    expect((body.messages as JsonObject[]).slice(1)).toEqual([
      { role: 'assistant', content: [{ type: 'text', text: 'Look.' }, toolUse('a'), toolUse('b'), toolUse('c')] },
      {
        role: 'user',
        content: [notice('a'), { type: 'tool_result', tool_use_id: 'b', content: 'B' }, notice('c'), { type: 'text', text: 'next' }],
      },
    ])
  })

  test('a following message of plain text keeps its text after the notices', () => {
    const body: JsonObject = {
      messages: [
        { role: 'assistant', content: 'Hm.' },
        { role: 'user', content: 'next' },
      ],
    }
    messages.edit.restore(body, 0, { rounds: [], dropped: [{ ...refusal(toolUse('a'), 'a'), position: 0 }], delivered: undefined })
    expect(body.messages).toMatchObject([
      { content: [{ type: 'text', text: 'Hm.' }, toolUse('a')] },
      { content: [{ tool_use_id: 'a' }, { type: 'text', text: 'next' }] },
    ])
  })

  test('the delivered content comes back with its signatures, but only calls the client kept', () => {
    const body: JsonObject = {
      messages: [
        { role: 'assistant', content: [{ type: 'text', text: 'r1 said' }, toolUse('b')], extra: 1 },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'b' }] },
      ],
    }
    const thinking = { type: 'thinking', thinking: 't', signature: 's' }
    messages.edit.restore(body, 0, {
      rounds: [],
      dropped: [],
      delivered: { role: 'assistant', content: [thinking, { type: 'text', text: 'said' }, toolUse('a'), toolUse('b')] },
    })
    expect((body.messages as JsonObject[])[0]).toEqual({
      role: 'assistant',
      content: [thinking, { type: 'text', text: 'said' }, toolUse('b')],
      extra: 1,
    })
  })
})
