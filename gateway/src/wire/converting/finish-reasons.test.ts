import { describe, expect, test } from 'vitest'
import { finishReason, stopReason } from './pairs.fixture.ts'

describe('why a message ended', () => {
  test.each([
    ['stop', false, 'end_turn'],
    ['length', false, 'max_tokens'],
    ['length', true, 'max_tokens'],
    ['tool_calls', true, 'tool_use'],
    ['stop', true, 'tool_use'],
    ['tool_calls', false, 'end_turn'],
    ['content_filter', false, 'refusal'],
    ['toString', false, 'end_turn'],
    [undefined, false, 'end_turn'],
  ])('finish reason %s with calls: %s is stop reason %s', (reason, calls, expected) => {
    expect(stopReason(reason, calls)).toBe(expected)
  })

  test.each([
    ['end_turn', false, 'stop'],
    ['stop_sequence', false, 'stop'],
    ['max_tokens', true, 'length'],
    ['model_context_window_exceeded', false, 'length'],
    ['tool_use', true, 'tool_calls'],
    ['refusal', false, 'content_filter'],
    ['something_new', false, 'stop'],
  ])('stop reason %s with calls: %s is finish reason %s', (reason, calls, expected) => {
    expect(finishReason(reason, calls)).toBe(expected)
  })
})
