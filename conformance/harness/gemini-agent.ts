/** The tool loop an application writes around Google's client, with every byte it received kept. */
import { GoogleGenAI, type Content, type GenerateContentResponse, type HttpOptions, type Part } from '@google/genai'
import type { Agent, AgentOptions } from './sdk-agents.ts'

const maxRounds = 12

/** Google's client as its users set it up for a gateway: an address and a key. */
export function geminiClient(url: string, apiKey: string, options: Omit<HttpOptions, 'baseUrl'> = {}): GoogleGenAI {
  return new GoogleGenAI({ apiKey, httpOptions: { baseUrl: url, ...options } })
}

/** Collects a stream as applications do: parts in order, the last of everything else. Throws where it has no end. */
export async function collect(stream: AsyncIterable<GenerateContentResponse>): Promise<GenerateContentResponse> {
  const parts: Part[] = []
  let last: GenerateContentResponse | undefined
  for await (const event of stream) {
    if (last?.candidates?.[0]?.finishReason !== undefined) throw new Error('an event after the end')
    const said = event.candidates?.[0]?.content?.parts ?? []
    if (said.length === 0) throw new Error('an event without parts')
    parts.push(...said)
    last = event
  }
  const candidate = last?.candidates?.[0]
  if (last === undefined || candidate?.finishReason === undefined) throw new Error('the stream did not end')
  candidate.content = { role: 'model', parts }
  return last
}

export function geminiAgent({ url, key, model, stream, tools, execute, headers = {} }: AgentOptions): Agent {
  const record: { -readonly [K in keyof Omit<Agent, 'ask'>]: Agent[K][number][] } = { calls: [], received: [], finishes: [], usages: [] }
  const watched = async (...asked: Parameters<typeof fetch>): Promise<Response> => {
    const response = await fetch(...asked)
    const text = await response.text()
    record.received.push(text)
    return new Response(text, { status: response.status, headers: response.headers })
  }
  const client = geminiClient(url, key, { headers: { ...headers }, fetch: watched })
  const contents: Content[] = []
  const functionDeclarations = tools.map((name) => ({ name, parametersJsonSchema: { type: 'object', properties: {} } }))
  const next = async (): Promise<GenerateContentResponse> => {
    const body = { model, contents, config: { tools: [{ functionDeclarations }], maxOutputTokens: 1024 } }
    return stream ? collect(await client.models.generateContentStream(body)) : client.models.generateContent(body)
  }
  return Object.assign(record, {
    async ask(text: string): Promise<string> {
      contents.push({ role: 'user', parts: [{ text }] })
      for (let round = 0; round < maxRounds; round += 1) {
        const answer = await next()
        const candidate = answer.candidates?.[0]
        record.finishes.push(candidate?.finishReason ?? null)
        record.usages.push({ input: answer.usageMetadata?.promptTokenCount ?? 0, output: answer.usageMetadata?.candidatesTokenCount ?? 0 })
        const parts = candidate?.content?.parts ?? []
        contents.push({ role: 'model', parts })
        const calls = parts.flatMap(({ functionCall }) => (functionCall === undefined ? [] : [functionCall]))
        if (calls.length === 0) return parts.map((part) => (part.thought === true ? '' : (part.text ?? ''))).join('')
        const results = calls.map(({ id, name = '', args }): Part => {
          record.calls.push({ id: id ?? name, name, args })
          return { functionResponse: { ...(id === undefined ? {} : { id }), name, response: { output: execute(name, args) } } }
        })
        contents.push({ role: 'user', parts: results })
      }
      throw new Error('the loop did not end')
    },
  })
}
