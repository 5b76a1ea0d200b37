/** Chat Completions. */
import type { Json } from '../../harness/json.ts'
import { chatCompletion, chatCompletionEvents } from '../../harness/openai-wire.ts'
import type { Answer, Said } from './conversation.ts'
import { textOf, usage, type MockDialect } from './dialect.ts'

export const chatCompletions: MockDialect = {
  takes: (path) => path.endsWith('/chat/completions'),
  read: (body) => ({
    tools: ((body.tools ?? []) as Json[]).map((tool) => tool.function.name),
    history: ((body.messages ?? []) as Json[]).flatMap((message): Said[] => {
      if (message.role === 'user') return [{ kind: 'user', text: textOf(message.content) }]
      if (message.role === 'tool') return [{ kind: 'result', text: textOf(message.content) }]
      return (message.tool_calls ?? []).map(() => ({ kind: 'call' as const }))
    }),
  }),
  write: (answer, { body }) => {
    const said = modelAnswer(answer)
    if (body.stream !== true) return { streamed: false, parts: [chatCompletion(said, body.model)] }
    return { streamed: true, parts: chatCompletionEvents(said, body.model, body.stream_options?.include_usage === true) }
  },
}

function modelAnswer({ text, call }: Answer) {
  return { text, calls: call === undefined ? [] : [{ id: `call_${call.id}`, name: call.name, args: call.args }], usage }
}
