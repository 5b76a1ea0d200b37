/** `/api/policy`: what is in effect, one call decided and not made, and drafts: checked, and tried on what is on record. Changes nothing. */
import {
  draftCheckRequestSchema,
  draftCheckSchema,
  policyQuerySchema,
  policySchema,
  replayRequestSchema,
  replaySchema,
  simulationRequestSchema,
  simulationSchema,
} from '@turnward/contract/api/policy'
import type { Administrator } from '../admin/administrators.ts'
import { apiRoute, type ApiRoute } from '../admin/api-route.ts'
import type { Snapshot } from '../config/snapshot.ts'
import { TurnwardError } from '../core/error.ts'
import type { Principal } from '../core/principal.ts'
import type { Services } from '../turns/services.ts'
import { forCall } from '../turns/state-of-call.ts'
import { openingSettingsOf, readingPlaceOf } from './places.ts'
import { checkDraft } from './policy/checking-draft.ts'
import { effectivePolicy } from './policy/effective-policy.ts'
import { sinceOf } from './policy/reading-use.ts'
import { recentUse, type RecentUse } from './policy/recent-use.ts'
import { toolsOfListings, type ReadListings } from './policy/replaying/known-tools.ts'
import { replayLog } from './policy/replaying/replaying-log.ts'
import { compiledDraft } from './policy/sent-draft.ts'
import { simulateCall, type AskedCall, type PresentSession } from './policy/simulating-call.ts'

/** The newest records of a span that are read while others are served; the verb reads more. */
const mostRecords = 5000
/** Drafts that wait to be compiled: one is at a time, because calls of agents wait for it. */
const mostWaiting = 8
const mostBytes = 2 * 1024 * 1024

export function policyRoutes(services: Services): readonly ApiRoute[] {
  const { store, snapshot, reading, clock } = services
  let isReplaying = false
  const inTurn = oneAtATime('draft')
  const reads = new Map<string, Promise<RecentUse>>()
  const read: ReadListings = new Map()
  /** Who asks for the same while it is read waits for that. */
  const useSince = (since: string): Promise<RecentUse> => {
    const known = reads.get(since)
    if (known !== undefined) return known
    const counting = recentUse(reading, { since: clock.now() - spans[since as keyof typeof spans] }).finally(() => reads.delete(since))
    reads.set(since, counting)
    return counting
  }
  const tag = 'Policy'
  return [
    apiRoute({
      path: '/api/policy',
      method: 'GET',
      needs: { role: 'viewer' },
      tag,
      summary: 'What is in effect: rules, contracts, packs and lists with their places, and what is known of the tools that are used',
      query: policyQuerySchema,
      answer: policySchema,
      async run({ query: { since } }) {
        const use = await useSince(since)
        return effectivePolicy(snapshot(), toolsOfListings(await store.listings.list(), read), use)
      },
    }),
    apiRoute({
      path: '/api/policy/simulate',
      method: 'POST',
      needs: 'person',
      tag,
      summary: 'One call, decided and not made; for others, and under a draft, with a role for it',
      body: simulationRequestSchema,
      mostBytes,
      answer: simulationSchema,
      async run({ administrator, body }) {
        requireMaySimulate(administrator, body)
        const now = snapshot()
        const { draft: text } = body
        const draft = text === undefined ? undefined : await inTurn(() => compiledDraft(now, text))
        const principal = await principalOf(services, draft ?? now, administrator, body.who)
        const session = body.session === undefined ? undefined : await sessionNow(services, now, principal, body.session)
        const listed = toolsOfListings(await store.listings.list(), read)
        const simulated = simulateCall(services, { asked: body, now, draft, principal, session, listed })
        if (administrator.roles.includes('viewer')) return simulated
        return { ...simulated, decidedBy: simulated.decidedBy.map(({ source }) => ({ source, managed: null, place: null })) }
      },
    }),
    apiRoute({
      path: '/api/policy/check',
      method: 'POST',
      needs: { role: 'policy_author' },
      tag,
      summary: 'What is wrong with a draft, with line and column, and what of it the API can keep',
      body: draftCheckRequestSchema,
      mostBytes,
      answer: draftCheckSchema,
      run: ({ body: { draft } }) => inTurn(() => checkDraft(snapshot(), draft)),
    }),
    apiRoute({
      path: '/api/policy/replay',
      method: 'POST',
      needs: { role: 'admin' },
      tag,
      summary: 'What a draft would have decided otherwise, by the newest records of a span, or those of a turn or session',
      body: replayRequestSchema,
      mostBytes,
      answer: replaySchema,
      async run({ body: { since, turn, session, draft } }) {
        const now = snapshot()
        if (isReplaying) throw new TurnwardError('policy.busy', { subject: 'replay' })
        isReplaying = true
        try {
          const place = readingPlaceOf(openingSettingsOf(now))
          const query = { since: sinceOf(since) ?? 0, most: mostRecords, only: { turn, session } }
          const compiled = await inTurn(() => compiledDraft(now, draft))
          return await replayLog({ place, listings: store.listings }, now, compiled, query)
        } finally {
          isReplaying = false
        }
      },
    }),
  ]
}

