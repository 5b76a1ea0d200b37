/** The labels of single messages of a history: what an assistant said was said under, and what a result was read with. */
import { sha256 } from '../../core/hash.ts'
import { resultLabel, unknownLabel } from '../../policy/admit.ts'
import { join, labelFromRecord } from '../../policy/label.ts'
import type { Label, PolicyState } from '../../policy/types.ts'
import type { ToolCallView, ToolResultView } from '../../wire/dialect.ts'
import type { AttachedCall, ModelCall } from '../call.ts'
import type { CallMeaning } from '../naming/call-meaning.ts'
import { labelOfWords } from '../provenance/words-of-call.ts'
import { labelOfRemembered } from '../remembering/remembered-labels.ts'
import { agentToolsOf } from '../sessions/clients/clients.ts'
import { freshState } from '../sessions/fresh-state.ts'
import { assistantDigest, type HistoryEntry } from '../sessions/history.ts'

/** A call that reads what stands in a history. */
type Reading = AttachedCall & Pick<ModelCall, 'meanings' | 'client'>

/** A call in the history, and the message that made it. */
export interface Made {
  readonly view: ToolCallView
  readonly entry: HistoryEntry
}

/** Ledger key of an assistant message: who it was delivered to and what it said. */
export function deliveredKey(principal: string, digest: string): string {
  return `m|${principal}|${digest}`
}

/** Ledger key of a refusal: the call it answered where it would have run, and the words of the gateway. */
export function refusalKey(principal: string, callKey: string, digest: string): string {
  return `n|${principal}|${callKey}|${digest}`
}

/** Ledger key of a result: the tool and the call it answers, and what it says. */
export function resultKey(principal: string, tool: string, callId: string, digest: string): string {
  return `r|${principal}|${tool}|${callId}|${digest}`
}

/** The calls of a history up to an entry: a result belongs to the last call of its id before it, because some models number calls anew. */
export class CallsBefore {
  readonly #history: readonly HistoryEntry[]
  readonly #calls = new Map<string, Made>()
  #read = 0

  constructor(history: readonly HistoryEntry[]) {
    this.#history = history
  }

  /** Asked for entries in order; nothing is read that no result asks for. */
  find(index: number, callId: string): Made | undefined {
    for (; this.#read <= index; this.#read += 1) {
      const entry = this.#history[this.#read] as HistoryEntry
      for (const view of entry.message.calls) this.#calls.set(view.id, { view, entry })
    }
    return this.#calls.get(callId)
  }
}

/** Digest of what an assistant said, without what a known client has put before it; undefined when it says nothing, or the client wrote it. */
export function digestOfAssistant(
  { client }: Pick<Reading, 'client'>,
  { digest: plain, message }: Pick<HistoryEntry, 'digest' | 'message'>,
): string | undefined {
  if (plain === undefined || (message.calls.length === 0 && client?.writesItself?.(message.text) === true)) return undefined
  const said = client?.said?.(message.text) ?? message.text
  return said === message.text ? plain : (assistantDigest(said, message.calls) ?? plain)
}

/** The label an assistant message was made under; that of the unknown when nobody here has delivered it. */
export async function assistantLabel(call: Reading, entry: Pick<HistoryEntry, 'digest' | 'message'>): Promise<Label> {
  return (await deliveredLabel(call, entry)) ?? unknownLabel(call.snapshot.policy, call.caller.principal)
}

/** The label an assistant message was delivered under; undefined when nobody here knows of it. */
export async function deliveredLabel(call: Reading, entry: Pick<HistoryEntry, 'digest' | 'message'>): Promise<Label | undefined> {
  const { services, snapshot, caller } = call
  const digest = digestOfAssistant(call, entry)
  const delivered = digest === undefined ? undefined : await services.state.get('label', deliveredKey(caller.principal.id, digest))
  if (delivered !== undefined) return labelFromRecord(delivered, snapshot.policy)
  return snapshot.settings.turns.unknown_history === 'accept' ? freshState(snapshot.policy).label : undefined
}

/** What a result adds to a label: what its contract says now, and what it was read with. */
export async function labelOfResult(call: Reading, result: ToolResultView, made: Made | undefined): Promise<Label> {
  const { services, snapshot, caller } = call
  if (made === undefined) return unknownLabel(snapshot.policy, caller.principal)
  const { tools, args } = await meaningOf(call, made)
  const label = resultLabel(snapshot.policy, tools, caller.principal)
  const key = resultKey(caller.principal.id, made.view.name, result.callId, sha256(result.text))
  const read = await services.state.get('label', key)
  if (read !== undefined) return join(label, labelFromRecord(read, snapshot.policy))
  const words = await labelOfWords(call, () => result.text)
  const agents = agentToolsOf(call.client).has(made.view.name) ? await labelOfAgents(call) : undefined
  const kept = await labelOfRemembered(call, tools, args)
  return [words, agents, kept].filter((one) => one !== undefined).reduce(join, label)
}

/** What the sub-agents of a session have read. */
export async function labelOfAgents({ services, snapshot, session }: Reading): Promise<Label> {
  let label = freshState(snapshot.policy).label
  for (const id of session.state.children) {
    const child = await services.sessions.find(id, snapshot.policy, snapshot.settings.turns.session_idle_ms)
    if (child !== undefined) label = join(label, child.policyState.label)
  }
  return label
}

/** The tools a call in the history may have been a call of, and the key its effects are reserved under. What was released counts, not what the client says of it. */
export async function meaningOf(
  call: Reading,
  { view, entry }: Made,
): Promise<Pick<CallMeaning, 'tools' | 'args'> & { readonly callKey: string }> {
  const place = await call.services.state.get('answer', entry.place)
  // What was put into a call may have changed its id.
  const made = place?.contents?.[view.id]?.id ?? view.id
  const callKey = place === undefined ? reservedKey(call.session.policyState, view.id) : `${place.modelCall}:${made}`
  const [first, ...others] = place?.through?.[view.id] ?? []
  const { tools, args } = call.meanings.ofCall(view)
  if (first === undefined) return { tools, args, callKey }
  const [tool, ...more] = [first, ...others].flatMap((name) => call.meanings.ofName(name))
  return { tools: tool === undefined ? call.meanings.ofName(view.name) : [tool, ...more], args, callKey }
}

/** The newest reservation for a call of this id; the id itself when nothing is reserved for it. */
function reservedKey({ effects }: PolicyState, callId: string): string {
  const keys = [...Object.keys(effects.reserved), ...(effects.ended ?? [])]
  // `mc_…:<id>`: an id may itself have a colon.
  return keys.findLast((key) => key.slice(key.indexOf(':') + 1) === callId) ?? callId
}
