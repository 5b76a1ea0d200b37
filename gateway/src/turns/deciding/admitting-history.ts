/**
 * Every message the gateway has not accounted for passes here before the model sees it: tool results narrow the label by
 * their contract, assistant messages bring the label they were made under, words bring the label they were said or
 * returned under, and what nobody here produced counts as untrusted. So neither removing, retelling nor inventing history
 * can clean a session. What narrows here counts for the session when the request is sent; effects are settled at once.
 */
import { sha256 } from '../../core/hash.ts'
import { admit, admittedLabel, type Admission, type PassedContent, unknownLabel } from '../../policy/admit.ts'
import { comesFrom, type Evidence } from '../../policy/evidence.ts'
import { join, labelFromRecord, labelRecord, sameLabel } from '../../policy/label.ts'
import type { Label, PolicyState, ToolSubject } from '../../policy/types.ts'
import { whenRead, type MaybePromise } from '../../state/state-store.ts'
import type { ToolCallView, ToolResultView } from '../../wire/dialect.ts'
import type { ModelCall, ReadingCall } from '../call.ts'
import type { CallMeaning } from '../naming/call-meaning.ts'
import { unrestrictedRuns } from '../provenance/unrestricted-words.ts'
import { isFreeLabel, labelOfWords, rememberWords } from '../provenance/words-of-call.ts'
import { freshState } from '../sessions/fresh-state.ts'
import { agentToolsOf } from '../sessions/clients/clients.ts'
import { assistantDigest, type HistoryEntry } from '../sessions/history.ts'
import { notePlace, notePresented } from './narrowing-when-sent.ts'
import { isHandle, standsFor } from '../quarantine/withheld-results.ts'
import { passedText } from './passing-content.ts'

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

/** A call in the history, and the message that made it. */
interface Made {
  readonly view: ToolCallView
  readonly entry: HistoryEntry
}

export async function admitHistory(call: ModelCall): Promise<void> {
  const { history, firstNew } = call
  notePlace(call)
  if (call.session.state.hasWithheld || call.snapshot.settings.quarantine !== undefined) await withholdAgain(call)
  for (const message of call.view.messages) {
    // A client may put a summary, or a note of its own, into the instructions. They come with every call.
    const repeated = message.role === 'system' ? admitWords(call, message.text, true) : undefined
    if (repeated instanceof Promise) await repeated
  }
  const calls = new CallsBefore(history)
  for (let index = firstNew; index < history.length; index += 1) {
    const entry = history[index] as HistoryEntry
    const { message } = entry
    const admitted = message.role === 'assistant' ? admitAssistant(call, entry) : undefined
    if (admitted instanceof Promise) await admitted
    const repeated = message.fromUser ? admitWords(call, message.text, false) : undefined
    if (repeated instanceof Promise) await repeated
    for (const [position, result] of message.results.entries()) {
      const text = await admitResult(call, result, calls.find(index, result.callId))
      if (text !== undefined) replaceResult(call, message.index, position, text)
    }
  }
}

/** Results that were withheld once stay so, in every later request of their conversation. */
async function withholdAgain(call: ModelCall): Promise<void> {
  const { history, firstNew } = call
  const calls = new CallsBefore(history)
  for (let index = 0; index < firstNew; index += 1) {
    const { message } = history[index] as HistoryEntry
    for (const [position, { callId, text }] of message.results.entries()) {
      const made = calls.find(index, callId)
      if (made === undefined) continue
      const stands = await standsFor(call, { from: made.view.name, call: callId, digest: sha256(text), bytes: Buffer.byteLength(text) })
      if (stands !== undefined) replaceResult(call, message.index, position, stands)
    }
  }
}

function replaceResult(call: ModelCall, index: number, position: number, text: string): void {
  call.dialect.edit.replaceResult(call.body.json, index, position, text)
  call.bytes = undefined
}

