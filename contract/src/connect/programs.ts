/** Libraries and commands: what a program says to come to the gateway instead of the vendor. */
import { quoted, type Code, type ConnectedClient, type GatewayPlace } from './connected-client.ts'

const gpt = { usual: 'gpt-5.5', begins: 'gpt' }
const claude = { usual: 'claude-sonnet-5', begins: 'claude' }
const gemini = { usual: 'gemini-2.5-pro', begins: 'gemini' }

const program = (
  title: string,
  model: ConnectedClient['model'],
  code: (place: GatewayPlace) => readonly Code[],
  kind: ConnectedClient['kind'] = 'library',
): ConnectedClient => ({ title, kind, model, files: [], variables: () => ({}), code, start: () => undefined, notes: () => [] })

/** A text in double quotes: of JavaScript and of Python alike. */
const text = (value: string): string => JSON.stringify(value)
const js = (lines: string): Code => ({ language: 'js', text: lines.trim() })
const py = (lines: string): Code => ({ language: 'py', text: lines.trim() })

export const openAiSdk = program('OpenAI SDK', gpt, ({ url, model }) => [
  js(`
import OpenAI from 'openai'

const client = new OpenAI({ apiKey: process.env.TURNWARD_KEY, baseURL: ${text(`${url}/v1`)} })
const answer = await client.chat.completions.create({ model: ${text(model)}, messages: [{ role: 'user', content: 'Say hello.' }] })
console.log(answer.choices[0].message.content)`),
  py(`
import os
from openai import OpenAI

client = OpenAI(api_key=os.environ["TURNWARD_KEY"], base_url=${text(`${url}/v1`)})
answer = client.chat.completions.create(model=${text(model)}, messages=[{"role": "user", "content": "Say hello."}])
print(answer.choices[0].message.content)`),
])

export const anthropicSdk = program('Anthropic SDK', claude, ({ url, model }) => [
  js(`
import Anthropic from '@anthropic-ai/sdk'

const client = new Anthropic({ apiKey: process.env.TURNWARD_KEY, baseURL: ${text(url)} })
const answer = await client.messages.create({ model: ${text(model)}, max_tokens: 256, messages: [{ role: 'user', content: 'Say hello.' }] })
console.log(answer.content)`),
  py(`
import os
from anthropic import Anthropic

client = Anthropic(api_key=os.environ["TURNWARD_KEY"], base_url=${text(url)})
answer = client.messages.create(model=${text(model)}, max_tokens=256, messages=[{"role": "user", "content": "Say hello."}])
print(answer.content)`),
])

export const googleSdk = program('Google SDK', gemini, ({ url, model }) => [
  js(`
import { GoogleGenAI } from '@google/genai'

const client = new GoogleGenAI({ apiKey: process.env.TURNWARD_KEY, httpOptions: { baseUrl: ${text(url)} } })
const answer = await client.models.generateContent({ model: ${text(model)}, contents: 'Say hello.' })
console.log(answer.text)`),
  py(`
import os
from google import genai

client = genai.Client(api_key=os.environ["TURNWARD_KEY"], http_options={"base_url": ${text(url)}})
answer = client.models.generate_content(model=${text(model)}, contents="Say hello.")
print(answer.text)`),
])

export const aiSdk = program('AI SDK', gpt, ({ url, model }) => [
  js(`
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { generateText } from 'ai'

const turnward = createOpenAICompatible({ name: 'turnward', apiKey: process.env.TURNWARD_KEY, baseURL: ${text(`${url}/v1`)} })
const answer = await generateText({ model: turnward(${text(model)}), prompt: 'Say hello.' })
console.log(answer.text)`),
])

export const langChain = program('LangChain', gpt, ({ url, model }) => [
  js(`
import { ChatOpenAI } from '@langchain/openai'

const chat = new ChatOpenAI({ model: ${text(model)}, apiKey: process.env.TURNWARD_KEY, configuration: { baseURL: ${text(`${url}/v1`)} } })
const answer = await chat.invoke('Say hello.')
console.log(answer.content)`),
  py(`
import os
from langchain_openai import ChatOpenAI

chat = ChatOpenAI(model=${text(model)}, api_key=os.environ["TURNWARD_KEY"], base_url=${text(`${url}/v1`)})
answer = chat.invoke("Say hello.")
print(answer.content)`),
])

export const curl = program(
  'curl',
  gpt,
  ({ url, model }) => [
    {
      language: 'sh',
      text: `curl ${quoted(`${url}/v1/chat/completions`)} -H "authorization: Bearer $TURNWARD_KEY" -H 'content-type: application/json' \\
  -d ${quoted(JSON.stringify({ model, messages: [{ role: 'user', content: 'Say hello.' }] }))}`,
    },
  ],
  'command',
)
