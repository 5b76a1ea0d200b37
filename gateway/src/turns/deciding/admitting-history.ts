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
import type { Label, ToolSubject } from '../../policy/types.ts'
import { whenRead, type MaybePromise } from '../../state/state-store.ts'
import type { CallContents } from '../../state/state-values.ts'
import type { JsonObject, ToolResultView } from '../../wire/dialect.ts'
import type { ModelCall, ReadingCall } from '../call.ts'
import type { CallMeaning } from '../naming/call-meaning.ts'
import { shortPieces } from '../provenance/short-pieces.ts'
import { unrestrictedRuns } from '../provenance/unrestricted-words.ts'
import { isFreeLabel, labelOfWords, rememberWords } from '../provenance/words-of-call.ts'
import { labelOfRemembered } from '../remembering/remembered-labels.ts'
import { freshState } from '../sessions/fresh-state.ts'
import { agentToolsOf } from '../sessions/clients/clients.ts'
import type { HistoryEntry } from '../sessions/history.ts'
import {
  CallsBefore,
  deliveredKey,
  digestOfAssistant,
  labelOfAgents,
  type Made,
  meaningOf,
  refusalKey,
  resultKey,
} from './labels-of-history.ts'
import { notePlace, notePresented } from './narrowing-when-sent.ts'
import { handledArguments } from '../quarantine/handles-in-arguments.ts'
import { labelOfRepeated } from '../quarantine/repeated-contents.ts'
import { type TakenOut, takeContentsOut } from '../quarantine/taking-contents-out.ts'
import { answersBeside } from '../quarantine/answers-beside.ts'
import type { Questioned } from '../quarantine/questioner.ts'
import { questionedInHistory } from '../quarantine/questioning-in-history.ts'
import { type StandingHandle, standingHandle, standsFor, withheldResult } from '../quarantine/withheld-results.ts'
import { withKeepAlive } from '../answering/keeping-alive.ts'
import { passedHandle } from './passing-content.ts'

export async function admitHistory(call: ModelCall): Promise<void> {
  const { history, firstNew } = call
  notePlace(call)
  const mayHaveHandles = call.session.state.hasWithheld || call.snapshot.settings.quarantine !== undefined
  // First of all: the model reads what it wrote, and not what its client was given for it.
  const taken = mayHaveHandles ? await takeContentsOut(call) : nothingTaken
  if (mayHaveHandles) await withholdAgain(call)
  for (const [entry, { isDoubtful }] of taken) if (isDoubtful === true) await admitAssistant(call, entry)
  for (const message of call.view.messages) {
    // A client may put a summary, or a note of its own, into the instructions. They come with every call.
    const repeated = message.role === 'system' ? admitWords(call, message.text, true) : undefined
    if (repeated instanceof Promise) await repeated
  }
  const calls = new CallsBefore(history)
  for (let index = firstNew; index < history.length; index += 1) {
    const entry = history[index] as HistoryEntry
    const { message } = entry
    const admitted = message.role === 'assistant' ? admitAnswer(call, entry, taken.get(entry)) : undefined
    if (admitted instanceof Promise) await admitted
    const repeated = message.fromUser ? admitWords(call, message.text, false) : undefined
    if (repeated instanceof Promise) await repeated
    for (const [position, result] of message.results.entries()) {
      const made = calls.find(index, result.callId)
      const text = await admitResult(call, result, made, made === undefined ? undefined : taken.get(made.entry)?.calls[made.view.id])
      if (text !== undefined && text !== result.text) replaceResult(call, message.index, position, text)
    }
  }
  for (const words of piecesOfUser(history, firstNew)) {
    const repeated = admitWords(call, words, false)
    if (repeated instanceof Promise) await repeated
  }
}

/** What a client has pasted as many small messages. */
function piecesOfUser(history: readonly HistoryEntry[], firstNew: number): readonly string[] {
  if (history.length - firstNew < 2) return []
  return shortPieces(history.slice(firstNew).flatMap(({ message }) => (message.fromUser ? [message.text] : [])))
}

const nothingTaken: ReadonlyMap<HistoryEntry, TakenOut> = new Map()

/** A message whose contents were taken out again has not brought them. */
function admitAnswer(call: ReadingCall, entry: HistoryEntry, taken: TakenOut | undefined): MaybePromise<void> {
  return taken === undefined || taken.isDoubtful === true ? admitAssistant(call, entry) : joinLabel(call, 'an earlier answer', taken.label)
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
      const standing = await standingHandle(call, text)
      const stands =
        standing === undefined
          ? await standsFor(call, { from: made.view.name, call: callId, digest: sha256(text), bytes: Buffer.byteLength(text) })
          : standing.text + standing.beside
      if (stands !== undefined && stands !== text) replaceResult(call, message.index, position, stands)
    }
  }
}

function replaceResult(call: ModelCall, index: number, position: number, text: string): void {
  call.dialect.edit.replaceResult(call.body.json, index, position, text)
  call.bytes = undefined
}

/** What words repeat that were said or returned under a restricted label. */
export function admitWords(call: ReadingCall, text: string, comesAgain: boolean): MaybePromise<void> {
  return whenRead(
    labelOfWords(call, () => text, comesAgain),
    (label) => (label === undefined ? undefined : joinLabel(call, 'words of an earlier conversation', label, text)),
  )
}

