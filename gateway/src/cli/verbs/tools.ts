/** `turnward tools`: what a key may call now at a running gateway, and calling it, through the public endpoint. */
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { loadConfig } from '../../config/load.ts'
import { TurnwardError } from '../../core/error.ts'
import { asText, isObject, type JsonObject } from '../../core/json.ts'
import { exitCodes } from '../exit-codes.ts'
import { connect, type ConnectionOptions, withConnection } from '../gateway-client.ts'
import type { McpClient } from '../mcp-client.ts'
import { fail, print, table } from '../output.ts'
import { addToolsReview } from './tools-review.ts'

export function addTools(program: Command): void {
  const tools = program.command('tools').description('list and call tools through a running gateway, and review their definitions')
  withConnection(tools.command('list').description('list the tools that can be called now'))
    .addHelpText('after', '\nExample:\n  $ TURNWARD_KEY=tw_… turnward tools list --gateway main')
    .action(list)
  withConnection(
    tools.command('call').description('call one tool').argument('<tool>', '`server__tool`').argument('[arguments]', 'JSON object', '{}'),
  )
    .addHelpText(
      'after',
      `\nExample:\n  $ TURNWARD_KEY=tw_… turnward tools call notes__read_text_file '{"path":"a.txt"}'\n\nExit code 5 when the call was refused or the tool reported an error.`,
    )
    .action(call)
  addToolsReview(tools)
}

const healthMs = 5000

async function list(options: ConnectionOptions): Promise<void> {
  await withClient(options, async (client) => {
    const tools = await client.listTools()
    const undescribed = await undescribedHere(options.url, tools)
    const hint =
      undescribed.length === 0
        ? ''
        : `\n\n${undescribed.length} of ${tools.length} described by nobody: \`turnward policy suggest\` drafts contracts`
    print(options, { tools, undescribed }, `${table(tools.map((tool) => [asText(tool.name), firstLine(tool.description)]))}${hint}`)
  })
}

async function call(name: string, text: string, options: ConnectionOptions): Promise<void> {
  await withClient(options, async (client) => {
    const result = await client.callTool(name, parseArguments(text))
    print(options, result, resultText(result))
    if (result.isError === true) process.exitCode = exitCodes.negative
  })
}

/** Names no contract describes, when the configuration at hand is the one the gateway runs; otherwise nothing is claimed. */
async function undescribedHere(url: string, tools: readonly JsonObject[]): Promise<readonly string[]> {
  const path = process.env.TURNWARD_CONFIG ?? 'turnward.yaml'
  const snapshot = existsSync(path) ? await loadConfig(path, process.env).catch(() => undefined) : undefined
  if (snapshot === undefined) return []
  const answer = await fetch(new URL('/healthz', url), { redirect: 'manual', signal: AbortSignal.timeout(healthMs) }).catch(() => undefined)
  const health: unknown = await answer?.json().catch(() => undefined)
  if (!isObject(health) || health['revision'] !== snapshot.revision) return []
  return tools.map((tool) => asText(tool.name)).filter((name) => snapshot.policy.contractOf(name) === undefined)
}

async function withClient(options: ConnectionOptions, work: (client: McpClient) => Promise<void>): Promise<void> {
  let client: McpClient | undefined
  try {
    client = await connect(options)
    await work(client)
  } catch (error) {
    fail(options, error)
  } finally {
    await client?.close()
  }
}

function parseArguments(text: string): JsonObject {
  try {
    const parsed: unknown = JSON.parse(text)
    if (isObject(parsed)) return parsed
  } catch {
    // Told below, in our own words.
  }
  throw new TurnwardError('request.invalid', { subject: 'arguments', why: 'they are not a JSON object' })
}

function firstLine(description: unknown): string {
  return typeof description === 'string' ? (description.split('\n')[0] ?? '').slice(0, 100) : ''
}

function resultText(result: JsonObject): string {
  const content = Array.isArray(result.content) ? result.content : []
  return content.map((part) => (isObject(part) && typeof part.text === 'string' ? part.text : JSON.stringify(part))).join('\n')
}
