/** What is needed of the vault, where secrets are kept sealed. */
import { TurnwardError } from '../../core/error.ts'
import type { SecretPlace } from '../../store/sealed-secrets.ts'
import type { OpenedSecret } from '../vault/vault.ts'

export type KeptSecret = Pick<OpenedSecret, 'content' | 'version'>

export interface SecretVault {
  get(place: SecretPlace): Promise<KeptSecret | undefined>
  put(place: SecretPlace, content: string): Promise<unknown>
  /** Puts `content` in the place of this version. Undefined when somebody else has been faster. */
  replace(place: SecretPlace, version: number, content: string): Promise<unknown>
  /** False when there was nothing. */
  remove(place: SecretPlace): Promise<boolean>
}

/** Somebody else may be faster a few times. */
const attempts = 8

/** Makes the next content out of the present one, in one step; undefined changes nothing. Rejects with `store.failed` when it cannot be written. */
export async function changeSecret(
  vault: Pick<SecretVault, 'get' | 'replace'>,
  place: SecretPlace,
  next: (before: string) => string | undefined,
): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const before = await vault.get(place)
    const content = before === undefined ? undefined : next(before.content)
    if (before === undefined || content === undefined) return
    if ((await vault.replace(place, before.version, content)) !== undefined) return
  }
  throw new TurnwardError('store.failed', { subject: place.name, why: 'too many write this secret at once', retryAfterSeconds: 1 })
}
