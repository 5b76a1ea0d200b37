/**
 * Where the values of a call come from: what the engine is told of it (`Evidence.values`). Looked up only for what a contract
 * asks for and the session itself is not trusted enough for, which is nearly never; then in the conversation as it is presented,
 * in what is remembered of earlier results, and among what a person has vouched for.
 */
import type { JsonObject } from '../../core/json.ts'
import { labelFromRecord, labelRecord } from '../../policy/label.ts'
import { clientRun, type Label, type Policy, type ToolSubject } from '../../policy/types.ts'
import type { TicketValues } from '../../state/state-values.ts'
import type { AttachedCall, ProposingCall } from '../call.ts'
import { isEndorsed } from './endorsed-values.ts'
import { labelledParts } from './labelled-parts.ts'
import { namedRecords } from './named-records.ts'
import { rememberedLabels } from './remembered-values.ts'
import { addRecord, isSettled, recordKinds, type Sought, soughtIn, traced, type TracedValues } from './sought-in-call.ts'
import { printOf } from './value-prints.ts'

/**
 * The sources of the values of a proposed call, in the conversation it was proposed in. `forms`: its arguments as they were
 * written, and as they are once what handles stand for is in place.
 */
export async function traceProposal(
  call: ProposingCall,
  tools: readonly ToolSubject[],
  forms: readonly JsonObject[],
  policy: Policy = call.snapshot.policy,
): Promise<TracedValues> {
  const { label } = call.session.policyState
  // What one of our servers runs is decided again when it comes there, and what was read by then is not known now.
  const mayNarrow = tools.some(({ server }) => server !== clientRun) || forms.length > 1
  const sought = soughtIn({ policy, principal: call.caller.principal }, tools, forms, mayNarrow ? { ...label, trust: 0 } : label)
  if (sought.size === 0) return undefined
  await findKept(call, sought)
  await findRecords(call, sought)
  for await (const part of labelledParts(call)) {
    const open = [...sought.values()].filter((one) => !isSettled(one))
    if (open.length === 0) break
    for (const one of open) if (one.value.isIn(part.text)) one.found.push({ kind: part.kind, label: await part.label(one.value) })
  }
  return traced(sought)
}

/** The sources of the values of a call at the MCP endpoint: those of its proposal, and what is kept of its session. */
export async function traceToolCall(
  call: AttachedCall,
  tool: ToolSubject,
  forms: readonly JsonObject[],
  label: Label,
  proposed: TicketValues | undefined,
  policy: Policy = call.snapshot.policy,
): Promise<TracedValues> {
  const sought = soughtIn({ policy, principal: call.caller.principal }, [tool], forms, label)
  if (sought.size === 0) return undefined
  if (proposed !== undefined) {
    for (const [text, { found }] of sought) {
      const sources = proposed[printOf(call.services.secret, call.session.id, text)] ?? []
      for (const { label, ...source } of sources) found.push({ ...source, label: labelFromRecord(label, call.snapshot.policy) })
    }
  }
  await findKept(call, sought)
  return traced(sought)
}

/** The findings on a proposed call as its ticket keeps them. */
export function ticketValues({ services, session, snapshot }: AttachedCall, values: TracedValues): TicketValues | undefined {
  const entries = [...(values ?? [])].filter(([, sources]) => sources.length > 0)
  if (entries.length === 0) return undefined
  return Object.fromEntries(
    entries.map(([text, sources]) => [
      printOf(services.secret, session.id, text),
      sources.map((source) => ({ ...source, label: labelRecord(source.label, snapshot.policy) })),
    ]),
  )
}

/** What was kept of the session: values of earlier results, and those that somebody vouched for. */
async function findKept(call: AttachedCall, sought: ReadonlyMap<string, Sought>): Promise<void> {
  for (const [text, { found, isReference }] of sought) {
    if (await isEndorsed(call, text)) found.push({ kind: 'endorsed', label: call.session.policyState.label })
    // What was kept may have been said back from several arguments, which shows in none of them.
    if (isReference) continue
    for (const label of await rememberedLabels(call, text)) found.push({ kind: 'result', label })
  }
}

/** Ids of records that the person named, for arguments that are such an id. */
async function findRecords(call: ProposingCall, sought: ReadonlyMap<string, Sought>): Promise<void> {
  const kinds = recordKinds(sought.values())
  if (kinds.size === 0) return
  for (const record of await namedRecords(call, kinds)) addRecord(sought.values(), record)
}
