/** One turn: what happened, in which order, what was refused and why, and what it changed for what comes after. */
import type { turnSchema } from '@turnward/contract/api/turns'
import { Link, useParams } from '@tanstack/react-router'
import type { z } from 'zod'
import { read } from '../api.ts'
import { Asked, Page, Time } from '../parts.tsx'
import { CopyButton } from '../snippet.tsx'
import { Why } from '../turns/step-detail.tsx'
import { Waterfall } from '../turns/waterfall.tsx'
import { countText, durationText, labelText, totalsText } from '../words.ts'

type Turn = z.output<typeof turnSchema>

export function TurnPage() {
  const { id } = useParams({ from: '/turns/$id' })
  return (
    <Page title="Turn">
      <Asked options={{ queryKey: ['turns', id], queryFn: () => read<Turn>(`/api/turns/${encodeURIComponent(id)}`) }}>
        {(turn) => <OneTurn id={id} turn={turn} />}
      </Asked>
    </Page>
  )
}

function OneTurn({ id, turn }: { readonly id: string; readonly turn: Turn }) {
  return (
    <>
      <p className="buttons">
        <CopyButton what="link" text={location.href} />
        <CopyButton what="JSON" text={JSON.stringify(turn, null, 2)} />
        <CopyButton what="command" text={`turnward turns show ${id}`} />
        <Link to="/policy/simulate" search={{ tab: 'turns', turn: id }} className="button quiet">
          Try another rule
        </Link>
      </p>
      <Facts id={id} turn={turn} />
      {turn.truncated ? <p className="refused">This turn has more records than are read at once: its end is missing here.</p> : null}
      <Refusals turn={turn} />
      <h2>What happened</h2>
      <Waterfall turn={turn} />
      <p>
        <Link to="/decisions" search={{ turn: id }}>
          Its {countText(turn.records, 'record')}
        </Link>
      </p>
    </>
  )
}

function Facts({ id, turn }: { readonly id: string; readonly turn: Turn }) {
  const { principal, actor, consumer, session, started, ended, label, totals, key } = turn
  return (
    <dl>
      <dt>Turn</dt>
      <dd>{id}</dd>
      <dt>For</dt>
      <dd>
        {principal ?? 'nobody'}
        {actor === null ? '' : `, by ${actor}`}
        {consumer === null ? '' : `, with ${consumer}`}
        {key === null ? '' : ` (key ${key})`}
      </dd>
      <dt>Session</dt>
      <dd>
        {session === null ? (
          'none'
        ) : (
          <Link to="/sessions/$id" params={{ id: session }}>
            {session}
          </Link>
        )}
      </dd>
      <dt>Begun</dt>
      <dd>
        <Time at={started} />
        {started === null || ended === null ? '' : `, for ${durationText(ended - started)}`}
      </dd>
      <dt>Used</dt>
      <dd>{totalsText(totals)}</dd>
      <dt>Label now</dt>
      <dd>{label === null ? 'none' : labelText(label)}</dd>
    </dl>
  )
}

function Refusals({ turn: { refused, principal, actor, session } }: { readonly turn: Turn }) {
  if (refused.length === 0) return null
  return (
    <>
      <h2>{countText(refused.length, 'refused call')}</h2>
      {refused.map(({ decision, subject, reason, rules, gaps, remedies }) => (
        <section key={decision} className="refused" aria-label={`Refused: ${subject}`}>
          <p>
            <code>{subject}</code>: <strong>{reason}</strong> {rules.length === 0 ? null : <small>(by {rules.join(', ')})</small>}
          </p>
          <Why reason={reason} gaps={gaps} remedies={remedies} />
          <p>
            <Link
              to="/policy/simulate"
              search={{
                tab: 'call',
                tool: subject,
                ...(principal !== null && { principal }),
                ...(actor !== null && { agent: actor }),
                ...(session !== null && { session }),
              }}
            >
              Simulate such a call
            </Link>
          </p>
        </section>
      ))}
    </>
  )
}
