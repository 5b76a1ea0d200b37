/**
 * The dynamic tool engine: a tool this principal may not use, or that the label of the session makes
 * unreachable, is taken out of what the model is offered. Never the control by itself: every call is decided
 * again when it is made.
 */
import { reachable } from '../policy/reachable.ts'
import { admit } from '../policy/admit.ts'
import { join, sameLabel } from '../policy/label.ts'
import type { ToolSubject, Verdict } from '../policy/types.ts'
import type { Session } from '../state/sessions.ts'
import { setTopLevel } from '../wire/splice-bytes.ts'
import type { AttachedCall, ModelCall } from './call.ts'
import { toolSubject } from './tool-subject.ts'

interface ShapeCache {
  version: number
  policy: object
  readonly verdicts: Map<string, Verdict>
}

const caches = new WeakMap<Session, ShapeCache>()

/** Whether a tool can be called now, whatever its arguments. Remembered until label, effects or configuration change. */
export function reachableNow(call: AttachedCall, tool: ToolSubject, gateway: string | null): Verdict {
  const { policy } = call.snapshot
  let cache = caches.get(call.session)
  if (cache === undefined || cache.version !== call.session.version || cache.policy !== policy) {
    cache = { version: call.session.version, policy, verdicts: new Map() }
    caches.set(call.session, cache)
  }
  const key = `${gateway ?? ''}|${call.caller.actor ?? ''}|${tool.server}|${tool.name}`
  const known = cache.verdicts.get(key)
  if (known !== undefined) return known
  const verdict = reachable(policy, call.session.policy, tool, call.caller.principal, call.caller.actor, gateway)
  if (cache.verdicts.size < 5000) cache.verdicts.set(key, verdict)
  return verdict
}

/** Whether a tool with this verdict is shown: ungranted tools never are, unreachable ones as `policy.tools.hide` says. */
export function isShown(verdict: Verdict, hide: 'unreachable' | 'never'): boolean {
  if (verdict.action !== 'deny') return true
  return hide === 'never' && !verdict.gaps.some((gap) => gap.kind === 'grant')
}

export function shapeTools(call: ModelCall): void {
  const { hide } = call.snapshot.policy
  const removed = new Set<string>()
  for (const offered of call.view.tools) {
    const tool = toolSubject(call.services.fleet, call.snapshot, offered.name)
    const verdict = reachableNow(call, tool, null)
    // Nobody decides a vendor-run call once the model has started, so it must be allowed outright or leave.
    if (!isShown(verdict, offered.runs === 'vendor' ? 'unreachable' : hide)) removed.add(offered.name)
  }
  if (removed.size > 0) {
    removeFromOffer(call, removed)
    call.hidden = [...removed]
  }
  // What the vendor's own tools read enters the context within the call: its label counts from the start.
  for (const offered of call.view.tools) {
    if (offered.runs !== 'vendor' || removed.has(offered.name)) continue
    const tool = toolSubject(call.services.fleet, call.snapshot, offered.name)
    const admission = { tool, principal: call.caller.principal, callKey: `vendor:${offered.name}`, succeeded: true }
    call.presented = join(call.presented, admit(call.snapshot.policy, { ...call.session.policy, label: call.presented }, admission).label)
    const after = admit(call.snapshot.policy, call.session.policy, admission)
    if (!sameLabel(after.label, call.session.policy.label)) call.services.sessions.update(call.session, { ...call.session.policy, label: after.label })
  }
}

/** Fields of a request that taking tools away may change. */
const toolFields = ['tools', 'tool_choice', 'parallel_tool_calls', 'web_search_options'] as const

// The common state of a session that has read something: only these fields are written anew, the long history is not.
function removeFromOffer(call: ModelCall, removed: ReadonlySet<string>): void {
  const before = toolFields.map((field) => call.body.fields[field])
  call.dialect.edit.removeTools(call.body.fields, removed)
  for (const [index, field] of toolFields.entries()) {
    const value = call.body.fields[field]
    if (value === before[index] || call.bytes === undefined) continue
    call.bytes = value === undefined ? undefined : setTopLevel(call.bytes, field, JSON.stringify(value))
  }
}
