/** Approvals, put together: where they are kept, where people rule on them, and who is told of them. */
import type { DecisionLog } from '../audit/decision-log.ts'
import type { Snapshot } from '../config/snapshot.ts'
import { systemClock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { StateStore } from '../state/state-store.ts'
import type { Store } from '../store/store.ts'
import { approvalPath } from '../turns/approvals/answering-pages.ts'
import { ApprovalWebhook } from '../turns/approvals/approval-webhook.ts'
import { Approvals } from '../turns/approvals/approvals.ts'
import { endorseValues } from '../turns/approvals/endorsing-values.ts'
import type { Services } from '../turns/services.ts'

export interface ApprovalRoom extends Pick<Services, 'approvals' | 'approvalLink'> {
  close(): Promise<void>
}

export function openApprovals(parts: {
  readonly store: Store
  readonly state: StateStore
  readonly log: DecisionLog
  readonly snapshot: () => Snapshot
  /** What browsers reach us under. */
  readonly publicUrl: () => string
  readonly logger: Logger
}): ApprovalRoom {
  const { store, state, log, snapshot, publicUrl, logger } = parts
  // Where nobody can sign in, a page that asks who one is lets nobody in.
  const canSignIn = (): boolean => {
    const { identity, issuers } = snapshot()
    return identity.sign_in.local || [...issuers.values()].some(({ client }) => client !== undefined)
  }
  const approvalLink = (id: string): string | undefined => (canSignIn() ? `${publicUrl()}${approvalPath(store.secret, id)}` : undefined)
  const webhook = new ApprovalWebhook({ snapshot, link: approvalLink, clock: systemClock, logger })
  const approvals = new Approvals({
    table: store.approvals,
    log,
    clock: systemClock,
    logger,
    secret: store.secret,
    snapshot,
    onEndorsed: (approval, by) => endorseValues({ state, clock: systemClock, secret: store.secret, snapshot }, approval, by),
    onAsked: (approval) => webhook.tell(approval),
  })
  return { approvals, approvalLink, close: () => webhook.close() }
}
