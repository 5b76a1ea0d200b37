/** Official clients read an answer that a limit has ended as one that has become too long, with all its words and no half of a call. */
import Anthropic from '@anthropic-ai/sdk'
import { ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime'
import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bedrockClient } from '../harness/converse-agent.ts'
import { geminiClient } from '../harness/gemini-agent.ts'
import { secrets } from '../harness/governed-config.ts'
import { startGoverned, type GovernedGateway } from '../harness/governed-gateway.ts'
import { say } from '../harness/model-answer.ts'

const text = Array.from({ length: 3000 }, (_, at) => `word-${at}`).join(' ')
const answer = { text, calls: [{ id: 'call_1', name: 'note', args: { text } }] }
const content = 'go'

let governed: GovernedGateway
beforeAll(async () => {
  governed = await startGoverned((config) => ({
    ...config,
    routes: [{ model: '*', upstreams: ['openai'] }],
    limits: {
      assumed_output_tokens: 10,
      rules: [{ name: 'words', per: 'model', count: 'output_tokens', limit: 200, window: 'calendar_month' }],
    },
  }))
  governed.respond((request) => say(request, answer))
})
afterAll(() => governed.close())

/** Part of the text, as much as the limit has. */
function expectPart(said: string | null | undefined): void {
  expect(text.startsWith(said ?? 'nothing')).toBe(true)
  expect(said?.length).toBeGreaterThan(600)
  // What comes in one read is not cut in the middle.
  expect(said?.length).toBeLessThan(text.length / 2)
}

test('OpenAI, Chat Completions', async () => {
  const client = new OpenAI({ baseURL: `${governed.url}/v1`, apiKey: secrets.alice })
  const stream = client.chat.completions.stream({
    model: 'gpt-chat',
    messages: [{ role: 'user', content }],
    stream_options: { include_usage: true },
  })
  const { choices, usage } = await stream.finalChatCompletion()
  expect(choices[0]?.finish_reason).toBe('length')
  expect(choices[0]?.message.tool_calls ?? []).toEqual([])
  expectPart(choices[0]?.message.content)
  expect(usage?.completion_tokens).toBe(Math.ceil((choices[0]?.message.content?.length ?? 0) / 3.5))
})

test('OpenAI, Responses', async () => {
  const client = new OpenAI({ baseURL: `${governed.url}/v1`, apiKey: secrets.alice })
  const response = await client.responses.stream({ model: 'gpt-responses', input: content }).finalResponse()
  expect([response.status, response.incomplete_details?.reason]).toEqual(['incomplete', 'max_output_tokens'])
  expect(response.output.map((item) => [item.type, 'status' in item && item.status])).toEqual([['message', 'incomplete']])
  expectPart(response.output_text)
  expect(response.usage?.output_tokens).toBe(Math.ceil(response.output_text.length / 3.5))
})

test('Anthropic', async () => {
  const client = new Anthropic({ baseURL: governed.url, apiKey: secrets.alice })
  const stream = client.messages.stream({ model: 'claude-messages', max_tokens: 5000, messages: [{ role: 'user', content }] })
  const message = await stream.finalMessage()
  expect(message.stop_reason).toBe('max_tokens')
  expect(message.content.map(({ type }) => type)).toEqual(['text'])
  expectPart(await stream.finalText())
  expect(message.usage.output_tokens).toBeGreaterThan(170)
})

test('Gemini', async () => {
  const client = geminiClient(governed.url, secrets.alice)
  const chunks = []
  for await (const chunk of await client.models.generateContentStream({ model: 'gemini-chat', contents: content })) chunks.push(chunk)
  expect(chunks.at(-1)?.candidates?.[0]?.finishReason).toBe('MAX_TOKENS')
  expect(chunks.flatMap(({ functionCalls }) => functionCalls ?? [])).toEqual([])
  expectPart(chunks.map((chunk) => chunk.text ?? '').join(''))
})

test('Bedrock', async () => {
  const client = bedrockClient({ url: governed.url, key: secrets.alice })
  const { stream } = await client.send(
    new ConverseStreamCommand({ modelId: 'nova-chat', messages: [{ role: 'user', content: [{ text: content }] }] }),
  )
  const events = []
  for await (const event of stream ?? []) events.push(event)
  client.destroy()
  expect(events.find(({ messageStop }) => messageStop !== undefined)?.messageStop?.stopReason).toBe('max_tokens')
  expectPart(events.map(({ contentBlockDelta }) => contentBlockDelta?.delta?.text ?? '').join(''))
})