const spans = { '24h': 86_400_000, '7d': 7 * 86_400_000, '30d': 30 * 86_400_000 }

/** One piece of work at a time, and a bounded number that waits. The rest is refused with `policy.busy`. */
function oneAtATime(subject: string): <R>(work: () => Promise<R>) => Promise<R> {
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0
  return (work) => {
    if (waiting >= mostWaiting) return Promise.reject(new TurnwardError('policy.busy', { subject, retryAfterSeconds: 1 }))
    waiting += 1
    const done = last.then(work).finally(() => (waiting -= 1))
    last = done.catch(() => undefined)
    return done
  }
}

function maySimulate({ roles }: Administrator): boolean {
  return roles.includes('operator') || roles.includes('policy_author')
}

/** For oneself anybody may ask, as one is: the same is answered to a call. */
function requireMaySimulate(administrator: Administrator, { who, draft }: AskedCall): void {
  if (maySimulate(administrator)) return
  const isOwn = who.principal === undefined || who.principal === administrator.id
  if (isOwn && who.groups === undefined && draft === undefined) return
  throw new TurnwardError('auth.role', {
    subject: administrator.id,
    why: 'calls of others, other groups and drafts need `operator` or `policy_author`; what you may do yourself you can ask without',
  })
}

/** A session of the principal, with label and effects as they are. One of somebody else is not there. */
async function sessionNow(
  services: Services,
  { policy, settings }: Snapshot,
  { id: owner }: Principal,
  id: string,
): Promise<PresentSession | undefined> {
  const { sessions } = forCall(services, { principal: { id: owner } })
  const session = await sessions.find(id, policy, settings.turns.session_idle_ms)
  if (session === undefined || session.state.principal !== owner) return undefined
  const { parent, policyState } = session.state
  return { id, parent, policyState }
}

/** Somebody whom nobody has declared may be meant, with the groups that an issuer would tell. */
async function principalOf(
  { people }: Pick<Services, 'people'>,
  snapshot: Snapshot,
  { id: self }: Administrator,
  { principal: id = self, groups }: AskedCall['who'],
): Promise<Principal> {
  try {
    const known = await people.principal(id, snapshot)
    return groups === undefined ? known : { ...known, groups }
  } catch (error) {
    if (!(error instanceof TurnwardError) || error.code !== 'auth.unknown_person') throw error
    if (groups !== undefined) return { id, kind: 'human', groups, emails: id.includes('@') ? [id] : [], credentials: new Map() }
    throw new TurnwardError('request.invalid', { subject: 'who.principal', why: 'nobody is known by this: say which groups they have' })
  }
}
