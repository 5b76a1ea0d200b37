/** The Gemini API. */
import type { Json } from '../../harness/json.ts'
import type { Said } from './conversation.ts'
import { textOf, type MockDialect } from './dialect.ts'

export const gemini: MockDialect = {
  takes: (path) => /:(streamG|g)enerateContent$/.test(path),
  read: (body) => ({
    tools: ((body.tools ?? []) as Json[]).flatMap((tool) => ((tool.functionDeclarations ?? []) as Json[]).map(({ name }) => name)),
    history: ((body.contents ?? []) as Json[]).flatMap(({ role, parts }): Said[] =>
      ((parts ?? []) as Json[]).flatMap((part): Said[] => {
        if (part.functionCall !== undefined) return [{ kind: 'call' }]
        if (part.functionResponse !== undefined) return [{ kind: 'result', text: JSON.stringify(part.functionResponse.response) }]
        return role === 'user' && part.text !== undefined ? [{ kind: 'user', text: textOf([part]) }] : []
      }),
    ),
  }),
  write: ({ text, call }, { path, body }) => {
    const parts = [{ text }, ...(call === undefined ? [] : [{ functionCall: { name: call.name, args: call.args } }])]
    const answer = JSON.stringify({
      candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP', index: 0 }],
      usageMetadata: { promptTokenCount: 82, candidatesTokenCount: 17, totalTokenCount: 99 },
      modelVersion: String(body.model ?? 'mock'),
      responseId: 'resp_000000000000000000000000',
    })
    const streamed = path.endsWith(':streamGenerateContent')
    return { streamed, parts: [streamed ? `data: ${answer}\r\n\r\n` : answer] }
  },
}
