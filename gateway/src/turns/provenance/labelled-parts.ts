/**
 * The parts of a conversation as sources of values: whose words each is, its normal form, and its own label. Both are made only
 * when somebody looks for a value; the form is kept with the view, which a long conversation has in common from call to call.
 */
import { isObject, type JsonValue } from '../../core/json.ts'
import type { ValueSource } from '../../policy/evidence.ts'
import { join } from '../../policy/label.ts'
import type { Label } from '../../policy/types.ts'
import { normalText, seam, type NormalText } from '../../policy/values/normal-text.ts'
import type { SoughtValue } from '../../policy/values/sought-value.ts'
import { assistantLabel, CallsBefore, deliveredLabel, labelOfResult, type Made } from '../deciding/labels-of-history.ts'
import type { ProposingCall } from '../call.ts'
import { labelOfRead } from '../context/label-of-read.ts'
import type { HistoryEntry } from '../sessions/history.ts'
import { freshState } from '../sessions/fresh-state.ts'
import { labelOfWords, textsIn } from './words-of-call.ts'

export interface LabelledPart {
  readonly kind: ValueSource['kind']
  readonly text: NormalText
  /** The label of what is found there. */
  readonly label: (value: SoughtValue) => Promise<Label>
}

/** Most characters of a conversation that are looked through; what is beyond them is no source. */
const mostSearched = 16_000_000
/** Sessions that a fork is followed through, up to where the person began it. */
const mostForks = 32
/** A longer result is read as text, whatever it is. */
const longestJson = 4_000_000

/** What a person and an operator wrote first, then what tools returned and models said, newest first. */
export async function* labelledParts(call: ProposingCall): AsyncGenerator<LabelledPart> {
  const { view, history = [] } = call
  if (view === undefined) return
  const budget = { left: mostSearched }
  const ofPerson = await isPersons(call)
  // The configuration's own words: nobody who calls can have written them.
  const { prepend = [], append = [] } = call.added?.messages ?? {}
  for (const message of [...prepend, ...append])
    if (spend(budget, message.text))
      yield { kind: 'operator', text: formOf(message, message.text), label: () => Promise.resolve(free(call)) }
  for (const message of view.messages) {
    const isOperator = message.role === 'system'
    if (!isOperator && !(message.fromUser && ofPerson)) continue
    const text = isOperator ? withoutValues(call, message.text) : (call.client?.typed?.(message.text) ?? message.text)
    const label = async () => (await labelOfWords(call, () => message.text, isOperator)) ?? free(call)
    if (spend(budget, text)) yield { kind: isOperator ? 'operator' : 'principal', text: formOf(message, text), label }
  }
  // What a caller puts into a template stays the caller's, whatever stands around it.
  for (const value of call.templated?.values ?? []) {
    const label = async () => (await labelOfWords(call, () => value)) ?? free(call)
    if (ofPerson && spend(budget, value)) yield { kind: 'principal', text: normalText(value), label }
  }
  // What was looked up for the model is a result, whoever asked for it.
  for (const read of call.context?.reads ?? [])
    if (spend(budget, read.text)) yield { kind: 'result', text: formOf(read, read.text, leavesOf), label: () => labelOfRead(call, read) }
  const calls = new CallsBefore(history)
  const made = history.map((entry, index) => entry.message.results.map(({ callId }) => calls.find(index, callId)))
  for (let index = history.length - 1; index >= 0; index -= 1)
    yield* partsOf(call, history[index] as HistoryEntry, made[index] ?? [], budget)
}

/** An operator's words without what its callers have put into them. */
function withoutValues({ templated }: ProposingCall, text: string): string {
  return (templated?.values ?? []).reduce((rest, value) => (value === '' ? rest : rest.replaceAll(value, seam)), text)
}

async function* partsOf(
  call: ProposingCall,
  entry: HistoryEntry,
  made: readonly (Made | undefined)[],
  budget: { left: number },
): AsyncGenerator<LabelledPart> {
  const { message } = entry
  if (message.role === 'assistant') {
    const text = [message.text, ...message.calls.flatMap(({ args }) => textsIn(args))].join(seam)
    if (spend(budget, text)) yield { kind: 'model', text: formOf(message, text), label: () => assistantLabel(call, entry) }
    return
  }
  for (const [position, result] of message.results.entries()) {
    if (!spend(budget, result.text)) return
    const by = made[position]
    yield {
      kind: 'result',
      text: formOf(result, result.text, leavesOf),
      async label(value) {
        const label = await labelOfResult(call, result, by)
        if (by === undefined) return label
        // Many tools say back what they were asked: that is no word of theirs. Nor is what answers a call nobody made here.
        const isEcho = (value.isSaidBackFrom ?? value.isIn)(normalText(textsIn(by.view.args).join(seam)))
        if (!isEcho && (await deliveredLabel(call, by.entry)) !== undefined) return label
        return join(label, await assistantLabel(call, by.entry))
      },
    }
  }
}

/** Whether its user messages are a person's: those of an agent's conversation are written by the model that started it. */
async function isPersons({ services, snapshot, session }: ProposingCall): Promise<boolean> {
  let { state } = session
  for (let forks = 0; forks < mostForks; forks += 1) {
    if (state.parent === null) return true
    if (state.source !== 'fork') return false
    const parent = await services.sessions.find(state.parent, snapshot.policy, snapshot.settings.turns.session_idle_ms)
    if (parent === undefined) return false
    state = parent.state
  }
  return false
}

function free({ snapshot }: ProposingCall): Label {
  return freshState(snapshot.policy).label
}

function spend(budget: { left: number }, text: string): boolean {
  budget.left -= text.length
  return text !== '' && budget.left >= 0
}

const forms = new WeakMap<object, { readonly of: string; readonly form: NormalText }>()

/** `read`: what of the text is searched. */
function formOf(view: object, text: string, read: (text: string) => string = (all) => all): NormalText {
  const known = forms.get(view)
  if (known?.of === text) return known.form
  const form = normalText(read(text))
  forms.set(view, { of: text, form })
  return form
}

/** The leaves and names of a result that is JSON, each by itself; another result as it is. */
export function leavesOf(text: string): string {
  if (text.length > longestJson || !/^\s*[[{]/.test(text)) return text
  try {
    const found: string[] = []
    collect(JSON.parse(text) as JsonValue, 64, found)
    return found.join(seam)
  } catch {
    return text
  }
}

function collect(value: JsonValue, depth: number, found: string[]): void {
  if (depth === 0 || value === null) return
  if (Array.isArray(value)) for (const item of value) collect(item, depth - 1, found)
  else if (isObject(value)) {
    for (const [name, item] of Object.entries(value)) {
      found.push(name)
      collect(item, depth - 1, found)
    }
  } else found.push(String(value))
}
