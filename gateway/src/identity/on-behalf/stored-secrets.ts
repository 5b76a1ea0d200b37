/** Secrets that people gave the gateway to keep, each for one server. */
import type { McpServer } from '../../config/snapshot.ts'
import type { Clock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import { randomText } from '../../core/ids.ts'
import type { SecretVault } from './secret-vault.ts'
import { addressOf, readSecret, secretPlace, type StoredSecret } from './link.ts'

/** What can stand in a header. */
const sendable = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/
const longest = 8192

export class StoredSecrets {
  readonly #vault: Pick<SecretVault, 'get' | 'put' | 'remove'>
  readonly #clock: Pick<Clock, 'now'>

  constructor(vault: Pick<SecretVault, 'get' | 'put' | 'remove'>, clock: Pick<Clock, 'now'>) {
    this.#vault = vault
    this.#clock = clock
  }

  async find(person: string, server: McpServer): Promise<StoredSecret | undefined> {
    const kept = await this.#vault.get(secretPlace(person, server.name))
    return kept === undefined ? undefined : readSecret(kept.content, server)
  }

  /** Keeps a secret in place of the one before. Throws `request.invalid` for one that no header can carry. */
  async keep(person: string, server: McpServer, text: string): Promise<void> {
    const secret = text.trim()
    if (secret.length > longest || !sendable.test(secret))
      throw new TurnwardError('request.invalid', {
        subject: 'secret',
        why: `it must be 1 to ${longest} visible characters of ASCII on one line`,
      })
    const stored: StoredSecret = { url: addressOf(server), secret, storedAt: this.#clock.now(), id: randomText(16) }
    await this.#vault.put(secretPlace(person, server.name), JSON.stringify(stored))
  }

  /** False when there was none. */
  async remove(person: string, server: string): Promise<boolean> {
    return this.#vault.remove(secretPlace(person, server))
  }
}