/** What an assistant has said, or is said to have. */
export function admitAssistant(call: ReadingCall, entry: Pick<HistoryEntry, 'digest' | 'message'>): MaybePromise<void> {
  const digest = digestOfAssistant(call, entry)
  if (digest === undefined) return
  const { policy, settings } = call.snapshot
  return whenRead(call.services.state.get('label', deliveredKey(call.caller.principal.id, digest)), (delivered) => {
    if (delivered !== undefined) return joinLabel(call, 'an earlier answer', labelFromRecord(delivered, policy))
    if (settings.turns.unknown_history !== 'accept') return admitStranger(call, 'unknown history', digest)
  })
}

/** Resolves with what stands in the place of the result, where it may not go on as it is. */
async function admitResult(
  call: ModelCall,
  result: ToolResultView,
  made: Made | undefined,
  contents: CallContents | undefined,
): Promise<string | undefined> {
  if (made !== undefined) {
    const handled = contents === undefined ? undefined : await handledArguments(call, contents.args as JsonObject)
    const repeated = labelOfRepeated(handled, () => result.text)
    const questioned = (): Questioned | undefined => questionedInHistory(call, made)
    const meaning = await meaningOf(call, made)
    const args = handled?.form === 'put in place' ? handled.args : meaning.args
    return withKeepAlive(call, () =>
      admitAnswered(call, result, { name: made.view.name, canWithhold: true, questioned, repeated, ...meaning, args }),
    )
  }
  admitStranger(call, 'unknown tool call', sha256(result.text))
  return undefined
}

/** A call that was made: the name it was made by, the tools it may mean, and the key its effects are reserved under. */
export interface AnsweredCall {
  readonly name: string
  readonly tools: CallMeaning['tools']
  readonly callKey: string
  /** The arguments it ran with; undefined where they cannot be read. */
  readonly args: JsonObject | undefined
  /** Whether something else can stand in the place of its result. */
  readonly canWithhold?: boolean
  /** What whoever asks about it, where it is withheld, is told; undefined where nobody asks by himself. */
  readonly questioned?: () => Questioned | undefined
  /** The label of what was put into its arguments, where its result repeats it. */
  readonly repeated?: Label | undefined
}

/** Admits the result of a call that is known. Resolves with what stands in its place, where it may not go on as it is. */
export async function admitAnswered(call: ReadingCall, result: ToolResultView, made: AnsweredCall): Promise<string | undefined> {
  const { services, snapshot, caller } = call
  const digest = sha256(result.text)
  const { tools, callKey } = made
  // What stands for a result of this conversation says nothing of it but what was answered.
  const standing = await standingHandle(call, result.text)
  if (standing !== undefined) return withAnswers(call, standing, made.questioned?.())
  // The gateway's own words about a call that never ran: nothing was read.
  if ((await services.state.get('label', refusalKey(caller.principal.id, callKey, digest))) !== undefined) return undefined
  const key = resultKey(caller.principal.id, made.name, result.callId, digest)
  const seen = await services.state.get('label', key)
  // What it means is asked again each time: a contract may have been tightened since. What it meant stays.
  const before = seen === undefined ? undefined : labelFromRecord(seen, snapshot.policy)
  const words = await labelOfWords(call, () => result.text)
  const agents = agentToolsOf(call.client).has(made.name) ? await labelOfAgents(call) : undefined
  // What was kept until it was shown first; what has been written since was not in it.
  const kept = seen === undefined ? await labelOfRemembered(call, tools, made.args) : undefined
  const evidence = comesFrom(before, words, agents, made.repeated, kept)
  const { canWithhold = false } = made
  const admission = { tools, principal: caller.principal, callKey, outcome: outcomeOf(call, result, tools), canWithhold }
  const added = admittedLabel(snapshot.policy, admission, evidence)
  const content = await settle(call, admission, evidence, seen === undefined)
  const handle = await passedHandle(call, content, { from: made.name, call: result.callId, words: () => result.text })
  const text = handle === undefined ? undefined : await withAnswers(call, handle, made.questioned?.())
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

/** What the model reads where a handle stands: with what was answered about it, which has been read then. */
async function withAnswers(call: ReadingCall, { id, text, beside }: StandingHandle, questioned: Questioned | undefined): Promise<string> {
  const said = questioned === undefined ? beside : await answersBeside(call, id, questioned)
  const result = said === '' ? undefined : await withheldResult(call, id)
  if (result !== undefined) notePresented(call, { subject: `answers about ${result.from}`, label: result.answers, digest: result.digest })
  return text + said
}

/** Settles the effects of the call a result answers, the first time it is shown. Gives what of the result may go on. */
function settle(call: ReadingCall, admission: Admission, evidence: Evidence, isFirst: boolean): MaybePromise<PassedContent> {
  return call.services.sessions.changePolicyState(call.session, (now) => {
    const { state, content } = admit(call.snapshot.policy, now, admission, evidence)
    const changes = isFirst && state.effects !== now.effects
    return [changes ? { ...now, effects: state.effects } : now, content]
  })
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
