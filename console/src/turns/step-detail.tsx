import type { RefusedCall } from '@turnward/contract/api/turns'
import { Link } from '@tanstack/react-router'
import { Fragment } from 'react'
import { Time } from '../parts.tsx'
import { durationText, moneyText } from '../words.ts'
import type { StepLine } from './steps.ts'

/** All that is on record of a step. */
export function StepDetail({ step }: { readonly step: StepLine['step'] }) {
  const { decision, time, rules, reason, credential, revision, errorCode, usage, cost, shadow, agent, approval, latencyMs } = step
  const facts: readonly (readonly [string, React.ReactNode])[] = [
    ['Begun', <Time key="at" at={time} />],
    ['Took', latencyMs === undefined ? undefined : durationText(latencyMs)],
    ['Decided by', rules.length === 0 ? undefined : rules.join(', ')],
    ['Why', reason],
    ['Error', errorCode],
    ['Tokens', usage === undefined ? undefined : `${usage.inputTokens ?? '?'} in, ${usage.outputTokens ?? '?'} out`],
    ['Cost', cost === undefined ? undefined : moneyText(cost.amount, cost.unpriced)],
    ['Credential', credential],
    ['Sub-agent', agent],
    ['Client', 'client' in step ? step.client : undefined],
    ['Routed', 'routing' in step && step.routing !== undefined ? `${step.routing.balance}: ${step.routing.why}` : undefined],
    ['Not offered', 'hidden' in step && step.hidden.length > 0 ? step.hidden.join(', ') : undefined],
    ['At', 'gateway' in step ? step.gateway : undefined],
    ['Ticket', 'ticket' in step ? step.ticket?.replaceAll('_', ' ') : undefined],
    ['A draft would have', shadow === undefined ? undefined : `${shadow.action}: ${shadow.reason}`],
    [
      'Approval',
      approval === undefined ? undefined : (
        <Link key="approval" to="/approvals/$id" params={{ id: approval }}>
          {approval}
        </Link>
      ),
    ],
    ['Configuration', revision],
    ['Decision', decision],
  ]
  return (
    <div className="detail">
      <Why {...step} />
      <dl>
        {facts.map(([name, value]) =>
          value === undefined || value === null || value === '' ? null : (
            <Fragment key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </Fragment>
          ),
        )}
      </dl>
    </div>
  )
}

/** What was missing, where that is more than the reason says, and what would help; nothing for a call that was simply allowed. */
export function Why({ reason, gaps, remedies }: Pick<RefusedCall, 'reason' | 'gaps' | 'remedies'>) {
  const isSaid = gaps.length === 1 && gaps[0]?.detail.toLowerCase() === reason.toLowerCase().replace(/\.$/, '')
  return (
    <>
      {gaps.length === 0 || isSaid ? null : (
        <>
          <p>
            <strong>Missing</strong>
          </p>
          <ul>
            {gaps.map(({ kind, detail, source }) => (
              <li key={`${kind} ${detail} ${source}`}>
                {detail} <small>({source})</small>
              </li>
            ))}
          </ul>
        </>
      )}
      {remedies.length === 0 ? null : (
        <>
          <p>
            <strong>What would allow it</strong>
          </p>
          <ul>
            {remedies.map(({ kind, detail }) => (
              <li key={`${kind} ${detail}`}>{detail}</li>
            ))}
          </ul>
        </>
      )}
    </>
  )
}
