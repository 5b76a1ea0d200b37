/**
 * Approvals: asked for once, ruled on by people who may, used for one call. Every change is one step in the store, so that of
 * two approvers, or of two replicas that run the same call, one comes second and finds it done; every change is on record.
 */
import { keptSince } from '@turnward/contract/config/retention'
import type { DecisionRecord } from '@turnward/contract/decision'
import type { DecisionLog } from '../../audit/decision-log.ts'
import type { Snapshot } from '../../config/snapshot.ts'
import type { CancelSignal } from '../../core/cancellation.ts'
import type { Clock } from '../../core/clock.ts'
import { asTurnwardError, TurnwardError } from '../../core/error.ts'
import { digestJson, keyedHash } from '../../core/hash.ts'
import { newId, randomText } from '../../core/ids.ts'
import { canonicalJson } from '../../core/json.ts'
import type { Logger } from '../../core/logger.ts'
import { mayApprove } from '../../policy/approval-terms.ts'
import type { ApprovalChange, ApprovalTable } from '../../store/approvals.ts'
import {
  type Approval,
  type ApprovalFacts,
  digestOf,
  type MadeRuling,
  mayRule,
  openApproval,
  sealFacts,
  sealRulings,
  statusAfter,
  statusOnRecord,
} from './approval.ts'
import { approvalRecord } from './approval-record.ts'
import { Bell } from './bell.ts'

export interface ApprovalParts {
  readonly table: ApprovalTable
  readonly log: DecisionLog
  readonly clock: Clock
  readonly logger: Logger
  readonly secret: Buffer
  readonly snapshot: () => Snapshot
  /** Somebody who approved a call vouches for its values. */
  readonly onEndorsed?: (approval: Approval, by: string) => Promise<void>
  /** Is told of every approval that somebody has to rule on. */
  readonly onAsked?: (approval: Approval) => void
}

/** Somebody who rules. */
export interface Ruler {
  /** Principal id. */
  readonly id: string
  readonly groups: readonly string[]
}

/** The approval that a call runs on, and the way back while it has not run. */
export interface Claim {
  readonly approval: Approval
  /** Gives it back: the call did not run after all. */
  giveBack(): Promise<void>
}

/** What approvals know of a call that is made. */
export type Known =
  | { readonly state: 'approved'; readonly claim: Claim }
  | { readonly state: 'denied' | 'pending'; readonly approval: Approval }
  | { readonly state: 'none' }

/** How a call is looked for. `step`: what becomes of an approval that is found. */
export interface CallQuestion {
  readonly facts: Pick<ApprovalFacts, 'tool' | 'toolDigest' | 'argumentsDigest' | 'principal' | 'consumer' | 'session' | 'terms'>
  readonly callKey: string
  /** `used`: whoever runs it comes with the same key. `run`: it is run here. */
  readonly step: 'used' | 'run'
  /** Whether it is known to go on from a call of this key that was let go. */
  readonly goesOn: boolean
  /** Whether an approval that this very call was let go on is for these arguments. */
  readonly isSame: (facts: ApprovalFacts) => boolean
}

/** How often whoever waits looks whether a ruling was made at another replica. */
const lookEveryMs = 500
const mostTries = 16
const mostDue = 200

export class Approvals {
  readonly #parts: ApprovalParts
  readonly #bell = new Bell()

  constructor(parts: ApprovalParts) {
    this.#parts = parts
  }

  /** Asks, unless the same call waits already. Rejects with `approval.too_many`, `approval.too_large`, `audit.*`. */
  async ask(facts: Omit<ApprovalFacts, 'nonce'>): Promise<Approval> {
    const { table, log, clock, secret, snapshot } = this.#parts
    const { expires_ms: expiresMs, max_pending: most, max_bytes: mostBytes } = snapshot().settings.approvals
    if (Buffer.byteLength(canonicalJson(facts.contents ?? facts.args)) > mostBytes)
      throw new TurnwardError('approval.too_large', {
        subject: facts.tool.slice(0, 128),
        why: `its arguments have more than ${mostBytes} bytes`,
      })
    const id = newId('ap')
    const created = clock.now()
    const whole: ApprovalFacts = { ...facts, nonce: randomText(22) }
    const asked = {
      id,
      match: this.#matchOf(facts),
      owner: keyedHash(secret, 'approval owner', facts.principal),
      session: keyedHash(secret, 'approval session', facts.session),
      facts: sealFacts(secret, id, whole),
      rulings: null,
      status: 'pending' as const,
      usedBy: null,
      version: 0,
      created,
      expires: created + expiresMs,
    }
    const stored = await table.ask(asked, most)
    if (stored === undefined) throw new TurnwardError('approval.too_many', { subject: facts.tool.slice(0, 128) })
    const approval = openApproval(secret, stored, created)
    if (approval === undefined) throw new TurnwardError('approval.not_found', { subject: stored.id })
    if (stored.id !== id) return approval
    try {
      await log.appendDurably(approvalRecord(approval, { event: 'asked', time: created }))
    } catch (error) {
      await table.change(stored, { status: 'expired' }).catch(() => {})
      throw error
    }
    this.#parts.onAsked?.(approval)
    return approval
  }

