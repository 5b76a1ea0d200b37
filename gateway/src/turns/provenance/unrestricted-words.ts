/**
 * The words of a conversation that nothing restricts: what its person and its operator wrote, and results whose contracts
 * restrict nothing. A model that repeats them says nothing of what it has read besides.
 */
import { resultLabel } from '../../policy/admit.ts'
import type { MessageView, ToolCallView } from '../../wire/dialect.ts'
import type { ReadingCall } from '../call.ts'
import { isFreeLabel } from './words-of-call.ts'

/** Runs that are looked at; beyond them a model's own words may be taken for restricted ones although they are not. */
const mostRuns = 400_000

/** Once a call: its history does not change. */
const runsOfCalls = new WeakMap<ReadingCall, ReadonlySet<number>>()

/** Runs of words of one message, kept with its view, which a long conversation has in common from call to call. */
const runsOfViews = new WeakMap<MessageView, { readonly principal: string; readonly runs: readonly number[] }>()

/** The runs of words that stand in what nothing restricts. */
export function unrestrictedRuns(call: ReadingCall): ReadonlySet<number> {
  const known = runsOfCalls.get(call)
  if (known !== undefined) return known
  const found = new Set<number>()
  const calls = new Map<string, ToolCallView>()
  for (const message of call.view.messages) {
    for (const made of message.calls) calls.set(made.id, made)
    if (message.role === 'assistant' || found.size > mostRuns || isRestricted(call, message, calls)) continue
    for (const run of runsOf(call, message)) found.add(run)
  }
  runsOfCalls.set(call, found)
  return found
}

function isRestricted(call: ReadingCall, message: MessageView, calls: ReadonlyMap<string, ToolCallView>): boolean {
  return message.results.some(({ callId }) => {
    const made = calls.get(callId)
    return (
      made === undefined || !isFreeLabel(call, resultLabel(call.snapshot.policy, call.meanings.ofCall(made).tools, call.caller.principal))
    )
  })
}

function runsOf({ services, caller }: ReadingCall, message: MessageView): readonly number[] {
  const principal = caller.principal.id
  const known = runsOfViews.get(message)
  if (known?.principal === principal) return known.runs
  const runs = services.words.runs(principal, [message.text, ...message.results.map(({ text }) => text)].join('\n'))
  runsOfViews.set(message, { principal, runs })
  return runs
}
