import type { madeKeySchema } from '@turnward/contract/api/keys'
import { useMutation } from '@tanstack/react-query'
import { useState, type SubmitEvent } from 'react'
import type { z } from 'zod'
import { change } from '../api.ts'
import { Refused, useMe, useReadAgain } from '../parts.tsx'

type MadeKey = z.output<typeof madeKeySchema>

interface MakingKeyProps {
  /** Why it cannot be done; undefined when it can. */
  readonly why: string | undefined
  readonly onMade: (key: MadeKey) => void
}

export function MakingKey({ why, onMade }: MakingKeyProps) {
  const who = useMe()
  const readAgain = useReadAgain()
  const [attempt, setAttempt] = useState(0)
  const making = useMutation({
    mutationFn: async (asked: object) => {
      if (who.data === undefined) throw new Error('Who you are is still being read. Try again.')
      onMade(await change<MadeKey>(who.data, 'POST', '/api/keys', asked))
      setAttempt(attempt + 1)
      await readAgain()
    },
  })
  const isOff = why !== undefined || making.isPending
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault()
    if (!isOff) making.mutate(askedIn(new FormData(event.currentTarget)))
  }
  return (
    <details className="filters">
      <summary>Make a key</summary>
      {/* Empty again once one was made. */}
      <form key={attempt} onSubmit={submit}>
        <label>
          For whom
          <input name="principal" required maxLength={512} />
        </label>
        <label>
          Application
          <input name="consumer" maxLength={512} />
        </label>
        <label>
          Agent
          <input name="actor" maxLength={512} />
        </label>
        <label>
          Good for
          <select name="expires" defaultValue="30d">
            <option value="12h">12 hours</option>
            <option value="30d">30 days</option>
            <option value="90d">90 days</option>
            <option value="never">until it is revoked</option>
          </select>
        </label>
        <label>
          Only these models (with spaces)
          <input name="models" maxLength={2000} placeholder="gpt-* claude-*" />
        </label>
        <label>
          Only these tools (with spaces)
          <input name="tools" maxLength={2000} placeholder="jira__*" />
        </label>
        <p>
          <button type="submit" className="primary" aria-disabled={isOff} aria-describedby="why-not">
            {making.isPending ? 'Making…' : 'Make'}
          </button>
        </p>
      </form>
      {making.error === null ? null : <Refused error={making.error} />}
    </details>
  )
}

function askedIn(form: FormData): object {
  const text = (name: string): string => {
    const value = form.get(name)
    return typeof value === 'string' ? value.trim() : ''
  }
  const words = (name: string): readonly string[] =>
    text(name)
      .split(/\s+/)
      .filter((word) => word !== '')
  const [models, tools] = [words('models'), words('tools')]
  const grants = { ...(models.length > 0 && { models }), ...(tools.length > 0 && { tools }) }
  return {
    principal: text('principal'),
    expires: text('expires'),
    ...(text('consumer') !== '' && { consumer: text('consumer') }),
    ...(text('actor') !== '' && { actor: text('actor') }),
    ...(Object.keys(grants).length > 0 && { grants }),
  }
}
