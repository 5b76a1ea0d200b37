/**
 * The dynamic tool engine: a tool this principal may not use, or that the label of the session makes
 * unreachable, is taken out of what the model is offered. Never the control by itself: every call is decided
 * again when it is made.
 */
import { targetsOf } from '../../config/route-targets.ts'
import type { Route } from '../../config/snapshot.ts'
import { BoundedMap } from '../../core/bounded-map.ts'
import type { Caller, Principal } from '../../core/principal.ts'
import type { Standing } from '../../policy/grant-index.ts'
import { reachable } from '../../policy/reachable.ts'
import { resultLabel } from '../../policy/admit.ts'
import { sameLabel } from '../../policy/label.ts'
import type { PolicyState, ToolSubject, Verdict } from '../../policy/types.ts'
import type { Session } from '../../state/sessions.ts'
import { dialectFor } from '../../providers/provider.ts'
import { providers } from '../../providers/providers.ts'
import type { CatalogueTool } from '../../tools/catalogue.ts'
import type { ToolDefinitionView } from '../../wire/dialect.ts'
import type { AttachedCall, ModelCall } from '../call.ts'
import type { CallMeanings } from '../naming/call-meaning.ts'
import { strictest } from '../naming/judging-meaning.ts'
import { anyTool, noteOffered } from '../sessions/conversations.ts'
import { editOffer } from './editing-offer.ts'
import { notePending, stateWhenSent } from './narrowing-when-sent.ts'
import { stoppedVerdict } from '../stops/stopped-tool.ts'
import { subjectOf } from './tool-subject.ts'

interface ShapeCache {
  readonly state: PolicyState
  readonly policy: object
  /** Whose they are: one session may be reached with two keys that may use different things. */
  readonly caller: { readonly principal: Principal; readonly standing: Standing; readonly claims: Caller['claims'] }
  readonly verdicts: BoundedMap<string, Verdict>
  /** By the tools they are of, as a gateway has them, and whose list it is. */
  readonly lists: WeakMap<readonly CatalogueTool[], Map<string, ShownTools>>
}

/** The tools of a gateway that can be called now, and the names of those that only the session keeps from being shown. */
export interface ShownTools {
  readonly shown: readonly CatalogueTool[]
  readonly hidden: readonly string[]
}

/** Verdicts remembered for one session. */
const mostVerdicts = 5000

const caches = new WeakMap<Session, ShapeCache>()

/** Whether a tool can be called now, whatever its arguments. Remembered until label, effects or configuration change. */
export function reachableNow(call: AttachedCall, tool: ToolSubject, gateway: string | null, state = call.session.policyState): Verdict {
  const stopped = stoppedVerdict(call, tool)
  if (stopped !== undefined) return stopped
  const { policy } = call.snapshot
  const cache = cacheOf(call, state)
  const key = `${gateway ?? ''}|${call.caller.actor ?? ''}|${tool.server}|${tool.name}`
  const known = cache.verdicts.get(key)
  if (known !== undefined) return known
  const verdict = reachable(policy, state, tool, call.caller, gateway)
  cache.verdicts.set(key, verdict)
  return verdict
}

/** What of these tools is shown to the caller. The same lists while label, effects, configuration and tools do not change. */
export function toolsShownNow(call: AttachedCall, tools: readonly CatalogueTool[], gateway: string, state: PolicyState): ShownTools {
  // A list that was made while something was stopped is good for as long as that stands; one without is kept.
  const lists =
    call.services.stops.now.all.length === 0 ? cacheOf(call, state).lists : new WeakMap<readonly CatalogueTool[], Map<string, ShownTools>>()
  const ofTools = lists.get(tools) ?? new Map<string, ShownTools>()
  lists.set(tools, ofTools)
  const key = `${gateway}|${call.caller.actor ?? ''}`
  const known = ofTools.get(key)
  if (known !== undefined) return known
  const hidden: string[] = []
  const shown = tools.filter((tool) => {
    const verdict = reachableNow(call, subjectOf(tool), gateway, state)
    const visible = isShown(verdict, call.snapshot.policy.hide)
    // Tools nobody granted are not "hidden": for this caller they do not exist.
    if (!visible && !verdict.gaps.some((gap) => gap.kind === 'grant')) hidden.push(tool.name)
    return visible
  })
  const list: ShownTools = { shown, hidden }
  ofTools.set(key, list)
  return list
}

function cacheOf({ session, snapshot: { policy }, caller: { principal }, caller }: AttachedCall, state: PolicyState): ShapeCache {
  const standing = policy.grants.standing(caller)
  const known = caches.get(session)
  const { claims } = caller
  const isSameCaller = known?.caller.standing === standing && known.caller.principal === principal && known.caller.claims === claims
  if (known !== undefined && isSameCaller && known.policy === policy && isSameState(known.state, state)) return known
  const cache: ShapeCache = {
    state,
    policy,
    caller: { principal, standing, claims },
    verdicts: new BoundedMap({ most: mostVerdicts }),
    lists: new WeakMap(),
  }
  caches.set(session, cache)
  return cache
}

