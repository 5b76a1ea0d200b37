import { describe, expect, test } from 'vitest'
import { chatReasoningSignature, withoutMarks } from './marks.ts'

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
    const before = structuredClone(body)
    expect(withoutMarks(body)).toEqual({ messages: [body.messages[0], { role: 'assistant', content: [signed, text] }] })
    expect(body).toEqual(before)
  })
})
