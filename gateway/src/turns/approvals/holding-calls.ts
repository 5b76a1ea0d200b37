/**
 * Calls that wait for a person, on both floors: asked about once, held while their caller may be expected to wait, and decided
 * again with what was ruled. What is still open then is told to the model, and runs later without being asked about again.
 */
import type { DecisionRecord } from '@turnward/contract/decision'
import { Cancellation, type CancelSignal } from '../../core/cancellation.ts'
import { TurnwardError } from '../../core/error.ts'
import { digestJson } from '../../core/hash.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Ruling } from '../../policy/evidence.ts'
import { isReleased } from '../../policy/decide.ts'
import { labelRecord } from '../../policy/label.ts'
import type { Label, Verdict } from '../../policy/types.ts'
import type { AttachedCall } from '../call.ts'
import type { Approval, ApprovalFacts } from './approval.ts'
import { approvalNote, type CallQuestion, type Claim, type Known } from './approvals.ts'
import { callStateOf } from '../state-of-call.ts'
import { waitingNotice } from './waiting-words.ts'

/** A call that is held by its decision. */
export interface HeldCall {
  readonly tool: string
  readonly calledAs?: string | undefined
  readonly args: JsonObject
  /** The same with what handles in them stand for in place, where there are any. */
  readonly contents?: JsonObject | undefined
  /** Texts in it that a person may vouch for. */
  readonly values?: readonly string[] | undefined
  /** Of the definition of the tool; null for one that is not ours. */
  readonly toolDigest: string | null
  readonly toolCallId: string
  readonly callKey: string
  readonly gateway: string | null
  readonly decidedOn: Label
  readonly step: CallQuestion['step']
  readonly goesOn: boolean
  readonly isSame: CallQuestion['isSame']
  readonly verdict: Verdict
  /** Decides again with what people ruled, and reserves what the call does when it is let go. */
  readonly again: (rulings: readonly Ruling[]) => Promise<Verdict>
}

/** A call after that. */
export interface RuledCall {
  readonly verdict: Verdict
  /** For its record. */
  readonly approval?: NonNullable<DecisionRecord['approval']>
  /** The approval it runs on: to be given back when it does not run after all. */
  readonly claim?: Claim
  /** What it waits for still, and what the model is told of that. */
  readonly waiting?: { readonly approval: Approval; readonly notice: string }
}

/** Approvals that a request has waited for: it does not wait for them again. */
const waitedFor = new WeakMap<object, Set<string>>()

/** Longest list of approvals that a session is told of. */
const mostUntold = 32

/** Rules on held calls, all of them waiting at the same time. `onWait`: is told which approvals are waited for. */
export async function ruleOnHeld(
  call: AttachedCall & { readonly origin?: { readonly signal: CancelSignal } },
  held: readonly HeldCall[],
  {
    signal = call.origin?.signal ?? new Cancellation(),
    onWait,
  }: { readonly signal?: CancelSignal; readonly onWait?: (approvals: readonly Approval[]) => void } = {},
): Promise<readonly RuledCall[]> {
  const { approvals } = call.services
  const first: (Known | RuledCall)[] = []
  for (const one of held) first.push(await lookOrAsk(call, one))
  const waits = first.flatMap((known) => ('state' in known && known.state === 'pending' ? [known.approval] : []))
  const before = waitedFor.get(call) ?? new Set<string>()
  const fresh = waits.filter(({ id }) => !before.has(id))
  if (fresh.length > 0) {
    waitedFor.set(call, new Set([...before, ...fresh.map(({ id }) => id)]))
    onWait?.(fresh)
    await approvals.wait(
      fresh.map(({ id }) => id),
      call.snapshot.settings.approvals.hold_ms,
      signal,
    )
    // That has taken long: what is decided again is decided on the conversation as it is then.
    callStateOf(call.services)?.doubt()
  }
  const ruled: RuledCall[] = []
  for (const [index, one] of held.entries()) {
    const known = first[index]
    if (known === undefined) continue
    if (!('state' in known)) ruled.push(known)
    // Nobody is there any more to run it.
    else if (known.state !== 'pending' || signal.aborted) ruled.push(await settled(call, one, known))
    else ruled.push(await settled(call, one, await approvals.claim(questionOf(call, one))))
  }
  return ruled
}

