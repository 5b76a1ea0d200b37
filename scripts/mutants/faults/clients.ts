/** Faults of the client adapters: a conversation, a sub-agent or a side request taken for another. */
import type { Mutant } from '../mutant.ts'

const folder = 'gateway/src/turns/sessions/clients'
const tests = [`${folder}/recorded-shapes.test.ts`]

export const clientFaults: readonly Mutant[] = [
  {
    name: 'claude-code-search-moves-the-turn',
    file: `${folder}/claude-code.ts`,
    find: "return tools.every(({ runs }) => runs === 'vendor') ? 'search' : undefined",
    replace: 'return undefined',
    tests,
  },
  {
    name: 'claude-code-sub-agent-is-the-main-agent',
    file: `${folder}/claude-code.ts`,
    find: "headerValue(headers, 'x-claude-code-agent-id')",
    replace: "headerValue(headers, 'x-claude-code-agent')",
    tests,
  },
  {
    name: 'claude-code-reminders-are-typed',
    file: `${folder}/claude-code.ts`,
    find: "withoutTagged(text, 'system-reminder').trim()",
    replace: 'text.trim()',
    tests,
  },
  {
    name: 'opencode-sub-agent-has-no-parent',
    file: `${folder}/opencode.ts`,
    find: "headerValue(headers, 'x-parent-session-id')",
    replace: "headerValue(headers, 'x-parent-session')",
    tests,
  },
  { name: 'opencode-title-moves-the-turn', file: `${folder}/opencode.ts`, find: "return 'title'", replace: 'return undefined', tests },
  {
    name: 'qwen-code-sub-agent-returns-as-the-person',
    file: `${folder}/qwen-code.ts`,
    find: "return rest.startsWith('<task-notification>') ? '' : rest",
    replace: 'return rest',
    tests,
  },
  { name: 'qwen-code-memory-moves-the-turn', file: `${folder}/qwen-code.ts`, find: "return 'memory'", replace: 'return undefined', tests },
  {
    name: 'codex-compaction-moves-the-turn',
    file: `${folder}/codex.ts`,
    find: "kind !== undefined && kind !== 'turn'",
    replace: "kind === 'side'",
    tests,
  },
]
