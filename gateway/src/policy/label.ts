/**
 * Labels and their join: the one way labels combine, and it only ever restricts.
 * Nothing here may make a label less restrictive; raising one is a derivation and happens elsewhere.
 */
import type { LabelRecord } from '@turnward/contract/decision'
import type { Audience, Label, Policy } from './types.ts'

/** The label of a session that has read nothing: most trusted, public. `topRank` is `trustRanks.length - 1`. */
export function publicLabel(topRank: number): Label {
  return { trust: topRank, audience: [] }
}

/** The audience of data that exactly these readers may receive. `public` among them: everyone. No readers: nobody. */
export function audienceOf(readers: readonly string[]): Audience {
  return canonicalAudience([readers])
}

/** The label of something made from both: least trust, and only who may receive both. */
export function join(a: Label, b: Label): Label {
  if (b.audience.length === 0 && b.trust >= a.trust) return a
  return {
    trust: Math.min(a.trust, b.trust),
    audience: b.audience.length === 0 ? a.audience : canonicalAudience([...a.audience, ...b.audience]),
  }
}

/** Whether two labels are the same; labels are canonical, so this is exact. */
export function sameLabel(a: Label, b: Label): boolean {
  if (a.trust !== b.trust || a.audience.length !== b.audience.length) return false
  return a.audience === b.audience || a.audience.length === 0 || JSON.stringify(a.audience) === JSON.stringify(b.audience)
}

/** Whether a label restricts nothing: it is that of a session that has read nothing. */
export function isPublicLabel({ trust, audience }: Label, topRank: number): boolean {
  return trust >= topRank && audience.length === 0
}

/** A label as the decision log and the session store keep it: trust by name, so that it survives a change of ranks. */
export function labelRecord(label: Label, policy: Pick<Policy, 'trustRanks'>): LabelRecord {
  const lowest = policy.trustRanks[0] ?? 'untrusted'
  return { trust: policy.trustRanks[label.trust] ?? lowest, audience: label.audience.map((clause) => [...clause]) }
}

/** The stored label under the present configuration. A trust name that no longer exists counts as least trusted. */
export function labelFromRecord(record: LabelRecord, policy: Pick<Policy, 'trustRanks'>): Label {
  return { trust: Math.max(0, policy.trustRanks.indexOf(record.trust)), audience: canonicalAudience(record.audience) }
}

/** Sorted, unique clauses; a clause everyone satisfies and a clause implied by a stricter one are dropped. */
function canonicalAudience(clauses: readonly (readonly string[])[]): Audience {
  const unique = new Map<string, readonly string[]>()
  for (const clause of clauses) {
    if (clause.includes('public')) continue
    const sorted = [...new Set(clause)].sort()
    unique.set(JSON.stringify(sorted), sorted)
  }
  const kept = [...unique].filter(([key, clause]) => {
    const readers = new Set(clause)
    return ![...unique].some(([otherKey, other]) => otherKey !== key && other.every((reader) => readers.has(reader)))
  })
  return kept.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, clause]) => clause)
}
