/** A change to the configuration in two steps: what it would do, then that, with why. */
import type { configOutcomeSchema } from '@turnward/contract/api/config'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { z } from 'zod'
import { change, type Me } from '../api.ts'
import { Refused, useMe, useReadAgain } from '../parts.tsx'
import { Changes, Problems } from './changes.tsx'

export type Outcome = z.output<typeof configOutcomeSchema>

export interface Request {
  readonly method: 'PUT' | 'DELETE' | 'POST'
  readonly path: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

interface ConfirmingProps {
  /** What is asked for; changes with what is typed, and then has to be tried again. Throws an Error that says why it cannot be asked. */
  readonly request: () => Request
  /** Tells one request from another. */
  readonly id: string
  /** What stands on the button that does it. */
  readonly label: string
  /** Why it cannot be done; undefined when it can. */
  readonly why: string | undefined
  /** Told what came of it. */
  readonly onDone?: (outcome: Outcome) => void
}

export function Confirming({ request, id, label, why, onDone }: ConfirmingProps) {
  const who = useMe()
  const readAgain = useReadAgain()
  const [reason, setReason] = useState('')
  const trying = useMutation({ mutationFn: async () => ({ id, outcome: await ask(who.data, request(), { dry_run: 'true' }) }) })
  const doing = useMutation({
    mutationFn: async () => {
      const outcome = await ask(who.data, request(), reason.trim() === '' ? {} : { reason: reason.trim() })
      await readAgain()
      onDone?.(outcome)
    },
  })
  const tried = trying.data?.id === id ? trying.data.outcome : undefined
  const isBusy = trying.isPending || doing.isPending
  const mayDo = why === undefined && tried !== undefined && tried.problems.length === 0 && tried.changes.length > 0 && !isBusy
  const error = doing.error ?? trying.error
  const said = whyNot(why, tried, label)
  return (
    <div>
      <p className="buttons">
        <button
          type="button"
          aria-disabled={why !== undefined || isBusy}
          onClick={() => {
            if (why !== undefined || isBusy) return
            doing.reset()
            trying.mutate()
          }}
        >
          {trying.isPending ? 'Trying…' : 'Show what would change'}
        </button>
      </p>
      {tried === undefined ? null : tried.problems.length > 0 ? (
        <Problems problems={tried.problems} />
      ) : (
        <Changes changes={tried.changes} />
      )}
      <label>
        Why, for the history
        <input value={reason} maxLength={500} onChange={({ target }) => setReason(target.value)} />
      </label>
      <p className="why-not">{said}</p>
      <p>
        <button
          type="button"
          className="primary"
          aria-disabled={!mayDo}
          onClick={() => {
            if (mayDo) doing.mutate()
          }}
        >
          {doing.isPending ? 'Changing…' : label}
        </button>
      </p>
      {error === null ? null : <Refused error={error} />}
    </div>
  )
}

function whyNot(why: string | undefined, tried: Outcome | undefined, label: string): string {
  if (why !== undefined) return why
  if (tried === undefined) return `${label} needs a look at what would change first.`
  if (tried.problems.length > 0) return `${label} needs what is wrong to be mended first.`
  return tried.changes.length === 0 ? 'There is nothing to change.' : ''
}

function ask(who: Me | undefined, { method, path, body, headers }: Request, query: Record<string, string>): Promise<Outcome> {
  if (who === undefined) throw new Error('Who you are is still being read. Try again.')
  const text = new URLSearchParams(query).toString()
  return change<Outcome>(who, method, text === '' ? path : `${path}?${text}`, body, headers)
}
