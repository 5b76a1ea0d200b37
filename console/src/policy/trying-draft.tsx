/** A draft on what is on record: of a span, or of one turn or session. Which decisions would have been others; and then it can be kept. */
import type { replaySchema } from '@turnward/contract/api/policy'
import { useMutation } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import type { z } from 'zod'
import { change } from '../api.ts'
import type { Wanted } from '../filters.tsx'
import { Refused, Time, useMe } from '../parts.tsx'
import { Table } from '../table.tsx'
import { countText } from '../words.ts'
import { DraftEditing, useDraftText } from './draft-editing.tsx'
import { KeepingDraft } from './keeping-draft.tsx'

type Replay = z.output<typeof replaySchema>

const spans: Readonly<Record<string, string>> = { '1h': 'the last hour', '24h': 'the last day', '7d': 'the last week' }

interface TryingDraftProps {
  readonly over: 'turns' | 'span'
  readonly wanted: Wanted
}

export function TryingDraft({ over, wanted }: TryingDraftProps) {
  const who = useMe()
  const text = useDraftText()
  const navigate = useNavigate({ from: '/policy/simulate' })
  const { since = '24h', turn, session } = wanted
  const want = (more: Wanted): void => void navigate({ search: { ...wanted, ...more }, replace: true })
  const lacks = over === 'turns' && turn === undefined && session === undefined
  const why =
    who.data?.roles.includes('admin') !== true
      ? 'Trying a draft on what is on record needs the role admin.'
      : lacks
        ? 'Name a turn or a session first.'
        : undefined
  const replaying = useMutation({
    mutationFn: async () => {
      if (who.data === undefined) throw new Error('Who you are is still being read. Try again.')
      const of = over === 'span' ? { since } : turn !== undefined ? { turn } : { session }
      return { draft: text, replay: await change<Replay>(who.data, 'POST', '/api/policy/replay', { draft: text, ...of }) }
    },
  })
  const isOff = why !== undefined || replaying.isPending
  return (
    <>
      <p>
        A draft is a configuration that includes the file that runs, and says what is to be different: rules, contracts, grants, packs. It
        is laid beside what agents did; nothing that runs is changed.
      </p>
      <form
        className="wide"
        onSubmit={(event) => {
          event.preventDefault()
          if (!isOff) replaying.mutate()
        }}
      >
        <DraftEditing />
        {over === 'span' ? (
          <label>
            On
            <select value={since} onChange={({ target }) => want({ since: target.value })}>
              {Object.entries(spans).map(([span, name]) => (
                <option key={span} value={span}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        ) : (
          <div className="columns">
            <Named label="Turn" value={turn} onName={(name) => want({ turn: name, session: undefined })} />
            <Named label="or session" value={session} onName={(name) => want({ session: name, turn: undefined })} />
          </div>
        )}
        {why === undefined ? null : <p id="why-not">{why}</p>}
        <p>
          <button type="submit" className="primary" aria-disabled={isOff} aria-describedby="why-not">
            {replaying.isPending ? 'Deciding again…' : 'Show what would be different'}
          </button>
        </p>
      </form>
      {replaying.error === null ? null : <Refused error={replaying.error} />}
      {replaying.data === undefined ? null : (
        <>
          {replaying.data.draft === text ? null : <p className="refused">The draft has changed since: this is of how it was before.</p>}
          <Replayed replay={replaying.data.replay} />
        </>
      )}
      <KeepingDraft text={text} />
    </>
  )
}

interface NamedProps {
  readonly label: string
  readonly value: string | undefined
  readonly onName: (name: string | undefined) => void
}

function Named({ label, value, onName }: NamedProps) {
  return (
    <label>
      {label}
      <input
        key={value ?? ''}
        defaultValue={value ?? ''}
        maxLength={512}
        autoComplete="off"
        onBlur={({ target }) => {
          const name = target.value.trim()
          if (name !== (value ?? '')) onName(name === '' ? undefined : name)
        }}
      />
    </label>
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
