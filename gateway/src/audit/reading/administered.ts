/** What a record says that an administrator did; most records say nothing of the kind. Pure. */
import { type Area, areaSchema } from '@turnward/contract/administration'
import type { DecisionRecord } from '@turnward/contract/decision'

export interface Done {
  readonly area: Area
  /** `keys.revoke` */
  readonly act: string
  readonly by: string
  readonly via: NonNullable<DecisionRecord['administration']>['via'] | null
}

/** Undefined for what was decided without an administrator. Records of before there were acts say it by what they are. */
export function administered({ type, kind, principal, verdict, approval, administration, subject }: DecisionRecord): Done | undefined {
  if (type !== 'decision') return undefined
  if (kind === 'stop') return { area: 'stops', act: verdict === 'deny' ? 'stops.make' : 'stops.lift', by: principal, via: null }
  if (kind === 'approval') {
    if (approval?.by === undefined || (approval.event !== 'approved' && approval.event !== 'denied')) return undefined
    const act = approval.event === 'approved' ? 'approvals.approve' : 'approvals.deny'
    return { area: 'approvals', act, by: approval.by, via: approval.via ?? null }
  }
  if (kind !== 'configuration') return undefined
  const { act, via } = administration ?? { act: subject.startsWith('keys of ') ? 'keys.change' : 'configuration.change', via: null }
  const area = areaSchema.safeParse(act.split('.')[0])
  return { area: area.data ?? 'configuration', act, by: principal, via }
}

/** Kinds of records that say what was done to an area. */
export function kindsOfArea(area: Area | 'any'): readonly DecisionRecord['kind'][] {
  if (area === 'any') return ['configuration', 'stop', 'approval']
  return [area === 'stops' ? 'stop' : area === 'approvals' ? 'approval' : 'configuration']
}
