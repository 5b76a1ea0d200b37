/**
 * The verdict on each call a model proposed, in the order it made them. A call that needs a person waits for them, together with the
 * others of its message that do, and is decided again with what they ruled.
 */
import { comesFrom, type Evidence } from '../../policy/evidence.ts'
import { isReleased } from '../../policy/decide.ts'
import { reserve } from '../../policy/effects.ts'
import type { Label, Policy, PolicyState, Verdict } from '../../policy/types.ts'
import type { ToolCallView } from '../../wire/dialect.ts'
import { type HeldCall, type RuledCall, ruleOnHeld } from '../approvals/holding-calls.ts'
import type { ProposingCall } from '../call.ts'
import type { CallMeaning } from '../naming/call-meaning.ts'
import { decideAll } from '../naming/judging-meaning.ts'
import { valuesToEndorse } from '../provenance/endorsed-values.ts'
import { cappedProposal } from '../limiting/capped-calls.ts'
import { traceProposal } from '../provenance/tracing-values.ts'
import type { TracedValues } from '../provenance/sought-in-call.ts'
import { type HandledArguments, handledArguments } from '../quarantine/handles-in-arguments.ts'
import { handledProposal } from '../quarantine/handles-in-proposals.ts'
import { judgeWithContents } from '../quarantine/judging-contents.ts'
import { stoppedVerdict } from '../stops/stopped-tool.ts'
import type { Proposals } from './deciding-proposals.ts'
import { type Beside, besideOf, differenceOf, type ShadowDifference } from './deciding-beside.ts'
import { misfitArguments } from './misfit-arguments.ts'

interface Made {
  readonly made: ToolCallView
  readonly meaning: CallMeaning
  /** What handles in its arguments stand for, where its client is to get that. */
  readonly handled: HandledArguments | undefined
  /** Why its turn or session may make no more of it. */
  readonly capped: Verdict | undefined
  /** Where values of the call come from: of the one the model wrote, and of the one that runs. */
  readonly values: TracedValues
  /** The draft that is decided beside the policy, if there is one. */
  readonly beside: Beside | undefined
}

/** A call with what was decided on it. */
export interface RuledProposal extends Made, RuledCall {
  /** Of the definition of the tool; undefined for one that is not ours. */
  readonly toolDigest: string | undefined
  /** What the draft would have done, where that is something else. */
  readonly shadow: ShadowDifference
}

export async function ruleOnProposals(call: ProposingCall, { calls, canWrite = true }: Proposals): Promise<readonly RuledProposal[]> {
  const ruled: RuledProposal[] = []
  const held: { readonly at: number; readonly call: HeldCall }[] = []
  for (const made of calls) {
    const meaning = call.meanings.ofCall(made)
    const handled = await handledProposal(call, made, meaning, canWrite)
    // Looked up before, so that the decision is one step; what narrows meanwhile only counts against the call.
    const values = await tracedProposal(call, meaning, handled)
    const beside = await besideOf(call, (policy) => tracedProposal(call, meaning, handled, policy))
    const one: Made = { made, meaning, handled, values, beside, capped: await cappedProposal(call, made.name, meaning) }
    const toolDigest = call.meanings.tool(meaning.tools[0].name)?.digest
    const { verdict, decidedOn, shadow } = await decideOne(call, one)
    if (verdict.action === 'hold') held.push({ at: ruled.length, call: await heldCall(call, one, { toolDigest, verdict, decidedOn }) })
    ruled.push({ ...one, toolDigest, verdict, shadow })
  }
  if (held.length === 0) return ruled
  const rulings = await ruleOnHeld(
    call,
    held.map((one) => one.call),
  )
  for (const [index, { at }] of held.entries()) {
    const proposal = ruled[at]
    const ruling = rulings[index]
    if (proposal !== undefined && ruling !== undefined) ruled[at] = { ...proposal, ...ruling }
  }
  return ruled
}

async function tracedProposal(
  call: ProposingCall,
  { tools, args }: CallMeaning,
  handled: HandledArguments | undefined,
  policy?: Policy,
): Promise<TracedValues> {
  if (args === undefined) return undefined
  return traceProposal(call, tools, handled?.form === 'put in place' ? [args, handled.args] : [args], policy)
}