  async find(id: string): Promise<Approval | undefined> {
    const stored = await this.#parts.table.find(id)
    return stored === undefined ? undefined : openApproval(this.#parts.secret, stored, this.#parts.clock.now())
  }

  /** Those somebody may see, newest first: theirs, and those they may rule on. `isPending`: only those that wait. */
  async list(person: Ruler, { isPending, most }: { readonly isPending: boolean; readonly most: number }): Promise<readonly Approval[]> {
    const { table, secret, clock } = this.#parts
    const seen: Approval[] = []
    let before: { readonly created: number; readonly id: string } | undefined
    for (let page = 0; page < mostTries && seen.length < most; page += 1) {
      const rows = await table.list({ status: isPending ? 'pending' : undefined, before, most: mostDue })
      for (const row of rows) {
        const approval = openApproval(secret, row, clock.now())
        if (approval === undefined || (isPending && approval.status !== 'pending')) continue
        if (approval.facts.principal === person.id || mayRule(approval, person)) seen.push(approval)
      }
      before = rows.at(-1)
      if (rows.length < mostDue) break
    }
    return seen.slice(0, most)
  }

  /**
   * Rules, for one person. Rejects with `approval.not_found` for one they may not see, `approval.not_approver`, `approval.over`,
   * `audit.*`: then it does not count.
   */
  async rule(
    id: string,
    by: Ruler,
    made: Pick<MadeRuling, 'ruling' | 'via' | 'reason' | 'endorses'> & { readonly digest?: string | undefined },
  ): Promise<Approval> {
    const { table, log, clock, secret } = this.#parts
    for (let attempt = 0; attempt < mostTries; attempt += 1) {
      const approval = await this.find(id)
      const isOwn = approval?.facts.principal === by.id
      if (approval === undefined || !(isOwn || mayRule(approval, by)))
        throw new TurnwardError('approval.not_found', { subject: id.slice(0, 64) })
      if (!mayRule(approval, by))
        throw new TurnwardError('approval.not_approver', { subject: id, why: isOwn ? 'nobody rules on their own calls here' : undefined })
      if (approval.status !== 'pending' || approval.stored.status !== 'pending') throw over(approval)
      if (made.digest !== undefined && made.digest !== approval.digest)
        throw new TurnwardError('approval.over', { subject: id, why: 'what was looked at is not what waits' })
      if (approval.rulings.some((one) => one.by === by.id))
        throw new TurnwardError('approval.over', { subject: id, why: 'this person has approved it already' })
      const { facts } = approval
      const sources = facts.terms.filter((terms) => mayApprove(terms, by, facts.principal)).map(({ source }) => source)
      const { ruling, via, reason } = made
      const endorses = made.endorses === true && ruling === 'approve' && facts.values !== undefined
      const rulings: readonly MadeRuling[] = [
        ...approval.rulings,
        {
          ruling,
          by: by.id,
          via,
          time: clock.now(),
          sources,
          ...(endorses ? { endorses } : {}),
          ...(reason === undefined || reason === '' ? {} : { reason }),
          isUnrecorded: true,
        },
      ]
      // Taken, so that of a yes and a no one comes second; it counts once it is on record.
      const status = statusAfter(facts, rulings)
      if (!(await table.change(approval.stored, { rulings: sealRulings(secret, id, rulings), status }))) continue
      const event = ruling === 'deny' ? 'denied' : 'approved'
      try {
        await log.appendDurably(approvalRecord(approval, { event, time: clock.now(), by: by.id, via, reason, endorsed: endorses }))
      } catch (error) {
        await this.#amend(id, (all) => all.filter((one) => one.by !== by.id)).catch(() => {})
        throw error
      }
      const now = await this.#amend(id, (all) => all.map((one) => (one.by === by.id ? recorded(one) : one)))
      // As many have to vouch for a value as have to approve the call.
      if (now?.status === 'approved' && now.rulings.every((one) => one.endorses === true)) await this.#parts.onEndorsed?.(now, by.id)
      this.#bell.ring(id)
      return (await this.find(id)) ?? approval
    }
    throw new TurnwardError('approval.over', { subject: id, why: 'others rule on it at the same time' })
  }

  /** Changes the rulings on one, whoever else rules on it meanwhile. Resolves with what it was by that; undefined when it is not there. */
  async #amend(id: string, amended: (rulings: readonly MadeRuling[]) => readonly MadeRuling[]): Promise<Approval | undefined> {
    const { table, secret } = this.#parts
    for (let attempt = 0; attempt < mostTries; attempt += 1) {
      const approval = await this.find(id)
      if (approval === undefined || approval.stored.status === 'expired') return approval
      const rulings = amended(approval.rulings)
      const changed = { rulings: sealRulings(secret, id, rulings), status: statusAfter(approval.facts, rulings) }
      if (await table.change(approval.stored, changed)) return { ...approval, rulings, status: statusOnRecord(changed.status, rulings) }
    }
    throw new TurnwardError('approval.over', { subject: id, why: 'others rule on it at the same time' })
  }