/** The calls of a history up to an entry: a result belongs to the last call of its id before it, because some models number calls anew. */
class CallsBefore {
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

/** What words repeat that were said or returned under a restricted label. */
export function admitWords(call: ReadingCall, text: string, comesAgain: boolean): MaybePromise<void> {
  return whenRead(
    labelOfWords(call, () => text, comesAgain),
    (label) => (label === undefined ? undefined : joinLabel(call, 'words of an earlier conversation', label, text)),
  )
}

/** What an assistant has said, or is said to have. */
export function admitAssistant(
  call: ReadingCall,
  { digest: plain, message }: Pick<HistoryEntry, 'digest' | 'message'>,
): MaybePromise<void> {
  if (plain === undefined || (message.calls.length === 0 && call.client?.writesItself?.(message.text) === true)) return
  const said = call.client?.said?.(message.text) ?? message.text
  const digest = said === message.text ? plain : (assistantDigest(said, message.calls) ?? plain)
  const { policy, settings } = call.snapshot
  return whenRead(call.services.state.get('label', deliveredKey(call.caller.principal.id, digest)), (delivered) => {
    if (delivered !== undefined) return joinLabel(call, 'an earlier answer', labelFromRecord(delivered, policy))
    if (settings.turns.unknown_history !== 'accept') return admitStranger(call, 'unknown history', digest)
  })
}

/** Resolves with what stands in the place of the result, where it may not go on as it is. */
async function admitResult(call: ReadingCall, result: ToolResultView, made: Made | undefined): Promise<string | undefined> {
  if (made !== undefined) return admitAnswered(call, result, { name: made.view.name, canWithhold: true, ...(await meaningOf(call, made)) })
  admitStranger(call, 'unknown tool call', sha256(result.text))
  return undefined
}

/** A call that was made: the name it was made by, the tools it may mean, and the key its effects are reserved under. */
export interface AnsweredCall {
  readonly name: string
  readonly tools: CallMeaning['tools']
  readonly callKey: string
  /** Whether something else can stand in the place of its result. */
  readonly canWithhold?: boolean
}

/** Admits the result of a call that is known. Resolves with what stands in its place, where it may not go on as it is. */
export async function admitAnswered(call: ReadingCall, result: ToolResultView, made: AnsweredCall): Promise<string | undefined> {
  const { services, snapshot, caller } = call
  const digest = sha256(result.text)
  const { tools, callKey } = made
  // The gateway's own words about a call that never ran: nothing was read.
  if ((await services.state.get('label', refusalKey(caller.principal.id, callKey, digest))) !== undefined) return undefined
  // What stands for a result of this conversation says nothing of it.
  if (await isHandle(call, result.text)) return undefined
  const key = resultKey(caller.principal.id, made.name, result.callId, digest)
  const seen = await services.state.get('label', key)
  // What it means is asked again each time: a contract may have been tightened since. What it meant stays.
  const before = seen === undefined ? undefined : labelFromRecord(seen, snapshot.policy)
  const words = await labelOfWords(call, () => result.text)
  const agents = agentToolsOf(call.client).has(made.name) ? await labelOfAgents(call) : undefined
  const evidence = comesFrom(before, words, agents)
  const { canWithhold = false } = made
  const admission = { tools, principal: caller.principal, callKey, outcome: outcomeOf(call, result, tools), canWithhold }
  const added = admittedLabel(snapshot.policy, admission, evidence)
  const content = await settle(call, admission, evidence, seen === undefined)
  const text = await passedText(call, content, { from: made.name, call: result.callId, words: () => result.text })
  const read = text === undefined ? added : freshState(snapshot.policy).label
  if (text === undefined) notePresented(call, { subject: tools[0].name, label: added, digest })
  if (before !== undefined && sameLabel(before, read)) return text
  const expires = services.clock.now() + snapshot.settings.turns.session_idle_ms
  await services.state.change('label', key, (earlier) => {
    const joined = earlier === undefined ? read : join(read, labelFromRecord(earlier, snapshot.policy))
    return { value: labelRecord(joined, snapshot.policy), expires, result: undefined, mayWait: true }
  })
  // Whoever has it all the same and says it again says it under its label.
  if (!isFreeLabel(call, added)) await rememberWords(call, [result.text], added, unrestrictedRuns(call))
  return text
}

/** Settles the effects of the call a result answers, the first time it is shown. Gives what of the result may go on. */
function settle(call: ReadingCall, admission: Admission, evidence: Evidence, isFirst: boolean): MaybePromise<PassedContent> {
  return call.services.sessions.changePolicyState(call.session, (now) => {
    const { state, content } = admit(call.snapshot.policy, now, admission, evidence)
    const changes = isFirst && state.effects !== now.effects
    return [changes ? { ...now, effects: state.effects } : now, content]
  })
}

/** What the sub-agents of a session have read. */
async function labelOfAgents({ services, snapshot, session }: ReadingCall): Promise<Label> {
  let label = freshState(snapshot.policy).label
  for (const id of session.state.children) {
    const child = await services.sessions.find(id, snapshot.policy, snapshot.settings.turns.session_idle_ms)
    if (child !== undefined) label = join(label, child.policyState.label)
  }
  return label
}

/** The tools a call in the history may have been a call of, and the key its effects are reserved under. What was released counts, not what the client says of it. */
async function meaningOf(
  call: ReadingCall,
  { view, entry }: Made,
): Promise<{ readonly tools: CallMeaning['tools']; readonly callKey: string }> {
  const place = await call.services.state.get('answer', entry.place)
  const callKey = place === undefined ? reservedKey(call.session.policyState, view.id) : `${place.modelCall}:${view.id}`
  const [first, ...others] = place?.through?.[view.id] ?? []
  if (first === undefined) return { tools: call.meanings.ofCall(view).tools, callKey }
  const [tool, ...more] = [first, ...others].flatMap((name) => call.meanings.ofName(name))
  return { tools: tool === undefined ? call.meanings.ofName(view.name) : [tool, ...more], callKey }
}

/** The newest reservation for a call of this id; the id itself when nothing is reserved for it. */
function reservedKey({ effects }: PolicyState, callId: string): string {
  const keys = [...Object.keys(effects.reserved), ...(effects.ended ?? [])]
  // `mc_…:<id>`: an id may itself have a colon.
  return keys.findLast((key) => key.slice(key.indexOf(':') + 1) === callId) ?? callId
}

/**
 * Whether a result tells that its tool did what it was asked: as its contract says how success is recognised, else as the
 * dialect can say. Of a tool of ours only the place where it ran can tell.
 */
function outcomeOf({ snapshot }: ReadingCall, result: ToolResultView, tools: readonly ToolSubject[]): 'done' | 'possible' | 'failed' {
  if (tools.some(({ server }) => server !== 'client')) return result.isError === true ? 'failed' : 'possible'
  const said = tools.map((tool) => snapshot.policy.contractOf(tool.name)?.succeeded?.(result)).find((one) => one === true || one === false)
  if (said !== undefined) return said === true ? 'done' : 'failed'
  if (result.isError === undefined) return 'possible'
  return result.isError ? 'failed' : 'done'
}

/** Content nobody here can account for. */
export function admitStranger(call: ReadingCall, subject: string, digest: string): void {
  notePresented(call, { subject, label: unknownLabel(call.snapshot.policy, call.caller.principal), digest })
}

function joinLabel(call: ReadingCall, subject: string, label: Label, text = ''): void {
  if (!isFreeLabel(call, label)) notePresented(call, { subject, label, digest: sha256(text) })
}