/** What is known of it; somebody is asked where nothing is. */
export async function lookOrAsk(call: AttachedCall, held: HeldCall): Promise<Known | RuledCall> {
  const { approvals } = call.services
  const known = await approvals.claim(questionOf(call, held))
  if (known.state !== 'none') return known
  try {
    const approval = await approvals.ask(factsOf(call, held))
    await noteUntold(call, approval.id)
    return { state: 'pending', approval }
  } catch (error) {
    if (!(error instanceof TurnwardError) || (error.code !== 'approval.too_many' && error.code !== 'approval.too_large')) throw error
    return { verdict: unasked(held.verdict, error) }
  }
}

async function settled(call: AttachedCall, held: HeldCall, known: Known): Promise<RuledCall> {
  if (known.state === 'approved') {
    const { claim } = known
    const verdict = await held.again(rulingsOf(held, 'approve', claim.approval))
    if (isReleased(verdict) || verdict.action === 'answer') return { verdict, claim, approval: approvalNote(claim.approval, 'used') }
    // Something else has come to be missing meanwhile: nobody has used it.
    await claim.giveBack()
    return { verdict }
  }
  if (known.state === 'denied') {
    const verdict = await held.again(rulingsOf(held, 'refuse', known.approval))
    return { verdict, approval: approvalNote(known.approval, 'denied') }
  }
  // What was pending and is nothing any more has expired.
  if (known.state === 'none') return { verdict: unasked(held.verdict, new TurnwardError('approval.over', { why: 'nobody ruled in time' })) }
  const { approval } = known
  return {
    verdict: held.verdict,
    approval: approvalNote(approval, 'asked'),
    waiting: { approval, notice: waitingNotice(approval, call.services.approvalLink(approval.id)) },
  }
}

/** What was ruled holds for the call as it was written, and as it runs. */
function rulingsOf({ callKey, args, contents }: HeldCall, ruling: Ruling['ruling'], { rulings }: Approval): readonly Ruling[] {
  const reason = rulings.findLast((one) => one.ruling === 'deny')?.reason
  const by = rulings
    .filter((one) => (one.ruling === 'approve') === (ruling === 'approve'))
    .map((one) => one.by)
    .join(', ')
  return [args, ...(contents === undefined ? [] : [contents])].map((one) => ({
    ruling,
    by,
    reason,
    callKey,
    argumentsDigest: digestJson(one),
  }))
}

/** Nobody could be asked: refused, with why. */
function unasked(verdict: Verdict, { code, message }: TurnwardError): Verdict {
  const detail = code === 'approval.over' ? 'nobody ruled on this call in time' : message.replace(/\.$/, '')
  return {
    ...verdict,
    action: 'refuse',
    awaits: undefined,
    gaps: [...verdict.gaps, { kind: 'approval', detail, source: 'approvals' }],
    remedies: [],
    rules: [...verdict.rules, 'approvals'],
    reason: `${verdict.reason} ${detail.charAt(0).toUpperCase()}${detail.slice(1)}.`,
  }
}

function questionOf(call: AttachedCall, held: HeldCall): CallQuestion {
  const { callKey, step, goesOn, isSame } = held
  return { facts: factsOf(call, held), callKey, step, goesOn, isSame }
}

function factsOf({ caller, session, turn, modelCall, snapshot }: AttachedCall, held: HeldCall): Omit<ApprovalFacts, 'nonce'> {
  const { tool, calledAs, args, contents, values = [], toolDigest, toolCallId, gateway, decidedOn, verdict } = held
  const { principal, actor, consumer, key } = caller
  return {
    tool,
    ...(calledAs === undefined ? {} : { calledAs: calledAs.slice(0, 128) }),
    args,
    ...(contents === undefined ? {} : { contents }),
    ...(values.length === 0 ? {} : { values }),
    argumentsDigest: digestJson(args),
    toolDigest,
    principal: principal.id,
    groups: principal.groups,
    actor,
    consumer,
    key,
    session: session.id,
    turn,
    modelCall,
    toolCallId,
    gateway,
    reason: verdict.reason,
    terms: verdict.awaits ?? [],
    label: labelRecord(decidedOn, snapshot.policy),
    revision: snapshot.revision,
  }
}

/** The conversation is told of the ruling when it is made. */
async function noteUntold({ services, session }: AttachedCall, id: string): Promise<void> {
  await services.sessions.change(session, (state) =>
    state.approvals.includes(id) ? [state, undefined] : [{ ...state, approvals: [...state.approvals, id].slice(-mostUntold) }, undefined],
  )
}