  /** What is known of a call that is made; an approval that was given for it is taken by this. */
  async claim(question: CallQuestion): Promise<Known> {
    const { table, secret, clock } = this.#parts
    const { facts, callKey, step, goesOn, isSame } = question
    const usedBy = keyedHash(secret, 'approval call', facts.principal, facts.consumer ?? '', callKey)
    for (let attempt = 0; attempt < mostTries; attempt += 1) {
      const going = goesOn ? await table.usedBy(usedBy) : undefined
      const begun = going === undefined ? undefined : openApproval(secret, going, clock.now())
      if (begun !== undefined && isSame(begun.facts) && sameTerms(begun.facts, facts)) {
        if (await table.change(begun.stored, { status: 'run' })) return approved(table, begun, { status: 'used' })
        continue
      }
      const stored = await table.ofCall(this.#matchOf(facts), clock.now())
      const approval = stored === undefined ? undefined : openApproval(secret, stored, clock.now())
      if (approval?.status === 'pending' || approval?.status === 'denied') return { state: approval.status, approval }
      if (approval?.status !== 'approved') return { state: 'none' }
      if (await table.change(approval.stored, { status: step, usedBy }))
        return approved(table, approval, { status: 'approved', usedBy: null })
    }
    return { state: 'none' }
  }

  /** The call that ran on it has only begun: it may come back once. */
  async letGoOn({ id }: Approval): Promise<void> {
    const approval = await this.find(id)
    if (approval?.status === 'run') await this.#parts.table.change(approval.stored, { status: 'used' })
  }

  /** Resolves when all of these are ruled on, or as soon as there is no time left for waiting. */
  async wait(ids: readonly string[], ms: number, signal: CancelSignal): Promise<void> {
    const end = performance.now() + ms
    let open = ids
    for (;;) {
      const left = end - performance.now()
      if (left <= 0 || signal.aborted) return
      const bell = this.#bell.wait(open, Math.min(left, lookEveryMs), signal)
      try {
        const found = await Promise.all(open.map((id) => this.find(id)))
        open = found.flatMap((one) => (one?.status === 'pending' ? [one.id] : []))
        if (open.length === 0) return
        await bell.rung
      } finally {
        bell.stop()
      }
    }
  }

  /** Puts on record what came to nothing, and forgets what is long over. */
  async tidy(): Promise<void> {
    const { table, clock, log, secret, logger, snapshot } = this.#parts
    const now = clock.now()
    for (const stored of await table.due(now, mostDue)) {
      const approval = openApproval(secret, stored, now)
      if (!(await table.change(stored, { status: 'expired' })) || approval === undefined) continue
      try {
        log.append(approvalRecord(approval, { event: 'expired', time: now }))
      } catch (error) {
        logger.error({ code: asTurnwardError(error).code, id: stored.id }, 'the end of an approval could not be recorded')
      }
      this.#bell.ring(stored.id)
    }
    const keptFrom = keptSince(snapshot().settings.audit.retention.approvals, now)
    if (keptFrom !== undefined) await table.purge(keptFrom)
  }

  /** Of the same call under the same terms: the tool as it was defined, for the same principal, in the same session. */
  #matchOf({ tool, toolDigest, argumentsDigest, principal, consumer, session, terms }: CallQuestion['facts']): string {
    return keyedHash(
      this.#parts.secret,
      'approval v1',
      principal,
      consumer ?? '',
      session,
      tool,
      toolDigest ?? '',
      argumentsDigest,
      digestJson(terms),
    )
  }
}

function approved(table: ApprovalTable, approval: Approval, before: ApprovalChange): Known {
  const { id, version } = approval.stored
  return {
    state: 'approved',
    claim: {
      approval,
      async giveBack() {
        await table.change({ id, version: version + 1 }, before)
      },
    },
  }
}

function sameTerms(one: Pick<ApprovalFacts, 'terms'>, other: Pick<ApprovalFacts, 'terms'>): boolean {
  return digestJson(one.terms) === digestJson(other.terms)
}

const overWhy: Partial<Record<Approval['status'], string>> = {
  approved: 'it is approved already',
  denied: 'it was denied',
  used: 'it was approved and used',
  run: 'it was approved and used',
  expired: 'it has expired',
}

function recorded({ isUnrecorded: _mark, ...ruling }: MadeRuling): MadeRuling {
  return ruling
}

function over({ id, status, stored }: Approval): TurnwardError {
  return new TurnwardError('approval.over', { subject: id, why: overWhy[status] ?? overWhy[stored.status] })
}

/** What records of calls say of the approval they run on, or wait for. */
export function approvalNote(approval: Approval, event: 'asked' | 'used' | 'denied'): NonNullable<DecisionRecord['approval']> {
  const by = approval.rulings.map((one) => one.by).join(', ')
  return { id: approval.id, event, digest: digestOf(approval.facts), ...(by === '' ? {} : { by }) }
}
