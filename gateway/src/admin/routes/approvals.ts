/** Calls that wait for a person, for those who may rule on them and for those whose calls they are. */
import { approvalSchema, approvalsQuerySchema, approvalsSchema, rulingSchema } from '@turnward/contract/api/approvals'
import { TurnwardError } from '../../core/error.ts'
import { mayRule } from '../../turns/approvals/approval.ts'
import { summaryOf, viewOf } from '../../turns/approvals/approval-view.ts'
import type { Services } from '../../turns/services.ts'
import { apiRoute, type ApiRoute } from '../api-route.ts'

const mostAtOnce = 200

export function approvalRoutes({
  approvals,
  approvalLink,
  snapshot,
}: Pick<Services, 'approvals' | 'approvalLink' | 'snapshot'>): readonly ApiRoute[] {
  const tag = 'Approvals'
  const ruling = (name: 'approve' | 'deny', summary: string): ApiRoute =>
    apiRoute({
      path: `/api/approvals/{id}/${name}`,
      method: 'POST',
      needs: 'person',
      tag,
      summary,
      body: rulingSchema,
      answer: approvalSchema,
      async run({ administrator: person, parameters: { id = '' }, body: { reason, digest, endorse } }) {
        const endorses = endorse && name === 'approve'
        const approval = await approvals.rule(id, person, { ruling: name, via: 'api', endorses, reason: reason?.trim(), digest })
        return viewOf(approval, person, snapshot(), approvalLink(approval.id))
      },
    })
  return [
    apiRoute({
      path: '/api/approvals',
      method: 'GET',
      needs: 'person',
      tag,
      summary: 'Those that one may rule on, or whose call is one’s own',
      query: approvalsQuerySchema,
      answer: approvalsSchema,
      async run({ administrator: person, query: { status } }) {
        const found = await approvals.list(person, { isPending: status === 'pending', most: mostAtOnce })
        return { approvals: found.map((approval) => summaryOf(approval, person)) }
      },
    }),
    apiRoute({
      path: '/api/approvals/{id}',
      method: 'GET',
      needs: 'person',
      tag,
      summary: 'One of them, with its arguments',
      answer: approvalSchema,
      async run({ administrator: person, parameters: { id = '' } }) {
        const approval = await approvals.find(id)
        if (approval === undefined || !(approval.facts.principal === person.id || mayRule(approval, person)))
          throw new TurnwardError('approval.not_found', { subject: id.slice(0, 64) })
        return viewOf(approval, person, snapshot(), approvalLink(id))
      },
    }),
    ruling('approve', 'Approves a call, and with `endorse` its values'),
    ruling('deny', 'Denies a call'),
  ]
}
