/** Converse, as Bedrock speaks it: streams are frames of AWS's. */
import { converseFrames, converseMessage } from '../../harness/converse-wire.ts'
import type { Json } from '../../harness/json.ts'
import type { Said } from './conversation.ts'
import { textOf, usage, type MockDialect } from './dialect.ts'

export const converse: MockDialect = {
  takes: (path) => /\/converse(-stream)?$/.test(path),
  read: (body) => ({
    tools: ((body.toolConfig?.tools ?? []) as Json[]).flatMap(({ toolSpec }) => (toolSpec === undefined ? [] : [String(toolSpec.name)])),
    history: ((body.messages ?? []) as Json[]).flatMap(({ role, content }): Said[] =>
      (content as Json[]).flatMap((block): Said[] => {
        if (block.toolUse !== undefined) return [{ kind: 'call' }]
        if (block.toolResult !== undefined) return [{ kind: 'result', text: textOf(block.toolResult.content) }]
        return role === 'user' && typeof block.text === 'string' ? [{ kind: 'user', text: block.text }] : []
      }),
    ),
  }),
  write: ({ text, call }, { path }) => {
    const said = { text, calls: call === undefined ? [] : [{ id: `tooluse_${call.id}`, name: call.name, args: call.args }], usage }
    if (path.endsWith('/converse')) return { streamed: false, parts: [converseMessage(said)] }
    return { streamed: true, contentType: 'application/vnd.amazon.eventstream', parts: converseFrames(said) }
  },
}