function isSameState(one: PolicyState, other: PolicyState): boolean {
  return one === other || (one.effects === other.effects && sameLabel(one.label, other.label))
}

/** Whether a tool with this verdict is shown: ungranted tools never are, unreachable ones as `policy.tools.hide` says. */
export function isShown(verdict: Verdict, hide: 'unreachable' | 'never'): boolean {
  if (verdict.action !== 'refuse') return true
  return hide === 'never' && !verdict.gaps.some((gap) => gap.kind === 'grant')
}

export async function shapeTools(call: ModelCall, route: Route): Promise<void> {
  const { meanings } = call
  const removed = new Set<string>()
  const offers = new Set<string>()
  const withheld: string[] = []
  const state = stateWhenSent(call)
  let usedNames: ReadonlySet<string> | undefined
  for (const offered of call.view.tools) {
    const { own, stays } = judgeOffer(call, meanings, offered, state)
    for (const name of own) offers.add(name)
    if (stays) continue
    withheld.push(offered.name)
    // What the history refers to keeps its definition, or the vendor refuses the history; its calls are refused instead.
    usedNames ??= namesUsedIn(call)
    if (offered.runs === 'vendor' || !usedNames.has(offered.name)) removed.add(offered.name)
  }
  if (removed.size > 0) {
    editOffer(call, (fields) => call.dialect.edit.removeTools(fields, removed))
    call.hidden = [...removed]
  }
  call.withheld = withheld
  noteVendorTools(call, removed, route)
  // Tool calls of these tools may come from this conversation, with a ticket or without.
  await noteOffered(call, offers)
}

/** What an offered tool is here: the tools of ours that calls of it may be, and whether it stays in the offer. */
export function judgeOffer(
  call: AttachedCall,
  meanings: CallMeanings,
  offered: ToolDefinitionView,
  state: PolicyState,
): { readonly own: readonly string[]; readonly stays: boolean } {
  const through = meanings.isThrough(offered.name)
  const tools = meanings.ofName(offered.name)
  const own = through ? [anyTool] : tools.filter(({ server }) => server !== 'client').map(({ name }) => name)
  const verdict = strictest(tools, (tool) => reachableNow(call, tool, null, state))
  // Whatever a call of it would call is decided then; nobody can tell from the tool itself.
  if (through && !verdict.gaps.some(({ kind }) => kind === 'grant')) return { own, stays: true }
  // Nobody decides a vendor-run call once the model has started, so it must be allowed outright or leave.
  if (offered.runs === 'vendor') return { own, stays: verdict.action !== 'refuse' && verdict.action !== 'hold' }
  return { own, stays: isShown(verdict, call.snapshot.policy.hide) }
}

function namesUsedIn({ view }: ModelCall): ReadonlySet<string> {
  return new Set(
    view.messages.flatMap(({ calls, results }) => [
      ...calls.map(({ name }) => name),
      ...results.flatMap(({ references = [] }) => references),
    ]),
  )
}

/** Whether any upstream may run a tool of the vendor's: one of another dialect is never offered it. */
function mayRun({ dialect, view }: ModelCall, route: Route): boolean {
  return targetsOf(route).some(
    ({ upstream, model = view.model }) =>
      dialectFor(providers[upstream.config.kind], upstream.config, dialect.name, model) === dialect.name,
  )
}

/** Whether the answer will show every run of a tool of the vendor's, whichever upstream gives it. */
function showsRuns({ dialect, view }: ModelCall, route: Route): boolean {
  if (dialect.showsVendorRuns !== true) return false
  return targetsOf(route).every(({ upstream, model = view.model }) => {
    const provider = providers[upstream.config.kind]
    return provider.showsVendorRuns === true && dialectFor(provider, upstream.config, dialect.name, model) === dialect.name
  })
}

/**
 * What the vendor's own tools read enters the context within the call: its label counts from when they run, where the answer
 * shows that, and from when the request is sent where it may not.
 */
function noteVendorTools(call: ModelCall, removed: ReadonlySet<string>, route: Route): void {
  const offered = call.view.tools.filter(({ runs, name }) => runs === 'vendor' && !removed.has(name))
  if (offered.length === 0 || !mayRun(call, route)) return
  const isShownToRun = showsRuns(call, route)
  for (const { name } of offered) {
    const label = resultLabel(call.snapshot.policy, call.meanings.ofName(name), call.caller.principal)
    const read = { subject: name, label, digest: null }
    if (isShownToRun) call.ifRun = [...call.ifRun, read]
    else notePending(call, read)
  }
}
