import { expect, test } from 'vitest'
import { baseAddressOf } from './base-address.ts'

test.each([
  ['azure', 'https://acme.openai.azure.com/', 'https://acme.openai.azure.com'],
  ['azure', 'https://acme.openai.azure.com/openai/deployments/x/chat/completions', 'https://acme.openai.azure.com'],
  ['openai', 'https://api.openai.com/v1/chat/completions', 'https://api.openai.com/v1'],
  ['openai-compatible', 'http://models.internal:8000/v1/', 'http://models.internal:8000/v1'],
  ['openai-compatible', 'http://models.internal/a/b/embeddings', 'http://models.internal/a/b'],
  ['anthropic', 'https://api.anthropic.com', 'https://api.anthropic.com/v1'],
  ['anthropic', 'https://api.anthropic.com/v1/messages', 'https://api.anthropic.com/v1'],
  ['ollama', 'http://127.0.0.1:11434', 'http://127.0.0.1:11434/v1'],
  ['ollama', 'http://127.0.0.1:11434/v1/chat/completions', 'http://127.0.0.1:11434/v1'],
  ['deepseek', 'https://api.deepseek.com/v1', 'https://api.deepseek.com'],
  ['deepseek', 'https://api.deepseek.com/chat/completions', 'https://api.deepseek.com'],
  ['gemini', 'https://generativelanguage.googleapis.com/v1beta/openai/chat/completions', 'https://generativelanguage.googleapis.com'],
  ['cohere', 'https://api.cohere.ai/v2/chat', 'https://api.cohere.ai'],
])('%s at %s is at %s', (kind, theirs, ours) => {
  expect(baseAddressOf(kind, theirs)).toBe(ours)
})

test.each(['your-azure-api-base', 'https://a.example/v1?key=x', ''])('what is no address is left as it is: %s', (text) => {
  expect(baseAddressOf('openai', text)).toBe(text)
})
