/** What a list is narrowed to. It stands in the address of the page, so a link shows what somebody saw. */
import type { SubmitEvent } from 'react'

export interface FilterField {
  readonly name: string
  readonly label: string
  readonly type?: 'datetime-local'
  /** Value -> what it is called; free text without them. */
  readonly options?: Readonly<Record<string, string>>
}

export type Wanted = Readonly<Partial<Record<string, string>>>

/** Of the address of a page, what a list knows. */
export function wordsIn(names: readonly string[]): (search: Record<string, unknown>) => Wanted {
  return (search) =>
    Object.fromEntries(
      names.flatMap((name) => {
        const value = search[name]
        return typeof value === 'string' && value !== '' ? [[name, value]] : typeof value === 'number' ? [[name, String(value)]] : []
      }),
    )
}

/** As the API is asked. Moments are those of this machine; the API has its own zone. */
export function queryOf(wanted: Wanted): string {
  const entries = Object.entries(wanted).flatMap(([name, value]) => {
    if (value === undefined) return []
    const isMoment = name === 'from' || name === 'to'
    return [[name, isMoment && !Number.isNaN(Date.parse(value)) ? new Date(value).toISOString() : value]]
  })
  return entries.length === 0 ? '' : `?${new URLSearchParams(entries).toString()}`
}

interface FiltersProps {
  readonly fields: readonly FilterField[]
  readonly wanted: Wanted
  readonly onWant: (wanted: Wanted) => void
}

export function Filters({ fields, wanted, onWant }: FiltersProps) {
  const set = fields.flatMap(({ name, label, options }) => {
    const value = wanted[name]
    return value === undefined ? [] : [`${label}: ${options?.[value] ?? value}`]
  })
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const entries = [...new FormData(event.currentTarget)].filter(([, value]) => typeof value === 'string' && value !== '')
    onWant(Object.fromEntries(entries) as Wanted)
  }
  return (
    <details className="filters">
      <summary>{set.length === 0 ? 'Filter' : `Filter (${set.join(', ')})`}</summary>
      {/* Made anew when the address changes by a link: it shows what is asked for. */}
      <form key={JSON.stringify(wanted)} onSubmit={submit}>
        {fields.map(({ name, label, type, options }) => (
          <label key={name}>
            {label}
            {options === undefined ? (
              <input name={name} type={type ?? 'text'} maxLength={512} defaultValue={wanted[name] ?? ''} />
            ) : (
              <select name={name} defaultValue={wanted[name] ?? ''}>
                <option value="">any</option>
                {Object.entries(options).map(([value, said]) => (
                  <option key={value} value={value}>
                    {said}
                  </option>
                ))}
              </select>
            )}
          </label>
        ))}
        <p className="buttons">
          <button type="submit" className="primary">
            Show
          </button>
          <button type="button" onClick={() => onWant({})}>
            Show everything
          </button>
        </p>
      </form>
    </details>
  )
}
