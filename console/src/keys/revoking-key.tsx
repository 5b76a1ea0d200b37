import type { keySchema } from '@turnward/contract/api/keys'
import { useMutation } from '@tanstack/react-query'
import type { z } from 'zod'
import { change } from '../api.ts'
import { Dialog } from '../dialog.tsx'
import { Refused, useMe, useReadAgain } from '../parts.tsx'

interface RevokingKeyProps {
  readonly revoked: z.output<typeof keySchema>
  readonly onClose: () => void
}

/** Asked once more: what is revoked does not come back. */
export function RevokingKey({ revoked: { id, prefix, principal }, onClose }: RevokingKeyProps) {
  const who = useMe()
  const readAgain = useReadAgain()
  const revoking = useMutation({
    mutationFn: async () => {
      if (who.data === undefined) throw new Error('Who you are is still being read. Try again.')
      await change(who.data, 'DELETE', `/api/keys/${encodeURIComponent(id)}`)
      await readAgain()
      onClose()
    },
  })
  return (
    <Dialog label="Revoke a key" onClose={onClose}>
      <h2>Revoke {prefix}…?</h2>
      <p>It is a key of {principal}. It is refused within a second, and cannot be made good again.</p>
      <p className="buttons">
        <button
          type="button"
          className="primary"
          aria-disabled={revoking.isPending}
          onClick={() => {
            if (!revoking.isPending) revoking.mutate()
          }}
        >
          Revoke it
        </button>
        <button type="button" onClick={onClose}>
          Keep it
        </button>
      </p>
      {revoking.error === null ? null : <Refused error={revoking.error} />}
    </Dialog>
  )
}
