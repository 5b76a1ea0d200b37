/** Keeping a draft: its objects become part of what is managed here, as one revision, after what that changes was seen; and the way back. */
import type { configOutcomeSchema, exportedConfigSchema } from '@turnward/contract/api/config'
import { useMutation } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { z } from 'zod'
import { change, read } from '../api.ts'
import { Confirming } from '../configuration/confirming.tsx'
import { Refused, useMe, useReadAgain } from '../parts.tsx'
import { CopyButton } from '../snippet.tsx'
import type { DraftCheck } from './draft-editing.tsx'

type Exported = z.output<typeof exportedConfigSchema>
type Outcome = z.output<typeof configOutcomeSchema>

export function KeepingDraft({ text }: { readonly text: string }) {
  const who = useMe()
  const [kept, setKept] = useState<number>()
  const why =
    who.data?.roles.includes('admin') === true
      ? undefined
      : 'Keeping a draft needs the role admin. Copy it as YAML for somebody who has it.'
  const preparing = useMutation({
    mutationFn: async () => {
      if (who.data === undefined) throw new Error('Who you are is still being read. Try again.')
      const check = await change<DraftCheck>(who.data, 'POST', '/api/policy/check', { draft: text })
      const { revision, objects } = await read<Exported>('/api/config/export')
      return { text, check, revision, objects: merged(objects, check.objects) }
    },
  })
  const prepared = preparing.data?.text === text ? preparing.data : undefined
  const isOff = why !== undefined || preparing.isPending
  return (
    <>
      <h2>Keep it</h2>
      <p>
        What it declares becomes part of what is managed here, at once and for every call from then on. What the configuration file declares
        stays there.
      </p>
      {why === undefined ? null : <p className="why-not">{why}</p>}
      <p className="buttons">
        <button
          type="button"
          aria-disabled={isOff}
          onClick={() => {
            if (isOff) return
            setKept(undefined)
            preparing.mutate()
          }}
        >
          {preparing.isPending ? 'Reading…' : 'Keep the draft'}
        </button>
        <CopyButton what="as YAML: the draft" text={text} label="Copy as YAML" />
      </p>
      {preparing.error === null ? null : <Refused error={preparing.error} />}
      {prepared === undefined ? null : !prepared.check.compiles ? (
        <p role="alert" className="refused">
          Something is wrong with it, and nothing was changed: see above at which line.
        </p>
      ) : (
        <>
          {prepared.check.notHeld.map(({ section, why: because }) => (
            <p key={section} className="refused">
              <code>{section}</code> stays out: {because}.
            </p>
          ))}
          {kept === undefined ? (
            <Confirming
              id={`${prepared.revision} ${text}`}
              label="Save"
              why={why}
              request={() => ({
                method: 'POST',
                path: '/api/config/apply',
                body: { revision: prepared.revision, objects: prepared.objects },
              })}
              onDone={(outcome) => setKept(outcome.revision)}
            />
          ) : (
            <Kept revision={kept} />
          )}
        </>
      )}
    </>
  )
}

/** What was managed here, with the objects of the draft in the place of those that had their names. */
function merged(objects: Exported['objects'], more: DraftCheck['objects']): Exported['objects'] {
  const kinds = [...new Set([...Object.keys(objects), ...Object.keys(more)])]
  return Object.fromEntries(kinds.map((kind) => [kind, { ...objects[kind], ...more[kind] }]))
}

function Kept({ revision }: { readonly revision: number }) {
  const who = useMe()
  const readAgain = useReadAgain()
  const goingBack = useMutation({
    mutationFn: async () => {
      if (who.data === undefined) throw new Error('Who you are is still being read. Try again.')
      const reason = new URLSearchParams({ reason: `Back from revision ${revision}` }).toString()
      const outcome = await change<Outcome>(who.data, 'POST', `/api/config/revisions/${revision - 1}/rollback?${reason}`, undefined, {
        'if-match': `"r${revision}"`,
      })
      await readAgain()
      return outcome
    },
  })
  const back = goingBack.data?.revision
  return (
    <div role="status" className="gain">
      <p>
        {back === undefined ? 'Kept as ' : 'Gone back, as '}
        <Link to="/configuration/history/$number" params={{ number: String(back ?? revision) }}>
          revision {back ?? revision}
        </Link>
        .
      </p>
      {back === undefined ? (
        <p>
          <button type="button" aria-disabled={goingBack.isPending} onClick={() => void (goingBack.isPending || goingBack.mutate())}>
            {goingBack.isPending ? 'Going back…' : 'Go back to what was before'}
          </button>
        </p>
      ) : null}
      {goingBack.error === null ? null : <Refused error={goingBack.error} />}
    </div>
  )
}
