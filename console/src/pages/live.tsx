/** Records of the decision log as they are written. Nothing moves while somebody reads: what comes meanwhile waits, and is counted. */
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { type MouseEvent, useCallback, useMemo, useRef, useState } from 'react'
import { ApiError } from '../api.ts'
import { decisionCells, decisionColumns, decisionFields } from '../decision-rows.tsx'
import { Filters, queryOf, wordsIn } from '../filters.tsx'
import { type FeedState, type Gap, Waiting } from '../live/feed.ts'
import { mostRows } from '../live/tail.ts'
import { type Come, useTail } from '../live/use-tail.ts'
import { Page, Refused } from '../parts.tsx'
import { Table } from '../table.tsx'

const fields = decisionFields.filter(({ type }) => type !== 'datetime-local')

/** What stands in the address of the page. */
export const liveIn = wordsIn(fields.map(({ name }) => name))

export function LivePage() {
  const wanted = useSearch({ from: '/live' })
  const navigate = useNavigate({ from: '/live' })
  const query = queryOf({ ...wanted, last: '50' })
  return (
    <Page title="Live">
      <Filters fields={fields} wanted={wanted} onWant={(search) => void navigate({ search })} />
      <Following key={query} path={`/api/live${query}`} />
    </Page>
  )
}

function Following({ path }: { readonly path: string }) {
  const { list, isHeld, isReading, watch } = useReading()
  const [isPaused, pause] = useState(false)
  const paused = useRef(false)
  const { shown, waiting, state, show } = useTail(
    path,
    useCallback(() => paused.current || isHeld(), [isHeld]),
  )
  const navigate = useNavigate()
  const rows = useRows(shown)
  // Addresses are plain ones, because rows come quickly; they are followed without reading the page anew.
  const follow = (event: MouseEvent): void => {
    const turn = (event.target as Element).closest<HTMLElement>('[data-turn]')?.dataset['turn']
    if (turn === undefined || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return
    event.preventDefault()
    navigate({ to: '/turns/$id', params: { id: turn } }).catch(() => {})
  }
  const showNew = (): void => {
    show()
    if ((list.current?.getBoundingClientRect().top ?? 0) < 0) scrollTo({ top: 0 })
  }
  if (state instanceof ApiError) return <Refused error={state} />
  const isStill = isPaused || isReading
  return (
    <>
      <div className="live">
        <button
          type="button"
          onClick={() => {
            paused.current = !isPaused
            pause(!isPaused)
          }}
        >
          {isPaused ? 'Go on' : 'Pause'}
        </button>
        <button type="button" data-refresh className={waiting > 0 ? 'primary' : ''} aria-disabled={waiting === 0} onClick={showNew}>
          {waiting === 0 ? 'Nothing new' : `Show ${waiting.toLocaleString()} new`}
        </button>
        <p role="status">{statusOf(state, isPaused, isStill)}</p>
      </div>
      <div ref={list} {...watch} onClick={follow}>
        <Table
          caption={`What was decided and what came of it, the newest first; the last ${mostRows} of it`}
          columns={decisionColumns}
          rows={rows}
          empty={
            <p>
              {state === 'connected' ? 'Nothing like that so far.' : 'Not connected.'} It stands here as soon as it is written.{' '}
              <Link to="/decisions">Look further back</Link>
            </p>
          }
        />
      </div>
    </>
  )
}

function statusOf(state: FeedState, isPaused: boolean, isStill: boolean): string {
  if (state instanceof Waiting) return `Connecting… ${state.why}`
  if (state !== 'connected') return 'Connecting…'
  return isPaused ? 'Paused.' : isStill ? 'Waits while you read.' : 'Following.'
}

/** Each row is made once. */
function useRows(shown: readonly Come[]) {
  const made = useRef(new WeakMap<Come, ReturnType<typeof rowOf>>())
  return useMemo(
    () =>
      shown.map((come) => {
        const row = made.current.get(come) ?? rowOf(come)
        made.current.set(come, row)
        return row
      }),
    [shown],
  )
}

function rowOf(come: Come) {
  if ('gap' in come) return { key: come.key, cells: gapCells(come.gap) }
  const { turn } = come.decision.record
  const link =
    turn === null ? (
      ''
    ) : (
      <a href={`/console/turns/${encodeURIComponent(turn)}`} data-turn={turn}>
        {turn}
      </a>
    )
  return { key: come.key, cells: decisionCells(come.decision.record, link) }
}

const reasons: Readonly<Record<Gap['reason'], string>> = {
  behind: 'this browser could not keep up',
  other_log: 'the log is another one, or was restored to an earlier day',
  missing: 'they are not in the log: run turnward audit verify',
  unreadable: 'they cannot be read: run turnward audit verify',
}

function gapCells({ reason, count }: Gap) {
  return ['', 'left out', count === null ? 'some records' : `${count.toLocaleString()} records`, '', '', reasons[reason], '']
}

/** Whether somebody reads: the pointer or the focus is in the list, or its beginning has gone out of sight. */
function useReading() {
  const list = useRef<HTMLDivElement>(null)
  const [isReading, setReading] = useState(false)
  const has = useRef({ pointer: false, focus: false })
  const isHeld = useCallback((): boolean => {
    const isAway = (list.current?.getBoundingClientRect().top ?? 0) < 0
    const now = has.current.pointer || has.current.focus || isAway
    setReading(now)
    return now
  }, [])
  const set = (what: 'pointer' | 'focus', is: boolean) => (): void => {
    has.current[what] = is
    isHeld()
  }
  const watch = {
    onPointerEnter: set('pointer', true),
    onPointerLeave: set('pointer', false),
    onFocus: set('focus', true),
    onBlur: set('focus', false),
  }
  return { list, isHeld, isReading, watch }
}
