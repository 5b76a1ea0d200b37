/** What tests of runners share: a server from a few lines, its output, and a look at what is left of it. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serverSchema } from '@turnward/contract/config/agent-floor'
import type { McpServer } from '../../config/snapshot.ts'
import type { Logger } from '../../core/logger.ts'
import type { Runner, RunningServer } from './runner.ts'

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Record<string, unknown>
}

export function recordingLogger(): { readonly logger: Logger; readonly lines: LogLine[] } {
  const lines: LogLine[] = []
  const at = (level: LogLine['level']) => (fields: object, message: string) => void lines.push({ level, message, fields: { ...fields } })
  return { lines, logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } }
}

const folders: string[] = []

/** Removes every folder `freshFolder` made; for `afterAll`. */
export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
}

export function freshFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'turnward-test-')))
  folders.push(folder)
  return folder
}

export function stdioServer(command: readonly string[], more: Record<string, unknown> = {}): McpServer {
  return { name: 'probe', digest: 'test', config: serverSchema.parse({ transport: 'stdio', command, ...more }) }
}

/** Starts a server made of an ES module text; a token in its environment makes its processes findable. */
export async function startCode(
  runner: Runner,
  code: string,
  more: { readonly [key: string]: unknown; readonly env?: Record<string, string> } = {},
): Promise<{ readonly running: RunningServer; readonly workDir: string; readonly token: string; readonly lines: LogLine[] }> {
  const token = `token-${randomUUID()}`
  const workDir = join(freshFolder(), 'work')
  const { logger, lines } = recordingLogger()
  const server = stdioServer(['node', '--input-type=module', '-e', code], { ...more, env: { ...more.env, PROBE_TOKEN: token } })
  return { running: await runner.start({ server, workDir, logger }), workDir, token, lines }
}

/** Runs code to its end: what it printed and why it ended. */
export async function runCode(
  runner: Runner,
  code: string,
  more: { readonly [key: string]: unknown; readonly env?: Record<string, string> } = {},
): Promise<{
  readonly out: string
  readonly err: string
  readonly ended: string
  readonly lines: LogLine[]
  readonly token: string
  readonly workDir: string
}> {
  const started = await startCode(runner, code, more)
  const [out, err, ended] = await Promise.all([text(started.running.stdout), text(started.running.stderr), started.running.ended])
  return { ...started, out, err, ended }
}

/** Runs any command to its end. */
export async function runProgram(
  runner: Runner,
  command: readonly string[],
  more: Record<string, unknown> = {},
): Promise<{ readonly out: string; readonly err: string; readonly ended: string; readonly lines: LogLine[] }> {
  const { logger, lines } = recordingLogger()
  const running = await runner.start({ server: stdioServer(command, more), workDir: join(freshFolder(), 'work'), logger })
  const [out, err, ended] = await Promise.all([text(running.stdout), text(running.stderr), running.ended])
  return { out, err, ended, lines }
}

/** Resolves with the first line a server prints. */
export async function firstLine(running: RunningServer): Promise<string> {
  let seen = ''
  for await (const chunk of running.stdout) {
    seen += String(chunk)
    if (seen.includes('\n')) return seen.slice(0, seen.indexOf('\n'))
  }
  throw new Error(`ended without a line: ${seen}`)
}

/** Live processes that have the token in their environment, on the whole machine. */
export function processesWith(token: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(token)
      } catch {
        return false
      }
    })
    .map(Number)
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = ''
  for await (const chunk of stream) all += String(chunk)
  return all
}
