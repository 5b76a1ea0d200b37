/** What callers have at servers that ask for something of their own, whatever that is. */
import type { McpServer, Snapshot } from '../../config/snapshot.ts'
import type { CancelSignal } from '../../core/cancellation.ts'
import type { Caller } from '../../core/principal.ts'
import type { Links } from './links.ts'
import { personalAuthOf } from './personal-auth.ts'
import type { StoredSecrets } from './stored-secrets.ts'

export interface Accounts {
  /** Resolves when the caller has another account there than `before` (its id; empty for none), when `signal` is aborted, or after a while. */
  changed(snapshot: Snapshot, caller: Caller, server: string, before: string, signal: CancelSignal): Promise<void>
}

export interface AccountsParts {
  readonly links: Pick<Links, 'find'>
  readonly secrets: Pick<StoredSecrets, 'find'>
  /** Milliseconds. */
  readonly pause: (ms: number) => Promise<void>
}

/** Clients wait a minute for an answer, most of them. */
const looks = 90
const pauseMs = 500

/** Looks where accounts are kept, since another process may have been the one that connected it. */
export function createAccounts({ links, secrets, pause }: AccountsParts): Accounts {
  const idOf = async (caller: Caller, server: McpServer): Promise<string> => {
    const kind = personalAuthOf(server)?.kind
    const found = kind === 'user' ? await links.find(caller.principal.id, server) : await secrets.find(caller.principal.id, server)
    return found?.id ?? ''
  }
  return {
    async changed(snapshot, caller, name, before, signal) {
      const server = snapshot.servers.get(name)
      if (server === undefined || personalAuthOf(server) === undefined) return
      for (let look = 0; look < looks && !signal.aborted; look += 1) {
        if ((await idOf(caller, server)) !== before) return
        await pause(pauseMs)
      }
    },
  }
}
