/** Messages. */
import { message, messageEvents } from '../../harness/anthropic-wire.ts'
import type { Json } from '../../harness/json.ts'
import type { Said } from './conversation.ts'
import { textOf, usage, type MockDialect } from './dialect.ts'

export const messages: MockDialect = {
  takes: (path) => path.endsWith('/messages'),
  read: (body) => ({
    tools: ((body.tools ?? []) as Json[]).filter((tool) => tool.input_schema !== undefined).map(({ name }) => name),
    history: ((body.messages ?? []) as Json[]).flatMap(({ role, content }): Said[] => {
      const blocks: Json[] = typeof content === 'string' ? [{ type: 'text', text: content }] : (content ?? [])
      return blocks.flatMap((block): Said[] => {
        if (block.type === 'tool_use') return [{ kind: 'call' }]
        if (block.type === 'tool_result') return [{ kind: 'result', text: textOf(block.content) }]
        return role === 'user' && block.type === 'text' ? [{ kind: 'user', text: block.text }] : []
      })
    }),
  }),
  write: ({ text, call }, { body }) => {
    const said = { text, calls: call === undefined ? [] : [{ id: `toolu_${call.id}`, name: call.name, args: call.args }], usage }
    if (body.stream !== true) return { streamed: false, parts: [message(said, body.model)] }
    return { streamed: true, parts: messageEvents(said, body.model) }
  },
}
