/** What a list is narrowed to, kept by a name in this browser. Each is a link: what is shown is in the address, as always. */
import { Link } from '@tanstack/react-router'
import { useState, type SubmitEvent } from 'react'
import type { Wanted } from './filters.tsx'

interface SavedFiltersProps {
  readonly to: '/turns'
  /** What stands in the address now. */
  readonly wanted: Wanted
  /** Of what is kept, what the list knows. */
  readonly known: (search: Record<string, unknown>) => Wanted
}

const most = 30
const longestName = 64

export function SavedFilters({ to, wanted, known }: SavedFiltersProps) {
  const place = `turnward.filters${to}`
  const [saved, setSaved] = useState(() => readSaved(place, known))
  const [said, setSaid] = useState('')
  const { cursor: _page, ...narrowed } = wanted
  const why = Object.keys(narrowed).length === 0 ? 'Narrow the list first.' : undefined
  const write = (next: ReadonlyMap<string, Wanted>, told: string): void => {
    try {
      localStorage.setItem(place, JSON.stringify([...next]))
    } catch {
      return setSaid('This browser keeps nothing.')
    }
    setSaved(next)
    setSaid(told)
  }
  const save = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const form = event.currentTarget
    const given = new FormData(form).get('name')
    const name = typeof given === 'string' ? given.trim() : ''
    if (why !== undefined) return setSaid(why)
    if (name === '') return setSaid('Give it a name.')
    if (saved.size >= most && !saved.has(name)) return setSaid(`${most} are kept at most: forget one first.`)
    write(new Map([...saved, [name, narrowed]]), `Saved ${name}.`)
    form.reset()
  }
  const forget = (name: string): void => write(new Map([...saved].filter(([one]) => one !== name)), `Forgot ${name}.`)
  return (
    <details className="filters">
      <summary>{saved.size === 0 ? 'Saved filters' : `Saved filters (${saved.size})`}</summary>
      <ul>
        {[...saved].map(([name, search]) => (
          <li key={name} className="buttons">
            <Link to={to} search={search}>
              {name}
            </Link>{' '}
            <button type="button" aria-label={`Forget ${name}`} onClick={() => forget(name)}>
              Forget
            </button>
          </li>
        ))}
      </ul>
      <form onSubmit={save}>
        <label>
          Name
          <input name="name" maxLength={longestName} />
        </label>
        <p className="buttons">
          <button type="submit" aria-disabled={why !== undefined}>
            Save what is shown
          </button>
        </p>
        <p role="status">{said === '' ? (why ?? 'In this browser alone.') : said}</p>
      </form>
    </details>
  )
}

/** What stands there may be of another release, or of somebody's hand: what is no filter counts as none. */
function readSaved(place: string, known: SavedFiltersProps['known']): ReadonlyMap<string, Wanted> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(place) ?? '[]')
    if (!Array.isArray(kept)) return new Map()
    const entries = kept.slice(0, most).flatMap((entry: unknown): [string, Wanted][] => {
      if (!Array.isArray(entry)) return []
      const [name, search] = entry as unknown[]
      const isOne = typeof name === 'string' && name.length <= longestName && typeof search === 'object' && search !== null
      return isOne ? [[name, known(search as Record<string, unknown>)]] : []
    })
    return new Map(entries)
  } catch {
    return new Map()
  }
}
