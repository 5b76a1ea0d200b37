/** Gemini as generativelanguage.googleapis.com sends it: one answer in, the bytes of it out, whole, as events or as a list. */
import type { HistoryMessage } from './model-history.ts'
import type { Json } from './json.ts'
import type { ModelAnswer } from './model-answer.ts'
import { pieces } from './openai-wire.ts'
import type { VendorReply, VendorRequest } from './vendor.ts'

const operation = /\/models\/([^/:]+):(generateContent|streamGenerateContent|countTokens)\b/

/** Whether a request speaks Gemini. */
export function isGemini({ path }: Pick<VendorRequest, 'path'>): boolean {
  return operation.test(path)
}

function partsOf({ thinking, text, calls = [] }: ModelAnswer): Json[] {
  return [
    ...(thinking === undefined ? [] : [{ text: thinking.text, thought: true }]),
    ...(text === undefined ? [] : [{ text }]),
    ...calls.map(({ id, name, args }, index) => ({
      // An empty id stands for a model that gives none.
      functionCall: { ...(id === '' ? {} : { id }), name, args: typeof args === 'string' ? JSON.parse(args || '{}') : (args ?? {}) },
      ...(thinking === undefined || index > 0 ? {} : { thoughtSignature: thinking.signature }),
    })),
  ]
}

function eventOf(answer: ModelAnswer, model: string, parts: readonly Json[], isLast: boolean): Json {
  const { input = 82, output = 17 } = answer.usage ?? {}
  const finish = isLast ? { finishReason: answer.finish === 'length' ? 'MAX_TOKENS' : 'STOP' } : {}
  return {
    candidates: [{ content: { parts, role: 'model' }, ...finish, index: 0 }],
    usageMetadata: {
      promptTokenCount: input,
      ...(isLast ? { candidatesTokenCount: output, totalTokenCount: input + output } : { totalTokenCount: input }),
    },
    modelVersion: model,
    responseId: 'wNQqabvOHdWlz7IPzt2J',
  }
}

/** The events of a streamed answer, with line ends as Google writes them. */
export function geminiEvents(answer: ModelAnswer, model: string): string[] {
  const parts = partsOf(answer).flatMap((part) =>
    typeof part.text === 'string' ? pieces(part.text, 9).map((text) => ({ ...part, text })) : [part],
  )
  const said = parts.length === 0 ? [{ text: '' }] : parts
  return said.map((part, at) => `data: ${JSON.stringify(eventOf(answer, model, [part], at === said.length - 1))}\r\n\r\n`)
}

/** The body of a whole answer. */
export function geminiAnswer(answer: ModelAnswer, model: string): string {
  return JSON.stringify(eventOf(answer, model, partsOf(answer), true), undefined, 2)
}

/** The reply to a request in the form its path asks for. */
export function geminiReply({ path }: VendorRequest, answer: ModelAnswer): VendorReply {
  const [, model = '', name = ''] = operation.exec(path) ?? []
  if (name === 'countTokens') return { headers: geminiHeaders, parts: [JSON.stringify({ totalTokens: 31, promptTokensDetails: [] })] }
  if (name === 'generateContent') return { headers: geminiHeaders, parts: [geminiAnswer(answer, model)] }
  return { headers: { ...geminiHeaders, 'content-type': 'text/event-stream' }, parts: geminiEvents(answer, model) }
}

export const geminiHeaders = {
  'content-type': 'application/json; charset=UTF-8',
  'server-timing': 'gfet4t7; dur=412',
  server: 'scaffolding on HTTPServer2',
}

const statuses: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
}

export function geminiError(status: number, message: string): VendorReply {
  const error = { code: status, message, status: statuses[status] ?? 'INTERNAL' }
  return { status, headers: geminiHeaders, parts: [JSON.stringify({ error }, undefined, 2)] }
}

/** The contents of a request as messages. Calls and results without ids are told apart by their name. */
export function historyOfContents(contents: Json[]): HistoryMessage[] {
  return contents.map((content) => {
    const parts: Json[] = content.parts ?? []
    return {
      role: content.role === 'model' ? 'assistant' : 'user',
      text: parts.map(({ text, thought }) => (thought === true ? '' : String(text ?? ''))).join(''),
      calls: parts.flatMap(({ functionCall: call }) =>
        call === undefined ? [] : [{ id: call.id ?? call.name, name: call.name, args: call.args }],
      ),
      results: parts.flatMap(({ functionResponse: result }) =>
        result === undefined ? [] : [{ id: result.id ?? result.name, text: String(result.response.output ?? result.response.error ?? '') }],
      ),
    }
  })
}
