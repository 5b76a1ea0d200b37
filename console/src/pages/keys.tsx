/** Virtual keys: made, given new secrets and revoked. A key is shown once, where it was made. */
import type { keySchema, keysSchema, madeKeySchema } from '@turnward/contract/api/keys'
import { useMutation } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import type { z } from 'zod'
import { change, read } from '../api.ts'
import { Filters, queryOf, wordsIn, type FilterField } from '../filters.tsx'
import { MakingKey } from '../keys/making-key.tsx'
import { RevokingKey } from '../keys/revoking-key.tsx'
import { Asked, Page, Refused, Time, useMe, useReadAgain } from '../parts.tsx'
import { Snippet } from '../snippet.tsx'
import { Table } from '../table.tsx'

type Key = z.output<typeof keySchema>
type MadeKey = z.output<typeof madeKeySchema>

const fields: readonly FilterField[] = [{ name: 'principal', label: 'Person' }]

/** What stands in the address of the page. */
export const keysIn = wordsIn(['principal', 'after'])

export function KeysPage() {
  const who = useMe()
  const wanted = useSearch({ from: '/keys' })
  const navigate = useNavigate({ from: '/keys' })
  const readAgain = useReadAgain()
  const [revoking, setRevoking] = useState<Key | undefined>()
  const [made, setMade] = useState<MadeKey | undefined>()
  const why = who.data?.roles.includes('admin') === true ? undefined : 'Making and revoking keys needs the role admin.'
  const query = queryOf(wanted)
  const rotating = useMutation({
    mutationFn: async (id: string) => {
      if (who.data === undefined) throw new Error('Who you are is still being read. Try again.')
      setMade(await change<MadeKey>(who.data, 'POST', `/api/keys/${encodeURIComponent(id)}/rotate`, {}))
      await readAgain()
    },
  })
  return (
    <Page title="Keys">
      <MakingKey why={why} onMade={setMade} />
      {made === undefined ? null : (
        <div role="status">
          <p>
            <strong>Copy it now: it is not shown again.</strong>
            {made.previous_until === null ? null : (
              <>
                {' '}
                The secret it had before is good until <Time at={made.previous_until} />.
              </>
            )}
          </p>
          <Snippet name={`Key of ${made.principal}`} text={made.key} />
        </div>
      )}
      {why === undefined ? null : <p id="why-not">{why}</p>}
      {rotating.error === null ? null : <Refused error={rotating.error} />}
      <Filters fields={fields} wanted={wanted} onWant={(search) => void navigate({ search })} />
      <Asked options={{ queryKey: ['keys', query], queryFn: () => read<z.output<typeof keysSchema>>(`/api/keys${query}`) }}>
        {({ keys, next }) => (
          <>
            <Table
              caption="Keys, the newest first. Those of the configuration file are objects of it."
              columns={['Key', 'For', 'May use', 'Status', 'Until', 'Last used', 'Change']}
              rows={keys.map((key) => ({
                key: key.id,
                cells: [
                  `${key.prefix}…`,
                  [
                    key.principal,
                    ...(key.actor === null ? [] : [`by ${key.actor}`]),
                    ...(key.consumer === null ? [] : [`with ${key.consumer}`]),
                  ].join(', '),
                  limitsOf(key),
                  key.status,
                  key.expires === null ? 'it is revoked' : <Time key="until" at={key.expires} />,
                  <Time key="used" at={key.last_used} />,
                  key.status === 'revoked' ? (
                    ''
                  ) : (
                    <div key="change" className="buttons">
                      <button
                        type="button"
                        aria-label={`New secret for ${key.prefix}…`}
                        aria-disabled={why !== undefined || rotating.isPending}
                        aria-describedby="why-not"
                        onClick={() => {
                          if (why === undefined && !rotating.isPending) rotating.mutate(key.id)
                        }}
                      >
                        New secret
                      </button>
                      <button
                        type="button"
                        aria-label={`Revoke ${key.prefix}…`}
                        aria-disabled={why !== undefined}
                        aria-describedby="why-not"
                        onClick={() => {
                          if (why === undefined) setRevoking(key)
                        }}
                      >
                        Revoke
                      </button>
                    </div>
                  ),
                ],
              }))}
              empty={
                wanted.principal === undefined ? (
                  <p>No key was made yet. Make one above.</p>
                ) : (
                  <p>
                    Nobody like that has a key. <Link to="/keys">Show all</Link>
                  </p>
                )
              }
            />
            {next === null ? null : (
              <p>
                <Link to="/keys" search={{ ...wanted, after: next }} className="button quiet">
                  Older
                </Link>
              </p>
            )}
          </>
        )}
      </Asked>
      {revoking === undefined ? null : <RevokingKey revoked={revoking} onClose={() => setRevoking(undefined)} />}
    </Page>
  )
}

function limitsOf({ scopes, models, gateways, tools }: Key): string {
  const narrowed = { models, gateways, tools }
  const names = Object.entries(narrowed).flatMap(([kind, only]) =>
    only === null ? [] : [`${kind}: ${only.length === 0 ? 'none' : only.join(', ')}`],
  )
  return [(scopes ?? ['models', 'mcp']).join(', '), ...names].join('; ')
}