async function heldCall(
  call: ProposingCall,
  one: Made,
  { toolDigest, verdict, decidedOn }: { readonly toolDigest: string | undefined; readonly verdict: Verdict; readonly decidedOn: Label },
): Promise<HeldCall> {
  const { made, meaning } = one
  const { args = {}, calledAs, tools } = meaning
  // Who rules is shown what runs, also where the endpoint is to put it in place.
  const handled = one.handled ?? (call.session.state.hasWithheld ? await handledArguments(call, args) : undefined)
  return {
    tool: tools[0].name,
    calledAs,
    args,
    contents: handled?.form === 'put in place' ? handled.args : undefined,
    values: valuesToEndorse(call, tools, args, { ...comesFrom(), values: one.values }),
    toolDigest: toolDigest ?? null,
    toolCallId: made.id,
    callKey: callKeyOf(call.modelCall, made.id),
    gateway: null,
    decidedOn,
    // Whoever runs it comes with a ticket for it.
    step: 'used',
    goesOn: false,
    isSame: () => false,
    verdict,
    again: async (rulings) => (await decideOne(call, one, rulings)).verdict,
  }
}

/** Decided and reserved in one step: of two calls that exclude each other, one is refused. */
async function decideOne(
  call: ProposingCall,
  one: Made,
  rulings: Evidence['rulings'] = [],
): Promise<{ readonly verdict: Verdict; readonly decidedOn: Label; readonly shadow: ShadowDifference }> {
  return call.services.sessions.changePolicyState(call.session, (state) => {
    const [next, verdict] = reserved(state, callKeyOf(call.modelCall, one.made.id), rule(call, call.snapshot.policy, state, one, rulings))
    const shadow = differenceOf(call, one.beside, verdict, ({ policy, values }) => rule(call, policy, state, { ...one, values }, rulings))
    return [next, { verdict, decidedOn: state.label, shadow }]
  })
}

function reserved(state: PolicyState, callKey: string, verdict: Verdict): readonly [PolicyState, Verdict] {
  if (!isReleased(verdict) || verdict.effects.length === 0) return [state, verdict]
  return [{ ...state, effects: reserve(state.effects, callKey, verdict.effects) }, verdict]
}

/** Some models number their calls anew in every message: the model call makes the key unique. */
export function callKeyOf(modelCall: string, callId: string): string {
  return `${modelCall}:${callId}`
}

function rule(
  call: ProposingCall,
  policy: Policy,
  state: PolicyState,
  { made, meaning: { tools, args, through }, handled, values, capped }: Made,
  rulings: Evidence['rulings'],
): Verdict {
  const stopped = stoppedVerdict(call, ...tools)
  if (stopped !== undefined) return stopped
  if (capped !== undefined) return capped
  if (args === undefined) return through ? unreadableInnerCall : unreadableArguments
  if (handled?.form === 'unusable') return misfitArguments('handles', handled.why)
  const { caller } = call
  const event = { caller, gateway: null, callKey: callKeyOf(call.modelCall, made.id) }
  const evidence: Evidence = { ...comesFrom(handled?.label), rulings, values }
  return judgeWithContents(args, handled, (read) => decideAll(policy, state, tools, { ...event, args: read }, evidence))
}

// What cannot be read cannot be decided, in every posture.
const unreadableArguments: Verdict = {
  verdict: 'deny',
  action: 'refuse',
  gaps: [{ kind: 'argument', detail: 'the arguments are not one JSON object', source: 'engine' }],
  remedies: [{ kind: 'prerequisite', detail: 'make the call again with its arguments as one JSON object' }],
  rules: ['engine'],
  reason: 'The arguments of the call are not one JSON object.',
  effects: [],
}

const unreadableInnerCall: Verdict = {
  ...unreadableArguments,
  gaps: [{ kind: 'argument', detail: 'the arguments do not name one tool and its arguments', source: 'engine' }],
  remedies: [{ kind: 'prerequisite', detail: 'make the call again with the name of one tool and its arguments as one JSON object' }],
  reason: 'Which tool the call would run cannot be read.',
}
