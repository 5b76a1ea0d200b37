/** Official clients read a limit that is used up as their own error of a limit that is used up, and ask again when they are told to. */
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, withParts, type GovernedGateway } from '../harness/governed-gateway.ts'

let governed: GovernedGateway
beforeAll(async () => {
  governed = await startGoverned(
    withParts({
      limits: {
        rules: [
          { name: 'chat', match: { models: ['gpt-*'] }, per: 'model', count: 'requests', limit: 1, window: '1d' },
          { name: 'claude', match: { models: ['claude-*'] }, per: 'model', count: 'requests', limit: 1, window: '1d' },
        ],
      },
    }),
  )
  governed.answer({ text: 'ok' })
})
afterAll(() => governed.close())

test('OpenAI', async () => {
  const client = new OpenAI({ baseURL: `${governed.url}/v1`, apiKey: secrets.alice })
  const ask = (): Promise<unknown> => client.chat.completions.create({ model: 'gpt-test', messages: [{ role: 'user', content: 'hi' }] })
  await ask()
  const before = governed.vendors.openai.requests.length
  const error = await ask().catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(OpenAI.RateLimitError)
  const { headers, message } = error as InstanceType<typeof OpenAI.RateLimitError>
  expect(message).toContain('1 of 1 requests in 1d')
  expect(Number(headers?.get('retry-after'))).toBeGreaterThan(0)
  expect([headers?.get('x-ratelimit-limit-requests'), headers?.get('x-ratelimit-remaining-requests')]).toEqual(['1', '0'])
  expect(headers?.get('x-ratelimit-reset-requests')).toMatch(/^(?:\d+h)?(?:\d+m)?\d+s$/)
  // Answers of Responses are of the same models.
  await expect(client.responses.create({ model: 'gpt-test', input: 'hi' })).rejects.toBeInstanceOf(OpenAI.RateLimitError)
  expect(governed.vendors.openai.requests).toHaveLength(before)
})

test('Anthropic', async () => {
  const client = new Anthropic({ baseURL: governed.url, apiKey: secrets.alice })
  const ask = () => client.messages.create({ model: 'claude-test', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] })
  await ask()
  const error = await ask().catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(Anthropic.RateLimitError)
  const { headers } = error as InstanceType<typeof Anthropic.RateLimitError>
  expect([headers?.get('anthropic-ratelimit-requests-limit'), headers?.get('anthropic-ratelimit-requests-remaining')]).toEqual(['1', '0'])
  expect(Date.parse(headers?.get('anthropic-ratelimit-requests-reset') ?? '')).toBeGreaterThan(Date.now())
  await expect(client.messages.countTokens({ model: 'claude-test', messages: [{ role: 'user', content: 'hi' }] })).rejects.toBeInstanceOf(
    Anthropic.RateLimitError,
  )
})
