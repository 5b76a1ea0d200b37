/** What a draft would have done with the calls that are on record: by the labels their sessions had. Arguments are not on record. Pure. */
import type { ToolUse } from '../../audit/tool-use.ts'
import type { DraftContract } from '../../policy/drafting-contracts.ts'

export interface DraftOnRecord {
  /** Calls of the tool on record. */
  readonly calls: number
  /** Of these, calls in sessions that had read something the draft does not allow. */
  readonly refused: number
  /** Why: a call may lack both. */
  readonly because: { readonly trust: number; readonly audience: number }
  /** Calls of which it is not known: whom they would have told, or what their session had read. */
  readonly notKnown: number
}

/** `trustRanks`: names, least trusted first. */
export function draftOnRecord({ requires = {} }: DraftContract, use: ToolUse | undefined, trustRanks: readonly string[]): DraftOnRecord {
  const needed = requires.trust === undefined ? 0 : trustRanks.indexOf(requires.trust)
  const includes = requires.audience?.includes ?? []
  let [refused, trust, audience, notKnown] = [0, 0, 0, 0]
  for (const { trust: name, isRestricted, count } of use?.labels ?? []) {
    const rank = name === null ? -1 : trustRanks.indexOf(name)
    // A rank the configuration does not have any more says nothing.
    const isUnknown = rank === -1 && (needed > 0 || includes.length > 0)
    const lacksTrust = rank !== -1 && rank < needed
    const lacksReaders = rank !== -1 && isRestricted && includes.includes('public')
    if (lacksTrust || lacksReaders) refused += count
    else if (isUnknown || (isRestricted && includes.length > 0)) notKnown += count
    if (lacksTrust) trust += count
    if (lacksReaders) audience += count
  }
  return { calls: use?.calls ?? 0, refused, because: { trust, audience }, notKnown }
}

/** In words, for a comment; empty when nothing was called. */
export function onRecordText({ calls, refused, because, notKnown }: DraftOnRecord): string {
  if (calls === 0) return ''
  const why = [because.trust > 0 ? 'after untrusted reads' : '', because.audience > 0 ? 'with what is not for everybody' : '']
  const parts = [
    refused === 0 ? '' : `${refused} would have been refused (${why.filter((text) => text !== '').join(', ')})`,
    notKnown === 0 ? '' : `of ${notKnown} it is not known`,
  ].filter((text) => text !== '')
  return `called ${calls} time${calls === 1 ? '' : 's'}${parts.length === 0 ? '; none would have been refused' : `; ${parts.join('; ')}`}`
}
