import { describe, expect, test } from 'vitest'
import { claudeVersion, isOpenAiModel, refusesReasoningEffort } from './model-families.ts'

describe('model names', () => {
  test.each([
    ['claude-opus-4-6', 406],
    ['claude-sonnet-5', 500],
    ['claude-haiku-4-5-20251001', 405],
    ['claude-3-7-sonnet-20250219', 307],
    ['anthropic/claude-opus-4.8', 408],
    ['us.anthropic.claude-sonnet-4-20250514-v1:0', 400],
    ['claude-mythos-preview', undefined],
    ['gpt-5', undefined],
    ['', undefined],
  ])('the Claude version of %s is %s', (model, version) => {
    expect(claudeVersion(model)).toBe(version)
  })

  test.each([
    ['gpt-4o', true, true],
    ['gpt-5.2', true, false],
    ['openai/o4-mini', true, false],
    ['olmo-2', false, false],
    ['mistral-large', false, false],
  ])('%s: OpenAI %s, refuses effort %s', (model, openAi, refuses) => {
    expect([isOpenAiModel(model), refusesReasoningEffort(model)]).toEqual([openAi, refuses])
  })
})
