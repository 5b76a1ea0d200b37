/** What differs in a definition that waits for a review, and accepting exactly what is shown, with a reason. */
import type { toolDetailSchema } from '@turnward/contract/api/tools'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { z } from 'zod'
import { change } from '../api.ts'
import { Dialog } from '../dialog.tsx'
import { Refused, Time, useMe, useReadAgain } from '../parts.tsx'

interface AcceptingProps {
  readonly tool: z.output<typeof toolDetailSchema>
  readonly path: string
}

export function AcceptingDefinition({ tool, path }: AcceptingProps) {
  const { pin, changes, accepted, name } = tool
  const who = useMe()
  const [isAsked, setAsked] = useState(false)
  const why = who.data?.roles.includes('admin') === true ? undefined : 'Accepting a definition needs the role admin.'
  return (
    <>
      <h2>To review</h2>
      <p>
        {pin === 'new' ? 'The server has added this tool.' : 'The server says something else of this tool than what was accepted.'} Nobody
        can call it until somebody has read this and accepts it: what a server says of its tools is read by models, and can mislead them.
      </p>
      {accepted === null ? null : (
        <p>
          Accepted before: <Time at={accepted.at} /> by {accepted.by}.
        </p>
      )}
      {changes.map((one) => (
        <figure key={one.path} className="snippet">
          <figcaption>{one.path}</figcaption>
          <pre tabIndex={0} aria-label={`What differs in ${one.path}`} className="diff whole">
            {one.lines.map((line, at) => (
              <span key={at} className={line.startsWith('-') ? 'gone' : line.startsWith('+') ? 'added' : undefined}>
                {line}
                {'\n'}
              </span>
            ))}
          </pre>
        </figure>
      ))}
      {why === undefined ? null : <p id="why-not">{why}</p>}
      <p>
        <button
          type="button"
          className="primary"
          aria-disabled={why !== undefined}
          aria-describedby="why-not"
          onClick={() => (why === undefined ? setAsked(true) : undefined)}
        >
          Accept…
        </button>
      </p>
      {isAsked ? <Confirming name={name} digest={tool.definition.digest} path={path} onClose={() => setAsked(false)} /> : null}
    </>
  )
}

interface ConfirmingProps {
  readonly name: string
  readonly digest: string
  readonly path: string
  readonly onClose: () => void
}

function Confirming({ name, digest, path, onClose }: ConfirmingProps) {
  const who = useMe()
  const readAgain = useReadAgain()
  // What is accepted is what was shown when this was opened.
  const [shown] = useState(digest)
  const [reason, setReason] = useState('')
  const accepting = useMutation({
    mutationFn: async () => {
      if (who.data === undefined) throw new Error('Who you are is still being read. Try again.')
      await change(who.data, 'POST', `${path}/accept`, { digest: shown, reason })
      await readAgain()
      onClose()
    },
  })
  return (
    <Dialog label="Accept a definition" onClose={onClose}>
      <h2>Accept what {name} says now?</h2>
      <p>Agents can call it again within a second or so. It is on record that you have accepted it, and why.</p>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (!accepting.isPending) accepting.mutate()
        }}
      >
        <label>
          Why
          <input required maxLength={500} value={reason} onChange={({ target }) => setReason(target.value)} />
        </label>
        <p className="buttons">
          <button type="submit" className="primary" aria-disabled={accepting.isPending}>
            Accept it
          </button>
          <button type="button" onClick={onClose}>
            Leave it held
          </button>
        </p>
      </form>
      {accepting.error === null ? null : <Refused error={accepting.error} />}
    </Dialog>
  )
}
