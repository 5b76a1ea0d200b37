/**
 * What a tool keeps for later carries the label of whoever wrote it: a file, a note, a ticket that a session wrote after it had read
 * something restricted is read back under that label, by whatever session, through the same server and under the same name.
 */
import { asTurnwardError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import { effectiveContract } from '../../policy/contracts.ts'
import { withOrigins } from '../../policy/evidence.ts'
import { join, labelFromRecord, labelRecord } from '../../policy/label.ts'
import { rememberedValues, type Remembers, writtenLabel } from '../../policy/remembered-values.ts'
import { clientRun, type Contract, type Label, type Policy, type ToolSubject, type Verdict } from '../../policy/types.ts'
import type { AttachedCall, DecidedToolCall, ExecutedToolCall } from '../call.ts'
import { subjectOf } from '../deciding/tool-subject.ts'
import type { CallMeaning } from '../naming/call-meaning.ts'
import { isFreeLabel } from '../provenance/words-of-call.ts'
import { handlesIn } from '../quarantine/handle-text.ts'
import type { HandledArguments } from '../quarantine/handles-in-arguments.ts'
import { type Keep, keepOf, readMarks, writtenMarks } from './marks.ts'

type Caller = Pick<AttachedCall, 'services' | 'snapshot' | 'caller'>

/** A tool that remembers, with what a call of it names. */
interface Remembering {
  readonly keep: Keep
  readonly contract: Contract
  readonly remembers: Remembers
  /** Undefined: everything. */
  readonly values: readonly string[] | undefined
}

/** What became of a call. */
interface Decided {
  readonly verdict: Verdict
  /** A person has let it go, whatever its values are. */
  readonly approval?: unknown
}

interface Written {
  readonly args: JsonObject | undefined
  /** What its session has read, and what it may come from besides. */
  readonly label: Label
  readonly decided: Decided
}

/** What may be read back by a call of any of these tools; undefined where nothing restricted was written. */
export async function labelOfRemembered(
  call: Caller,
  tools: readonly ToolSubject[],
  args: JsonObject | undefined,
): Promise<Label | undefined> {
  let label: Label | undefined
  for (const one of remembering(call, tools, args)) {
    const read = await readBack(call, one)
    if (read !== undefined) label = label === undefined ? read : join(label, read)
  }
  return label
}

/**
 * Notes that a call of any of these tools writes under its label, before it can: with what it may have copied from under the names it
 * gives. Rejects with `store.failed` when that cannot be noted.
 */
async function noteWritten(call: AttachedCall, tools: readonly ToolSubject[], { args, label, decided }: Written): Promise<void> {
  const { services, snapshot } = call
  for (const one of remembering(call, tools, args)) {
    const { keep, contract, values, remembers } = one
    if (contract.effects.length === 0) continue
    const read = await readBack(call, one)
    const isSourced = decided.verdict.action === 'release' && decided.approval === undefined
    const own = isSourced && args !== undefined ? writtenLabel(contract, args, label) : label
    const written = read === undefined ? own : join(own, read)
    if (isFreeLabel(call, written)) continue
    const now = services.clock.now()
    await services.store.remembered.add({
      place: keep.place,
      // What changes a folder changes more than anybody names.
      marks: writtenMarks(keep, remembers.below ? undefined : values),
      whole: keep.whole,
      label: JSON.stringify(labelRecord(written, snapshot.policy)),
      now,
      expires: now + snapshot.settings.turns.remembered_ms,
    })
  }
}

/** The same for a call that its client runs itself. What other tools it may mean keep is noted where they run. */
export async function noteClientWrites(
  call: AttachedCall,
  {
    meaning: { tools, args },
    handled,
    ...decided
  }: Decided & { readonly meaning: CallMeaning; readonly handled: HandledArguments | undefined },
): Promise<void> {
  const { label } = call.session.policyState
  await noteWritten(
    call,
    tools.filter(({ server }) => server === clientRun),
    {
      args: args === undefined ? undefined : argumentsThatRun(args, handled),
      label: handled?.form === 'put in place' ? join(label, handled.label) : label,
      decided,
    },
  )
}

/** The same for a call at the endpoint. Where it cannot be noted the call has failed, and does not run. */
export async function noteWrites(call: DecidedToolCall): Promise<ExecutedToolCall | undefined> {
  const { session, evidence, tool } = call
  const now = session.policyState.label
  try {
    await noteWritten(call, [subjectOf(tool)], {
      args: argumentsThatRun(call.request.args, call.handled),
      label: evidence === undefined ? now : withOrigins(now, evidence),
      decided: call,
    })
    return undefined
  } catch (thrown) {
    const failure = asTurnwardError(thrown)
    failure.turn ??= call.turn ?? undefined
    return { ...call, execution: { outcome: 'error', result: {}, failure } }
  }
}

/** What handles stand for names what is written, where it is in their place. */
export function argumentsThatRun(args: JsonObject, handled: HandledArguments | undefined): JsonObject {
  return handled?.form === 'put in place' ? handled.args : args
}

function* remembering(
  { services, snapshot, caller }: Caller,
  tools: readonly ToolSubject[],
  args: JsonObject | undefined,
): Generator<Remembering> {
  for (const tool of tools) {
    const { contract } = effectiveContract(snapshot.policy.contractOf(tool.name), tool)
    const { remembers } = contract
    if (remembers === undefined) continue
    const named = args === undefined ? undefined : rememberedValues(remembers, args)
    // What a handle stands for is another name.
    const values = named?.some((value) => handlesIn({ value }).length > 0) === true ? undefined : named
    yield { keep: keepOf(services.secret, caller, tool.server), contract, remembers, values }
  }
}

async function readBack({ services, snapshot }: Caller, { keep, values, remembers }: Remembering): Promise<Label | undefined> {
  const marks = readMarks(keep, values, remembers.below)
  const records = await services.store.remembered.labels(keep.place, marks, services.clock.now())
  return records.length === 0 ? undefined : records.map((record) => labelOf(record, snapshot.policy)).reduce(join)
}

function labelOf(record: string, policy: Policy): Label {
  return labelFromRecord(JSON.parse(record) as Parameters<typeof labelFromRecord>[0], policy)
}
