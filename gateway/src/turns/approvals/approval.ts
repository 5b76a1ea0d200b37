/** What an approval is: one exact call, whose it is, who may rule on it, and who has. Sealed wherever it is kept. */
import type { LabelRecord } from '@turnward/contract/decision'
import { digestJson } from '../../core/hash.ts'
import type { JsonObject } from '../../core/json.ts'
import { parseJson } from '../../core/parse-json.ts'
import { mayApprove } from '../../policy/approval-terms.ts'
import type { ApprovalTerms } from '../../policy/types.ts'
import type { ApprovalStatus, StoredApproval } from '../../store/approvals.ts'
import { seal, unseal } from '../keeping/sealing.ts'

/** What is asked, as it was when it was asked. Nothing of it ever changes. */
export interface ApprovalFacts {
  /** `server__tool`, or a client's own name for a tool it runs itself. */
  readonly tool: string
  /** The name the model called it by, where that is another. */
  readonly calledAs?: string
  readonly args: JsonObject
  /** The same with what handles in them stand for in place; absent where there are none. */
  readonly contents?: JsonObject
  /** SHA-256 (hex) of the canonical arguments. */
  readonly argumentsDigest: string
  /** Of the definition of the tool; null for one that is not ours. */
  readonly toolDigest: string | null
  readonly principal: string
  readonly groups: readonly string[]
  readonly actor: string | null
  readonly consumer: string | null
  readonly key: string | null
  readonly session: string
  readonly turn: string | null
  readonly modelCall: string | null
  readonly toolCallId: string
  readonly gateway: string | null
  /** Why somebody is asked, in words of the configuration. */
  readonly reason: string
  readonly terms: readonly ApprovalTerms[]
  readonly label: LabelRecord
  readonly revision: string
  /** Texts in it that lack a source, and that a person may vouch for; absent where there are none. */
  readonly values?: readonly string[]
  /** Used for nothing else. */
  readonly nonce: string
}

/** What one person ruled. */
export interface MadeRuling {
  readonly ruling: 'approve' | 'deny'
  /** Principal id. */
  readonly by: string
  readonly via: 'api' | 'page' | 'elicitation'
  /** Unix milliseconds. */
  readonly time: number
  readonly reason?: string | undefined
  /** They vouch for its values as well, in the rest of its conversation. */
  readonly endorses?: boolean | undefined
  /** Sources of the terms it counts for. */
  readonly sources: readonly string[]
  /** It is not on record yet: until it is, the approval waits, whatever it will come to. */
  readonly isUnrecorded?: true
}

export interface Approval {
  readonly id: string
  readonly facts: ApprovalFacts
  readonly rulings: readonly MadeRuling[]
  readonly status: ApprovalStatus
  /** SHA-256 (hex) that binds it to one call: see `digestOf`. */
  readonly digest: string
  readonly created: number
  readonly expires: number
  readonly stored: StoredApproval
}

/** What an approval is bound to. */
export function digestOf({ argumentsDigest, tool, toolDigest, principal, session, turn, terms, nonce }: ApprovalFacts): string {
  return digestJson({ argumentsDigest, tool, toolDigest, principal, session, turn, terms, nonce })
}

export function sealFacts(secret: Buffer, id: string, facts: ApprovalFacts): string {
  return seal(secret, `approval ${id}`, Buffer.from(JSON.stringify(facts)))
}

export function sealRulings(secret: Buffer, id: string, rulings: readonly MadeRuling[]): string | null {
  return rulings.length === 0 ? null : seal(secret, `rulings ${id}`, Buffer.from(JSON.stringify(rulings)))
}

/** Undefined for what was not sealed here, or not for this id. `now`: what is over by then has expired. */
export function openApproval(secret: Buffer, stored: StoredApproval, now: number): Approval | undefined {
  const { id, created, expires } = stored
  const facts = opened<ApprovalFacts>(unseal(secret, `approval ${id}`, stored.facts))
  if (facts === undefined) return undefined
  const rulings = stored.rulings === null ? [] : (opened<MadeRuling[]>(unseal(secret, `rulings ${id}`, stored.rulings)) ?? undefined)
  if (rulings === undefined) return undefined
  const ruledOn = statusOnRecord(stored.status, rulings)
  const isOpen = ruledOn === 'pending' || ruledOn === 'approved'
  const status = isOpen && expires <= now ? 'expired' : ruledOn
  return { id, facts, rulings, status, digest: digestOf(facts), created, expires, stored }
}

/** Whether somebody may rule on it. */
export function mayRule({ facts }: Approval, person: { readonly id: string; readonly groups: readonly string[] }): boolean {
  return facts.terms.some((terms) => mayApprove(terms, person, facts.principal))
}

/** What an approval is as long as not every ruling on it is on record: nothing runs, and nothing is refused for good, before. */
export function statusOnRecord(status: ApprovalStatus, rulings: readonly MadeRuling[]): ApprovalStatus {
  return status !== 'expired' && rulings.some(({ isUnrecorded }) => isUnrecorded) ? 'pending' : status
}

/** What rulings come to. */
export function statusAfter(facts: ApprovalFacts, rulings: readonly MadeRuling[]): 'pending' | 'approved' | 'denied' {
  if (rulings.some(({ ruling }) => ruling === 'deny')) return 'denied'
  return isComplete(facts, rulings) ? 'approved' : 'pending'
}

/** Whether all who have to have approved it. One person counts once for each that asks for an approval. */
function isComplete({ terms }: ApprovalFacts, rulings: readonly MadeRuling[]): boolean {
  return terms.every(({ source, count }) => {
    const by = rulings.filter(({ ruling, sources }) => ruling === 'approve' && sources.includes(source)).map((one) => one.by)
    return new Set(by).size >= count
  })
}

/** How many approvals are still missing, over all that ask for some. */
export function missing({ facts, rulings }: Approval): number {
  return Math.max(
    0,
    ...facts.terms.map(
      ({ source, count }) => count - rulings.filter(({ ruling, sources }) => ruling === 'approve' && sources.includes(source)).length,
    ),
  )
}

function opened<T>(bytes: Buffer | undefined): T | undefined {
  return bytes === undefined ? undefined : (parseJson(bytes.toString('utf8')) as T)
}
