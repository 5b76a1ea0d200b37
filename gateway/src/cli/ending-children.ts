/**
 * Ends the children of people whose secret was removed or replaced: whoever did that, with whichever process. A child keeps what
 * it was started with, and nothing else would take it away.
 */
import { asTurnwardError } from '../core/error.ts'
import type { Logger } from '../core/logger.ts'
import { secretPlace } from '../identity/on-behalf/link.ts'
import type { Vault } from '../identity/vault/vault.ts'
import type { Fleet } from '../tools/catalogue.ts'
import { eachSecond } from './each-second.ts'

export interface EndingChildrenOptions {
  readonly vault: Pick<Vault, 'mark'>
  readonly fleet: Pick<Fleet, 'recheckSecrets'>
  /** Whether there is any server whose children are started with secrets of people. */
  readonly isNeeded: () => boolean
  readonly logger: Logger
}

/** Goes on until it is closed. */
export function endChildrenOfOldSecrets({ vault, fleet, isNeeded, logger }: EndingChildrenOptions): { close(): Promise<void> } {
  let known: string | undefined
  return eachSecond(
    async () => {
      if (!isNeeded()) return
      const mark = await vault.mark(secretPlace('', '').kind)
      if (mark === known) return
      if (known !== undefined) await fleet.recheckSecrets()
      known = mark
    },
    (error) => logger.warn({ code: asTurnwardError(error).code }, 'whether secrets of people have changed cannot be looked for'),
  )
}
