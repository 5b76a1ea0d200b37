/**
 * Values that a person vouched for in one session: afterwards such a value is a source of its own (`endorsed`) wherever a
 * contract counts that, until it expires. Keyed hashes only, shared by every replica.
 *
 * Whoever asks people about calls uses it so: a refused call with a gap of kind `provenance` has, in `valuesToEndorse`, the texts
 * that lack a source. They are shown to the person in full; for each one that is vouched for, `endorseValue` is called, and the
 * same call is decided again, all of it on the state of a call of that principal (`forCall`, `settleState`). No other value and no other session gains anything by it.
 */
import { shortOf } from '../../policy/provenance.ts'
import type { ToolSubject } from '../../policy/types.ts'
import { effectiveContract } from '../../policy/contracts.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Evidence } from '../../policy/evidence.ts'
import type { AttachedCall } from '../call.ts'
import { printOf } from './value-prints.ts'

/** Values of one session that somebody vouched for; the oldest fall off. */
const mostEndorsed = 256

type Owner = Pick<AttachedCall, 'services' | 'snapshot'> & { readonly session: Pick<AttachedCall['session'], 'id'> }

/** A person (`by`: id of the principal) vouches for exactly this value in the session of the call. `livesMs`: as long as the session, unless said. */
export function endorseValue({ services, snapshot, session }: Owner, value: string, by: string, livesMs?: number): Promise<void> {
  const { state, clock, secret } = services
  return endorseInSession({ state, clock, secret, snapshot, session: session.id }, value, by, livesMs)
}

/** The same where nobody makes a call: a person rules on one that waits. `session`: its id. */
export async function endorseInSession(
  {
    state,
    clock,
    secret,
    snapshot,
    session,
  }: Pick<AttachedCall['services'], 'state' | 'clock' | 'secret'> & {
    readonly snapshot: Pick<AttachedCall['snapshot'], 'settings'>
    readonly session: string
  },
  value: string,
  by: string,
  livesMs?: number,
): Promise<void> {
  const print = printOf(secret, session, value)
  const now = clock.now()
  const expires = now + (livesMs ?? snapshot.settings.turns.session_idle_ms)
  await state.change('endorsed', session, (before = []) => {
    const others = before.filter((one) => one.expires > now && one.print !== print)
    const kept = [...others, { print, by, expires }].slice(-mostEndorsed)
    return { value: kept, expires: Math.max(...kept.map((one) => one.expires)), result: undefined }
  })
}

/** Whether somebody has vouched for a value in this session. */
export async function isEndorsed({ services, session }: Pick<AttachedCall, 'services' | 'session'>, value: string): Promise<boolean> {
  const endorsed = await services.state.get('endorsed', session.id)
  if (endorsed === undefined) return false
  const print = printOf(services.secret, session.id, value)
  return endorsed.some((one) => one.print === print && one.expires > services.clock.now())
}

/** The texts in a call, of any of these tools, that lack a source their contracts count: what a person may vouch for. */
export function valuesToEndorse(
  { snapshot, caller, session }: Pick<AttachedCall, 'snapshot' | 'caller' | 'session'>,
  tools: readonly ToolSubject[],
  args: JsonObject,
  evidence: Evidence,
): readonly string[] {
  const traced = { label: session.policyState.label, principal: caller.principal, args }
  const short = tools.flatMap((tool) =>
    shortOf(effectiveContract(snapshot.policy.contractOf(tool.name), tool).contract, traced, evidence).filter(({ rule }) =>
      rule.from.includes('endorsed'),
    ),
  )
  return [...new Set(short.map(({ text }) => text))]
}
