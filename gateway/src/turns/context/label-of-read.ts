/** The label of what a retriever has found. */
import { resultLabel } from '../../policy/admit.ts'
import { join, labelFromRecord } from '../../policy/label.ts'
import type { Label } from '../../policy/types.ts'
import type { AttachedCall } from '../call.ts'
import { resultKey } from '../deciding/labels-of-history.ts'
import { type ContextRead, subjectOf } from './context-of-call.ts'

/** What its passages add to a label: what its contract says now, and what they were read with. */
export async function labelOfRead(call: AttachedCall, { source, tool, callId, digest }: ContextRead): Promise<Label> {
  const { services, snapshot, caller } = call
  const label = resultLabel(snapshot.policy, [subjectOf(source)], caller.principal)
  const read = await services.state.get('label', resultKey(caller.principal.id, tool, callId, digest))
  return read === undefined ? label : join(label, labelFromRecord(read, snapshot.policy))
}
