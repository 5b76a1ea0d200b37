import { Link } from '@tanstack/react-router'
import type { Wanted } from './filters.tsx'

interface PagingProps {
  readonly to: '/turns' | '/sessions' | '/decisions' | '/audit'
  /** What stands in the address now; `cursor` says where the list goes on. */
  readonly wanted: Wanted
  readonly next: string | null
}

interface NothingFoundProps extends Pick<PagingProps, 'to' | 'next'> {
  /** `No turn` */
  readonly what?: string
}

/** In the place of a list in which nothing is: further back, or wherever else something may be. */
export function NothingFound({ to, next, what = 'Nothing on record' }: NothingFoundProps) {
  if (next !== null) return <p>Nothing so far. Look further back with Older.</p>
  return (
    <p>
      {what} is like that. <Link to={to}>Show everything</Link>
    </p>
  )
}

/** To what comes after in a list, and back to its beginning. Nothing moves while somebody reads. */
export function Paging({ to, wanted, next }: PagingProps) {
  return (
    <p className="buttons">
      {wanted['cursor'] === undefined ? null : (
        <Link to={to} search={{ ...wanted, cursor: undefined }} className="button quiet">
          Newest
        </Link>
      )}
      {next === null ? null : (
        <Link to={to} search={{ ...wanted, cursor: next }} className="button quiet">
          Older
        </Link>
      )}
    </p>
  )
}
