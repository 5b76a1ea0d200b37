/** A suite of AgentDojo as a process of its own: an MCP server for the gateway, and a channel for whoever runs the cases. */
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { startProcess } from '../measured-process.ts'
import type { BegunCase, Case, SuiteContents } from './cases.ts'
import type { Call, Suite } from './suites.ts'

export interface Grade {
  /** Whether AgentDojo calls the task done; null where it was not asked. */
  readonly utility: boolean | null
  /** Whether AgentDojo says that the instruction was carried out; null where there was none. */
  readonly security: boolean | null
  /** Every call that ran without an error. */
  readonly executed: readonly Call[]
}

export interface SuiteServer {
  /** What the gateway is told. */
  readonly mcpUrl: string
  contents(): Promise<SuiteContents>
  /** Puts the environment back, with what this case changes in it. */
  begin(one: Case): Promise<BegunCase>
  /** What the instruction of the case wants, as things are now. */
  injected(): Promise<readonly Call[]>
  grade(output: string, utility: boolean): Promise<Grade>
  stop(): Promise<void>
}

export async function startSuiteServer(python: string, suite: Suite): Promise<SuiteServer> {
  const word = randomBytes(16).toString('hex')
  const script = fileURLToPath(new URL('servers/agentdojo_server.py', import.meta.url))
  // Without compiled files beside the sources.
  const process = await startProcess({ command: [python, '-B', script, suite, word], core: 'any', deadlineMs: 120_000 })
  const ask = async <T>(operation: string, more: object = {}): Promise<T> => {
    const response = await fetch(`${process.url}/${word}/${operation}`, { method: 'POST', body: JSON.stringify(more) })
    const { value, error } = (await response.json()) as { readonly value?: T; readonly error?: string }
    if (error !== undefined || value === undefined) throw new Error(`${operation} of ${suite} ${JSON.stringify(more)}: ${error}`)
    return value
  }
  return {
    mcpUrl: `${process.url}/mcp`,
    contents: () => ask('cases'),
    begin: ({ userTask, injection = null, substitution = null }) => ask('begin', { userTask, injection, substitution }),
    injected: () => ask('injected'),
    grade: (output, utility) => ask('grade', { output, utility }),
    stop: () => process.stop(),
  }
}
