/**
 * What a call of a model means: the tools it may be a call of, and the arguments they would get. A call-through tool
 * (`tool_call {"name": …, "arguments": …}`) is taken for the call it makes.
 */
import type { Snapshot } from '../../config/snapshot.ts'
import type { JsonObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import { gatewayServer, runToolFields, runToolName } from '../../core/tool-names.ts'
import type { ToolSubject } from '../../policy/types.ts'
import type { CatalogueTool, Fleet } from '../../tools/catalogue.ts'
import { innerCall, type CallThroughFields } from '../../tools/progressive/inner-call.ts'
import type { ClientAdapter } from '../sessions/clients/client-adapter.ts'
import { ToolNames } from './tool-names.ts'

export interface CallMeaning {
  /** At least one; the first is the one that is told. */
  readonly tools: readonly [ToolSubject, ...ToolSubject[]]
  /** Undefined when they cannot be read. */
  readonly args: JsonObject | undefined
  /** The name as the model wrote it, when the call means another. */
  readonly calledAs: string | undefined
  /** The call names another tool in its arguments. */
  readonly through: boolean
}

/** A call as it stands in a message. */
export interface MadeCall {
  readonly name: string
  readonly args: JsonObject | undefined
}

/** A call-through tool may call a call-through tool; deeper than this nobody has a reason to go. */
const mostThrough = 3

export class CallMeanings {
  readonly #names: ToolNames
  readonly #client: ClientAdapter | undefined
  readonly #through: Snapshot['settings']['turns']['call_through']

  constructor(snapshot: Snapshot, names: ToolNames, client: ClientAdapter | undefined) {
    this.#names = names
    this.#client = client
    this.#through = snapshot.settings.turns.call_through
  }

  /** What the name of a tool means, whatever its arguments. */
  ofName(name: string): readonly [ToolSubject, ...ToolSubject[]] {
    return atLeastOne(this.#names.meaning(name, this.#client?.toolName?.(name)))
  }

  /** The tool of ours with this exposed name, when it has been listed. */
  tool(name: string): CatalogueTool | undefined {
    return this.#names.tool(name)
  }

  /** Whether calls of this tool name another tool in their arguments. */
  isThrough(name: string): boolean {
    return this.#fieldsOf(name) !== undefined
  }

  /** What a call means. */
  ofCall({ name, args }: MadeCall): CallMeaning {
    let now: MadeCall = { name, args }
    for (let depth = 0; depth < mostThrough; depth += 1) {
      const fields = this.#fieldsOf(now.name)
      if (fields === undefined) break
      const inner = innerCall(now.args, fields, parseJson)
      if (inner === undefined) return { tools: [{ name: now.name, server: 'client' }], args: undefined, calledAs: undefined, through: true }
      now = inner
    }
    const through = now.name !== name || this.isThrough(now.name)
    const tools = this.ofName(now.name)
    // Deeper than anybody has a reason to go: what it would run is not known.
    if (this.isThrough(now.name)) return { tools, args: undefined, calledAs: undefined, through }
    return { tools, args: now.args, calledAs: tools[0].name === name ? undefined : name, through }
  }

  #fieldsOf(name: string): CallThroughFields | undefined {
    const told = Object.hasOwn(this.#through, name) ? this.#through[name] : this.#client?.callThrough?.get(name)
    if (told !== undefined) return told
    // The gateway's own, under whatever a client puts before it; not a tool of a server that calls it so.
    return this.ofName(name).every((tool) => tool.server === gatewayServer && tool.name === runToolName) ? runToolFields : undefined
  }
}

function atLeastOne(tools: readonly ToolSubject[]): readonly [ToolSubject, ...ToolSubject[]] {
  const [first, ...rest] = tools
  if (first === undefined) throw new RangeError('a name means at least one tool')
  return [first, ...rest]
}

/** Names of one snapshot and one state of its catalogue; both are the same object for many calls. */
const compiled = new WeakMap<readonly CatalogueTool[], { readonly snapshot: Snapshot; readonly names: ToolNames }>()

/** What calls mean under this snapshot, as this client writes them. */
export function callMeanings(fleet: Fleet, snapshot: Snapshot, client: ClientAdapter | undefined): CallMeanings {
  const known = fleet.known(snapshot)
  let entry = compiled.get(known)
  if (entry?.snapshot !== snapshot) {
    entry = { snapshot, names: new ToolNames(snapshot, known) }
    compiled.set(known, entry)
  }
  return new CallMeanings(snapshot, entry.names, client)
}
