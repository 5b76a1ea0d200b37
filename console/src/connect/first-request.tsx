/** Whether what was set up works: the first turn of this person that began after the page was opened. Looks by itself until there is one. */
import type { turnsSchema } from '@turnward/contract/api/turns'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { z } from 'zod'
import { read } from '../api.ts'

const lookEachMs = 3000

export function FirstRequest({ person }: { readonly person: string }) {
  const [opened] = useState(() => Date.now())
  const query = new URLSearchParams({ principal: person, from: String(opened), limit: '1' }).toString()
  const { data } = useQuery({
    queryKey: ['turns', 'first', person, opened],
    queryFn: () => read<z.output<typeof turnsSchema>>(`/api/turns?${query}`),
    refetchInterval: ({ state }) => (state.data !== undefined && state.data.turns.length > 0 ? false : lookEachMs),
  })
  const first = data?.turns[0]
  return (
    <p role="status" className={first === undefined ? undefined : 'good'}>
      {first === undefined ? (
        'Waiting for the first request…'
      ) : (
        <>
          ✓ It works: a request of yours has arrived
          {first.client === null ? '' : ` from ${first.client}`}.{' '}
          <Link to="/turns/$id" params={{ id: first.turn }}>
            See what happened
          </Link>
        </>
      )}
    </p>
  )
}
