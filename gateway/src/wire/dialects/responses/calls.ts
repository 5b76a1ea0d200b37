/** Items that are calls for the client to run, and the items that answer them. Each kind says its call in fields of its own. */
import { asText, canonicalJson, isObject, type JsonObject } from '../../../core/json.ts'
import type { SplicedCall, ToolCallView } from '../../dialect.ts'
import { parseArguments } from '../../request/call-arguments.ts'
import { requireName, requireString } from '../../request/fields.ts'

interface CallKind {
  /** Reads name and arguments. Throws `request.invalid` naming the field. */
  readonly read: (item: JsonObject, path: string) => Pick<ToolCallView, 'name' | 'args' | 'argsText'>
  /** The item that tells the model what became of the call. `isAnswer`: it has been answered, and not refused. */
  readonly answer: (callId: string, notice: string, isAnswer: boolean) => JsonObject
}

const kinds: Readonly<Record<string, CallKind>> = {
  function_call: {
    read: (item, path) => {
      const argsText = requireString(item.arguments, `${path}.arguments`)
      return { name: fullName(item.namespace, requireName(item.name, `${path}.name`)), args: parseArguments(argsText), argsText }
    },
    answer: (call_id, output) => ({ type: 'function_call_output', call_id, output }),
  },
  custom_tool_call: {
    // What a custom tool is called with is one text named `input`, as in chat-completions.
    read: (item, path) => {
      const input = requireString(item.input, `${path}.input`)
      return { name: fullName(item.namespace, requireName(item.name, `${path}.name`)), args: { input }, argsText: input }
    },
    answer: (call_id, output) => ({ type: 'custom_tool_call_output', call_id, output }),
  },
  local_shell_call: {
    read: (item) => builtIn('local_shell', item.action),
    answer: (id, output) => ({ type: 'local_shell_call_output', id, output }),
  },
  shell_call: {
    read: (item) => builtIn('shell', item.action),
    answer: (call_id, text, isAnswer) => ({
      type: 'shell_call_output',
      call_id,
      output: [{ stdout: isAnswer ? text : '', stderr: isAnswer ? '' : text, outcome: { type: 'exit', exit_code: isAnswer ? 0 : 1 } }],
    }),
  },
  apply_patch_call: {
    read: (item) => builtIn('apply_patch', item.operation),
    answer: (call_id, output, isAnswer) => ({
      type: 'apply_patch_call_output',
      call_id,
      status: isAnswer ? 'completed' : 'failed',
      output,
    }),
  },
  tool_search_call: {
    read: (item) => builtIn('tool_search', item.arguments),
    answer: (call_id) => ({ type: 'tool_search_output', call_id, execution: 'client', status: 'completed', tools: [] }),
  },
  computer_call: {
    read: (item) => builtIn('computer', item.action ?? item.actions),
    answer: (call_id, output) => ({ type: 'function_call_output', call_id, output }),
  },
}

function builtIn(name: string, value: JsonObject[string] | undefined): Pick<ToolCallView, 'name' | 'args' | 'argsText'> {
  const args = isObject(value) ? value : { input: value ?? null }
  return { name, args, argsText: canonicalJson(args) }
}

/** The name of a tool in a namespace, joined as MCP clients join them. */
export function fullName(namespace: JsonObject[string] | undefined, name: string): string {
  if (typeof namespace !== 'string' || namespace === '') return name
  return namespace.endsWith('__') ? namespace + name : `${namespace}__${name}`
}

/** Whether an item is a call that the client would run. */
export function isClientCall(item: JsonObject): boolean {
  const { type } = item
  if (typeof type !== 'string' || !Object.hasOwn(kinds, type)) return false
  if (type === 'tool_search_call') return item.execution === 'client'
  // In a container of the vendor's, the vendor runs it.
  return type !== 'shell_call' || !isObject(item.environment) || item.environment.type !== 'container_reference'
}

const written: ReadonlySet<string> = new Set(['function_call', 'custom_tool_call'])

/** Whether what a call is made with can be written anew: of those whose arguments are told in events that are known. */
export function canWrite({ type }: JsonObject): boolean {
  return typeof type === 'string' && written.has(type)
}

/** The view of a client-run call. Throws `request.invalid` naming the field. */
export function readCall(item: JsonObject, path: string): ToolCallView {
  const kind = kinds[asText(item.type)] as CallKind
  return { id: requireName(item.call_id, `${path}.call_id`), ...kind.read(item, path), ...(canWrite(item) ? {} : { isFixed: true }) }
}

/** The item that answers a call with words of the gateway. */
export function noticeItem(call: JsonObject, { id, notice, isAnswer }: Pick<SplicedCall, 'id' | 'notice' | 'isAnswer'>): JsonObject {
  const type = typeof call.type === 'string' && Object.hasOwn(kinds, call.type) ? call.type : 'function_call'
  return (kinds[type] as CallKind).answer(id, notice, isAnswer === true)
}

/** An output whose words are these, and nothing else of what its tool said. */
export function withText(item: JsonObject, text: string): JsonObject {
  const { type, id, call_id, status } = item
  const made = Object.entries(kinds).find(([, { answer }]) => answer('', '', true).type === type)
  const { output = text, tools } = made?.[1].answer('', text, true) ?? {}
  const own = { type, id, call_id, status, ...(tools === undefined ? { output } : { execution: item.execution, tools }) }
  return Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)) as JsonObject
}

const outputTypes: ReadonlySet<string> = new Set([
  'function_call_output',
  'custom_tool_call_output',
  'local_shell_call_output',
  'shell_call_output',
  'apply_patch_call_output',
  'tool_search_output',
  'computer_call_output',
])

/** The id of the call an item answers; undefined for items that answer none. */
export function answeredId(item: JsonObject): string | undefined {
  if (typeof item.type !== 'string' || !outputTypes.has(item.type)) return undefined
  const id = item.call_id ?? (item.type === 'local_shell_call_output' ? item.id : undefined)
  return typeof id === 'string' && id !== '' ? id : undefined
}

/** Whether an item is the result of a call, whoever ran it. */
export function isOutput(item: JsonObject): boolean {
  return typeof item.type === 'string' && outputTypes.has(item.type)
}
