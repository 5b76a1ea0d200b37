/**
 * The agent of the demo: an ordinary loop that knows nothing of Turnward but two URLs. It asks the model, runs
 * the tools the model calls at the MCP endpoint, and goes on until the model has nothing more to call.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { TurnwardError } from '../../core/error.ts'
import { asText, isObject, type JsonObject } from '../../core/json.ts'
import { openMcpClient } from '../mcp-client.ts'

export interface AgentRun {
  readonly turn: string
  readonly session: string
  /** The model's last words. */
  readonly answer: string
  /** False when the loop hit its step limit. */
  readonly completed: boolean
}

const maxSteps = 12
const startMs = 60_000

export async function runAgent(url: string, key: string, task: string): Promise<AgentRun> {
  const mcp = openMcpClient(`${url}/mcp/main`, key)
  try {
    const tools = (await listedTools(mcp)).map((tool) => ({
      type: 'function',
      function: { name: asText(tool.name), description: asText(tool.description), parameters: tool.inputSchema ?? {} },
    }))
    const messages: JsonObject[] = [{ role: 'user', content: task }]
    let ids = { turn: '', session: '' }
    for (let step = 0; step < maxSteps; step += 1) {
      const answered = await callModel(url, key, { model: 'scripted-demo', messages, tools })
      ids = { turn: answered.turn, session: answered.session }
      messages.push(answered.message)
      const calls = Array.isArray(answered.message.tool_calls) ? answered.message.tool_calls.filter(isObject) : []
      if (calls.length === 0) return { ...ids, answer: asText(answered.message.content), completed: true }
      for (const call of calls) {
        const wanted = call.function as { name: string; arguments: string }
        const result = await mcp.callTool(wanted.name, JSON.parse(wanted.arguments) as JsonObject)
        messages.push({ role: 'tool', tool_call_id: asText(call.id), content: textOf(result) })
      }
    }
    return { ...ids, answer: '', completed: false }
  } finally {
    await mcp.close()
  }
}

/** A busy machine takes its time to start a server: what it has is waited for. */
async function listedTools(mcp: ReturnType<typeof openMcpClient>): Promise<readonly JsonObject[]> {
  const end = Date.now() + startMs
  for (;;) {
    const tools = await mcp.listTools()
    if (tools.length > 0 || Date.now() > end) return tools
    await delay(250)
  }
}

async function callModel(url: string, key: string, body: object): Promise<{ message: JsonObject; turn: string; session: string }> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const answer = (await response.json()) as { choices?: { message: JsonObject }[]; error?: { message: string } }
  const message = answer.choices?.[0]?.message
  if (message === undefined)
    throw new TurnwardError('upstream.failed', { subject: 'demo', why: answer.error?.message ?? `status ${response.status}` })
  return { message, turn: String(response.headers.get('x-turnward-turn')), session: String(response.headers.get('x-turnward-session')) }
}

function textOf(result: JsonObject): string {
  const content = Array.isArray(result.content) ? result.content : []
  return content.map((part) => (isObject(part) && typeof part.text === 'string' ? part.text : '')).join('\n')
}
