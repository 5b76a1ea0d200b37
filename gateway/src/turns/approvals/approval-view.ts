/** An approval as people are shown it, by the API, the CLI and the page alike. */
import type { Snapshot } from '../../config/snapshot.ts'
import type { JsonObject } from '../../core/json.ts'
import { domainOf } from '../../policy/readers.ts'
import { type Approval, mayRule, missing } from './approval.ts'
import type { Ruler } from './approvals.ts'
import { linesOf, type Mark, marksIn, visible } from './showing-arguments.ts'

/** What is told of one in a list. */
export interface ApprovalSummary {
  readonly id: string
  readonly status: 'pending' | 'approved' | 'denied' | 'used' | 'expired'
  readonly tool: string
  readonly principal: string
  readonly actor: string | null
  readonly reason: string
  readonly turn: string | null
  /** Unix milliseconds. */
  readonly created: number
  readonly expires: number
  /** How many approvals it takes still. */
  readonly missing: number
  /** Whether whoever asks may rule on it now. */
  readonly may_rule: boolean
}

export interface ApprovalView extends ApprovalSummary {
  readonly session: string
  readonly gateway: string | null
  readonly called_as: string | null
  readonly approvers: readonly {
    readonly source: string
    readonly from: readonly string[]
    readonly count: number
    readonly self: boolean
  }[]
  readonly arguments: JsonObject
  /** The arguments as people read them: canonical, whole, with what cannot be seen written out. */
  readonly shown: readonly string[]
  readonly marks: readonly Mark[]
  /** Values whose source is not trusted: with `endorse` whoever approves vouches for them in the rest of the conversation. */
  readonly values: readonly string[]
  readonly rulings: readonly {
    readonly by: string
    readonly ruling: 'approve' | 'deny'
    readonly time: number
    readonly via: string
    readonly reason: string | null
  }[]
  /** What a ruling is bound to: arguments, definition of the tool, principal, session, turn. */
  readonly digest: string
  readonly link: string | null
}

export function summaryOf(approval: Approval, person: Ruler): ApprovalSummary {
  const { id, facts, created, expires, status, rulings } = approval
  return {
    id,
    status: status === 'run' ? 'used' : status,
    tool: facts.tool,
    principal: facts.principal,
    actor: facts.actor,
    reason: facts.reason,
    turn: facts.turn,
    created,
    expires,
    missing: missing(approval),
    may_rule: status === 'pending' && mayRule(approval, person) && !rulings.some(({ by }) => by === person.id),
  }
}

export function viewOf(approval: Approval, person: Ruler, snapshot: Snapshot, link: string | undefined): ApprovalView {
  const { facts, rulings, digest } = approval
  return {
    ...summaryOf(approval, person),
    session: facts.session,
    gateway: facts.gateway,
    called_as: facts.calledAs ?? null,
    approvers: facts.terms,
    arguments: facts.args,
    shown: linesOf(facts.contents ?? facts.args),
    marks: marksIn(facts.contents ?? facts.args, ownDomains(snapshot)),
    values: (facts.values ?? []).map(visible),
    rulings: rulings.map(({ by, ruling, time, via, reason }) => ({ by, ruling, time, via, reason: reason ?? null })),
    digest,
    link: link ?? null,
  }
}

/** Domains of the people who are declared here. */
function ownDomains({ principals }: Snapshot): readonly string[] {
  return [...new Set([...principals.values()].flatMap(({ emails }) => emails.flatMap((email) => domainOf(email.toLowerCase()) ?? [])))]
}
