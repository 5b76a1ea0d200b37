import { describe, expect, test } from 'vitest'
import { chatReasoningSignature, removeMarks } from './marks.ts'

describe('thinking that came from a chat upstream', () => {
  test('is removed before a history goes to Anthropic, which would refuse its signature', () => {
    const text = { type: 'text', text: 'a' }
    const signed = { type: 'thinking', thinking: 'b', signature: 's' }
    const marked = { type: 'thinking', thinking: 'c', signature: chatReasoningSignature }
    const body = {
      messages: [
        { role: 'user', content: 'x' },
        { role: 'assistant', content: [marked, signed, text] },
      ],
    }
    expect(removeMarks(body)).toBe(1)
    expect(body.messages[1]?.content).toEqual([signed, text])
  })
})
