/** Keys of model providers that people look after themselves. A key goes in and never comes out. */
import type { ownCredentialsSchema, storedOwnCredentialSchema } from '@turnward/contract/api/me'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { z } from 'zod'
import { change, read } from '../api.ts'
import { Asked, Page, Refused, Time, useMe, useReadAgain } from '../parts.tsx'
import { Table } from '../table.tsx'

const own = { queryKey: ['credentials'], queryFn: () => read<z.output<typeof ownCredentialsSchema>>('/api/me/credentials') }

export function CredentialsPage() {
  const who = useMe()
  const readAgain = useReadAgain()
  const removing = useMutation({
    mutationFn: async (id: string) => {
      if (who.data === undefined) throw new Error('Who you are is still being read. Try again.')
      await change(who.data, 'DELETE', `/api/me/credentials/${encodeURIComponent(id)}`)
      await readAgain()
    },
  })
  return (
    <Page title="Credentials">
      <p>Keys of model providers, yours and those of groups you look after. A key is tried before it is kept, and never shown again.</p>
      <Storing />
      <Asked options={own}>
        {({ credentials }) => (
          <Table
            caption="What is kept"
            columns={['Upstream', 'Whose', 'Since', 'Changed', 'Remove']}
            rows={credentials.map(({ id, upstream, group, created, changed }) => ({
              key: id,
              cells: [
                upstream,
                group === undefined ? 'yours' : `of ${group}`,
                <Time key="created" at={created} />,
                <Time key="changed" at={changed} />,
                <button
                  key="remove"
                  type="button"
                  aria-label={`Remove the credential for ${upstream}`}
                  aria-disabled={removing.isPending}
                  onClick={() => {
                    if (!removing.isPending) removing.mutate(id)
                  }}
                >
                  Remove
                </button>,
              ],
            }))}
            empty={<p>None is kept. Without one of yours the gateway uses that of your group or of the organisation. Store one above.</p>}
          />
        )}
      </Asked>
      {removing.error === null ? null : <Refused error={removing.error} />}
    </Page>
  )
}

function Storing() {
  const who = useMe()
  const readAgain = useReadAgain()
  const [upstream, setUpstream] = useState('')
  const [secret, setSecret] = useState('')
  const [group, setGroup] = useState('')
  const manages = who.data?.manages ?? []
  const storing = useMutation({
    mutationFn: async () => {
      if (who.data === undefined) throw new Error('Who you are is still being read. Try again.')
      const asked = { upstream, secret, ...(group === '' ? {} : { group }) }
      const stored = await change<z.output<typeof storedOwnCredentialSchema>>(who.data, 'POST', '/api/me/credentials', asked)
      setSecret('')
      await readAgain()
      return stored
    },
  })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (!storing.isPending) storing.mutate()
      }}
    >
      <label>
        Upstream
        <input required maxLength={64} value={upstream} onChange={({ target }) => setUpstream(target.value)} />
      </label>
      <label>
        Key
        <input
          required
          type="password"
          autoComplete="off"
          maxLength={8192}
          value={secret}
          onChange={({ target }) => setSecret(target.value)}
        />
      </label>
      {manages.length === 0 ? null : (
        <label>
          Whose
          <select value={group} onChange={({ target }) => setGroup(target.value)}>
            <option value="">yours</option>
            {manages.map((name) => (
              <option key={name} value={name}>
                of {name}
              </option>
            ))}
          </select>
        </label>
      )}
      <p>
        <button type="submit" className="primary" aria-disabled={storing.isPending}>
          {storing.isPending ? 'Trying it…' : 'Try and store'}
        </button>
      </p>
      {storing.error === null ? null : <Refused error={storing.error} />}
      <p role="status">
        {storing.data === undefined
          ? ''
          : `Stored. ${storing.data.test === null ? 'It could not be tried here.' : storing.data.test.detail}`}
      </p>
    </form>
  )
}
