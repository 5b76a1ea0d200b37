import { stopKinds } from '../stop-kinds.ts'
import type { stopsSchema } from '@turnward/contract/api/stops'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { z } from 'zod'
import { change, read } from '../api.ts'
import { Asked, Page, Refused, Time, useMe, useReadAgain } from '../parts.tsx'
import { Table } from '../table.tsx'

const standing = { queryKey: ['stops'], queryFn: () => read<z.output<typeof stopsSchema>>('/api/stops') }

export function StopsPage() {
  const who = useMe()
  const readAgain = useReadAgain()
  const [kind, setKind] = useState<string>(stopKinds[0])
  const [name, setName] = useState('')
  const [reason, setReason] = useState('')
  const asking = useMutation({
    mutationFn: async (lifted: string | undefined) => {
      if (who.data === undefined) throw new Error('Who you are is still being read. Try again.')
      if (lifted === undefined) await change(who.data, 'POST', '/api/stops', { kind, name, ...(reason === '' ? {} : { reason }) })
      else await change(who.data, 'DELETE', `/api/stops/${encodeURIComponent(lifted)}`)
      if (lifted === undefined) setName('')
      await readAgain()
    },
  })
  const mayStop = who.data?.roles.includes('operator') === true
  const isOff = !mayStop || asking.isPending
  return (
    <Page title="Stops">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (!isOff) asking.mutate(undefined)
        }}
      >
        <label>
          Kind
          <select value={kind} onChange={(event) => setKind(event.target.value)}>
            {stopKinds.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <label>
          Name
          <input required maxLength={500} value={name} onChange={(event) => setName(event.target.value)} />
        </label>
        <label>
          Reason
          <input maxLength={500} value={reason} onChange={(event) => setReason(event.target.value)} />
        </label>
        {mayStop ? null : <p id="why-not">Making and lifting stops needs the role operator.</p>}
        <p>
          <button type="submit" className="primary" aria-disabled={isOff} aria-describedby="why-not">
            Stop
          </button>
        </p>
        {asking.error === null ? null : <Refused error={asking.error} />}
      </form>
      <Asked options={standing}>
        {({ stops }) => (
          <Table
            caption="What is stopped"
            columns={['Kind', 'Name', 'Reason', 'By', 'Until', 'Lift']}
            rows={stops.map((stop) => ({
              key: stop.id,
              cells: [
                stop.kind,
                stop.name,
                stop.reason ?? '',
                stop.by,
                stop.until === null ? 'somebody lifts it' : <Time key="until" at={stop.until} />,
                <button
                  key="lift"
                  type="button"
                  aria-label={`Lift the stop of ${stop.name}`}
                  aria-disabled={isOff}
                  aria-describedby="why-not"
                  onClick={() => {
                    if (!isOff) asking.mutate(stop.id)
                  }}
                >
                  Lift
                </button>,
              ],
            }))}
            empty={<p>Nothing is stopped. Name something above to stop it.</p>}
          />
        )}
      </Asked>
    </Page>
  )
}
