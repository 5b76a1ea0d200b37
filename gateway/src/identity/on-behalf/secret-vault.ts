/** What is needed of the vault, where secrets are kept sealed. */

export interface SecretPlace {
  readonly kind: string
  /** Principal id. */
  readonly owner: string
  readonly name: string
}

export interface KeptSecret {
  readonly content: string
  readonly version: number
}

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

/** Makes the next content out of the present one, in one step; undefined changes nothing. */
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
}
