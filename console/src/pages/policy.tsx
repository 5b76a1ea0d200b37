/** A draft of the policy on what is on record: which decisions would have been others. Nothing of what runs is touched. */
import type { replaySchema } from '@turnward/contract/api/policy'
import { useMutation } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { z } from 'zod'
import { change } from '../api.ts'
import { Page, Refused, Time, useMe } from '../parts.tsx'
import { Table } from '../table.tsx'
import { countText } from '../words.ts'

type Replay = z.output<typeof replaySchema>

const example = `include: [turnward.yaml]
rules:
  - name: draft
    when: "tool.name == 'mail__send'"
    verdict: deny
    reason: A draft.
`
const spans = { '1h': 'the last hour', '24h': 'the last day', '7d': 'the last week' }

export function PolicyPage() {
  const who = useMe()
  const [draft, setDraft] = useState(example)
  const [since, setSince] = useState('24h')
  const why = who.data?.roles.includes('admin') === true ? undefined : 'Trying a policy needs the role admin.'
  const replaying = useMutation({
    mutationFn: () => {
      if (who.data === undefined) throw new Error('Who you are is still being read. Try again.')
      return change<Replay>(who.data, 'POST', '/api/policy/replay', { draft, since })
    },
  })
  const isOff = why !== undefined || replaying.isPending
  return (
    <Page title="Try a policy">
      <p>
        A draft is a configuration that includes the file that runs, and says what is to be different: rules, contracts, grants, packs. It
        is laid beside what agents did; nothing that runs is changed.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (!isOff) replaying.mutate()
        }}
      >
        <label>
          Draft, as YAML
          <textarea
            required
            rows={Math.min(30, Math.max(8, draft.split('\n').length + 1))}
            spellCheck={false}
            value={draft}
            onChange={({ target }) => setDraft(target.value)}
          />
        </label>
        <label>
          On
          <select value={since} onChange={({ target }) => setSince(target.value)}>
            {Object.entries(spans).map(([span, name]) => (
              <option key={span} value={span}>
                {name}
              </option>
            ))}
          </select>
        </label>
        {why === undefined ? null : <p id="why-not">{why}</p>}
        <p>
          <button type="submit" className="primary" aria-disabled={isOff} aria-describedby="why-not">
            {replaying.isPending ? 'Deciding again…' : 'Show what would be different'}
          </button>
        </p>
      </form>
      {replaying.error === null ? null : <Refused error={replaying.error} />}
      {replaying.data === undefined ? null : <Replayed replay={replaying.data} />}
    </Page>
  )
}

function Replayed({ replay }: { readonly replay: Replay }) {
  const { decisions, same, otherReasons, changed, notKnown, from, to, truncated, shortened, changes, unknown } = replay
  return (
    <>
      <h2>What would be different</h2>
      <p role="status">
        {countText(decisions, 'decision')}
        {from === null ? '' : ' from '}
        {from === null ? null : <Time at={from} />}
        {to === null ? '' : ' to '}
        {to === null ? null : <Time at={to} />}: {changed} would be others, {same} the same
        {otherReasons === 0 ? '' : ` (${otherReasons} for another reason)`}, of {notKnown} it is not known.
      </p>
      {truncated || shortened ? (
        <p className="refused">There is more than is read or shown at once: a shorter time tells all of it.</p>
      ) : null}
      <Table
        caption="Decisions that would be others"
        columns={['Tool', 'For', 'Was', 'Becomes', 'Why', 'How often', 'Turns']}
        rows={changes.map(({ tool, principal, was, becomes, reason, decidedBy, count, turns }) => ({
          key: `${tool} ${principal} ${was} ${becomes} ${reason}`,
          cells: [tool, principal, was, becomes, `${reason} (${decidedBy.join(', ')})`, count, <Turns key="turns" turns={turns} />],
        }))}
        empty={<p>Nothing would be different. Change the draft, or look at a longer time.</p>}
      />
      {unknown.length === 0 ? null : (
        <Table
          caption="Not known, because it depends on what is not on record"
          columns={['Tool', 'For', 'Was', 'Depends on', 'How often', 'Turns']}
          rows={unknown.map(({ tool, principal, was, asks, count, turns }) => ({
            key: `${tool} ${principal} ${was}`,
            cells: [
              tool,
              principal,
              was,
              asks.map(({ source, needs }) => `${needs} (${source})`).join('; '),
              count,
              <Turns key="turns" turns={turns} />,
            ],
          }))}
          empty={null}
        />
      )}
    </>
  )
}

function Turns({ turns }: { readonly turns: readonly string[] }) {
  return turns.map((turn) => (
    <p key={turn}>
      <Link to="/turns/$id" params={{ id: turn }}>
        {turn}
      </Link>
    </p>
  ))
}
