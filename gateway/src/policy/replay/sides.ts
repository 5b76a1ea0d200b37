/** The two policies of a replay, and what is the same in both. */
import type { DecisionRecord } from '@turnward/contract/decision'
import type { Principal } from '../../core/principal.ts'
import { effectiveContract } from '../contracts.ts'
import type { KnownOfTool } from '../open-questions.ts'
import type { Contract, Grantee, Policy, Rule, Surroundings, ToolSubject } from '../types.ts'

export interface Side {
  readonly policy: Policy
  readonly principals: ReadonlyMap<string, Principal>
}

/** `now`: what recorded decisions of `revision` were made under. `draft`: what they are decided under again. */
export interface Sides {
  readonly now: Side
  readonly draft: Side
  readonly revision: string
}

/** What of a record the replay looks at. */
export type ReplayedRecord = Pick<
  DecisionRecord,
  | 'type'
  | 'kind'
  | 'principal'
  | 'groups'
  | 'actor'
  | 'actors'
  | 'consumer'
  | 'issuer'
  | 'session'
  | 'turn'
  | 'modelCall'
  | 'toolCallId'
  | 'subject'
  | 'gateway'
  | 'labelBefore'
  | 'labelAfter'
  | 'verdict'
  | 'action'
  | 'rules'
  | 'gaps'
  | 'toolDigest'
  | 'revision'
  | 'outcome'
  | 'time'
>

/** A tool of a record with what is known of it. */
export interface ReplayedTool extends Pick<KnownOfTool, 'isListed'> {
  readonly tool: ToolSubject
}

export function isSamePart({ now, draft }: Sides, part: keyof Surroundings): boolean {
  const [one, other] = [now.policy.surroundings, draft.policy.surroundings]
  return one !== undefined && other !== undefined && one[part] === other[part]
}

/** Whether a contract asks the same, in the same surroundings. */
export function isSameContract(one: Contract | undefined, other: Contract | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  return one.source === other.source && one.digest === other.digest
}

/** Whether a result of the tool adds the same to a label. */
export function hasSameOutput(sides: Sides, { tool }: ReplayedTool): boolean {
  if (!isSamePart(sides, 'ranks') || !isSamePart(sides, 'directory')) return false
  const [one, other] = [sides.now, sides.draft].map(({ policy }) => effectiveContract(policy.contractOf(tool.name), tool))
  return JSON.stringify([one?.contract.output]) === JSON.stringify([other?.contract.output])
}

/** The rule of this name in the policy of the records, if it is written the same. */
export function sameRule({ now }: Sides, rule: Rule): boolean {
  return now.policy.rules.some(({ name, digest }) => name === rule.name && digest === rule.digest)
}

/** The caller of a record under a side: with the groups that side declares, and those that somebody else says. */
export function granteeOf(record: ReplayedRecord, side: Side, { now }: Sides): Grantee {
  const declared = side.principals.get(record.principal)
  const before = new Set(now.principals.get(record.principal)?.groups)
  const told = (record.groups ?? []).filter((group) => !before.has(group))
  const known: Principal = declared ?? {
    id: record.principal,
    kind: 'human',
    groups: [],
    emails: record.principal.includes('@') ? [record.principal] : [],
    credentials: new Map(),
  }
  const { actor, actors, consumer = null, issuer = null } = record
  return {
    principal: { ...known, groups: [...new Set([...known.groups, ...told])] },
    actor,
    consumer,
    issuer,
    ...(actors === undefined ? {} : { actors }),
  }
}
