import type { approvalSchema, approvalsSchema } from '@turnward/contract/api/approvals'
import { useMutation } from '@tanstack/react-query'
import { Link, useParams, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import type { z } from 'zod'
import { change, read } from '../api.ts'
import { Asked, Page, Refused, Time, useMe, useReadAgain } from '../parts.tsx'
import { Table } from '../table.tsx'

type Approval = z.output<typeof approvalSchema>

/** What stands in the address of the page. */
export function statusIn({ status }: Record<string, unknown>): { readonly status?: 'all' } {
  return status === 'all' ? { status } : {}
}

export function ApprovalsPage() {
  const { status = 'pending' } = useSearch({ from: '/approvals' })
  const isAll = status === 'all'
  const listed = {
    queryKey: ['approvals', status],
    queryFn: () => read<z.output<typeof approvalsSchema>>(`/api/approvals?status=${status}`),
  }
  return (
    <Page title="Approvals">
      <p className="buttons">
        <Link to="/approvals" search={isAll ? {} : { status: 'all' }} className="button quiet">
          {isAll ? 'Only those that wait' : 'All, also those that are over'}
        </Link>
      </p>
      <Asked options={listed}>
        {({ approvals }) => (
          <Table
            caption={isAll ? 'Calls that waited for a person' : 'Calls that wait for a person'}
            columns={['Tool', 'For', 'Why', 'Status', 'Until']}
            rows={approvals.map(({ id, tool, principal, reason, status: is, expires }) => ({
              key: id,
              cells: [
                <Link key="to" to="/approvals/$id" params={{ id }}>
                  {tool}
                </Link>,
                principal,
                reason,
                is,
                <Time key="until" at={expires} />,
              ],
            }))}
            empty={<p>{isAll ? 'No call has waited yet.' : 'No call waits for you.'} Refresh to look again.</p>}
          />
        )}
      </Asked>
    </Page>
  )
}

export function ApprovalPage() {
  const { id } = useParams({ from: '/approvals/$id' })
  const path = `/api/approvals/${encodeURIComponent(id)}`
  return (
    <Page title="Approval">
      <Asked options={{ queryKey: ['approvals', id], queryFn: () => read<Approval>(path) }}>
        {(approval) => <OneApproval approval={approval} path={path} />}
      </Asked>
    </Page>
  )
}

function OneApproval({ approval, path }: { readonly approval: Approval; readonly path: string }) {
  const { tool, principal, actor, reason, turn, status, missing, expires, shown, marks, values, rulings } = approval
  return (
    <>
      <dl>
        <dt>Tool</dt>
        <dd>{tool}</dd>
        <dt>For</dt>
        <dd>{actor === null ? principal : `${principal}, by ${actor}`}</dd>
        {turn === null ? null : (
          <>
            <dt>Turn</dt>
            <dd>
              <Link to="/turns/$id" params={{ id: turn }}>
                {turn}
              </Link>
            </dd>
          </>
        )}
        <dt>Why it waits</dt>
        <dd>{reason}</dd>
        <dt>Status</dt>
        <dd>{status === 'pending' ? `pending, ${missing} more needed` : status}</dd>
        <dt>Until</dt>
        <dd>
          <Time at={expires} />
        </dd>
      </dl>
      <h2>Arguments</h2>
      <pre tabIndex={0} aria-label="Arguments">
        {shown.join('\n')}
      </pre>
      {marks.map(({ path: place, kind, detail }) => (
        <p key={`${place} ${kind} ${detail}`} className="refused">
          <strong>{kind.replaceAll('_', ' ')}</strong> in {place}: {detail}
        </p>
      ))}
      {values.length === 0 ? null : (
        <>
          <h2>Values from a source that is not trusted</h2>
          <ul>
            {values.map((value) => (
              <li key={value}>
                <code>{value}</code>
              </li>
            ))}
          </ul>
        </>
      )}
      {rulings.map(({ by, ruling, time }) => (
        <p key={by}>
          {by}: {ruling}, <Time at={time} />
        </p>
      ))}
      <Ruling approval={approval} path={path} />
    </>
  )
}

/** A ruling is bound to what is shown by its digest. */
function Ruling({ approval, path }: { readonly approval: Approval; readonly path: string }) {
  const who = useMe()
  const readAgain = useReadAgain()
  const [reason, setReason] = useState('')
  const [endorse, setEndorse] = useState(false)
  const ruling = useMutation({
    mutationFn: async (word: 'approve' | 'deny') => {
      if (who.data === undefined) throw new Error('Who you are is still being read. Try again.')
      const said = { digest: approval.digest, ...(reason === '' ? {} : { reason }) }
      await change(who.data, 'POST', `${path}/${word}`, word === 'approve' ? { ...said, endorse } : said)
      await readAgain()
    },
  })
  const blocked = approval.may_rule
    ? undefined
    : approval.status === 'pending'
      ? 'You are not among those who may rule on this call, or have ruled already.'
      : `Nothing is left to rule on: it is ${approval.status}.`
  const isOff = blocked !== undefined || ruling.isPending
  const rule = (word: 'approve' | 'deny') => () => {
    if (!isOff) ruling.mutate(word)
  }
  return (
    <form onSubmit={(event) => event.preventDefault()}>
      <label>
        Reason
        <input value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} />
      </label>
      {approval.values.length === 0 ? null : (
        <label className="check">
          <input type="checkbox" checked={endorse} onChange={(event) => setEndorse(event.target.checked)} />
          Endorse: vouch for these values in the rest of the conversation
        </label>
      )}
      {blocked === undefined ? null : <p id="blocked">{blocked}</p>}
      <p className="buttons">
        <button type="button" className="primary" onClick={rule('approve')} aria-disabled={isOff} aria-describedby="blocked">
          Approve
        </button>
        <button type="button" onClick={rule('deny')} aria-disabled={isOff} aria-describedby="blocked">
          Deny
        </button>
      </p>
      {ruling.error === null ? null : <Refused error={ruling.error} />}
    </form>
  )
}
