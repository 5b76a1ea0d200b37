import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mergeMessagesUsage } from '../dialects/messages/hub/usage.ts'
import { chatUsageToMessages, messagesUsageToChat } from './pairs.fixture.ts'

describe('usage', () => {
  test('input_tokens excludes what prompt_tokens includes', () => {
    const chat = {
      prompt_tokens: 100,
      completion_tokens: 20,
      total_tokens: 120,
      prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 10 },
      completion_tokens_details: { reasoning_tokens: 5 },
    }
    const messages = {
      input_tokens: 30,
      output_tokens: 20,
      cache_read_input_tokens: 60,
      cache_creation_input_tokens: 10,
      output_tokens_details: { thinking_tokens: 5 },
    }
    expect(chatUsageToMessages(chat)).toEqual(messages)
    expect(messagesUsageToChat(messages)).toEqual(chat)
  })

  test('cached counts larger than the prompt never make it negative', () => {
    expect(chatUsageToMessages({ prompt_tokens: 5, prompt_tokens_details: { cached_tokens: 9 } }).input_tokens).toBe(0)
  })

  test('usage a messages upstream did not report is not invented', () => {
    expect(messagesUsageToChat(undefined)).toBeUndefined()
    expect(messagesUsageToChat({})).toBeUndefined()
  })

  test('any counts survive messages -> chat -> messages', () => {
    const counts = fc.record({
      input_tokens: fc.nat(),
      output_tokens: fc.nat(),
      cache_read_input_tokens: fc.nat(),
      cache_creation_input_tokens: fc.nat(),
    })
    fc.assert(
      fc.property(counts, (usage) => {
        expect(chatUsageToMessages(messagesUsageToChat(usage))).toEqual(usage)
      }),
    )
  })

  test('message_delta wins over message_start, and its nulls do not erase', () => {
    const merged = mergeMessagesUsage({ input_tokens: 9, output_tokens: 1 }, { input_tokens: null, output_tokens: 40 })
    expect(merged).toEqual({ input_tokens: 9, output_tokens: 40 })
  })
})
