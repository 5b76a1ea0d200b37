/** What is needed of the place where secrets are kept sealed. */

export interface SecretPlace {
  readonly kind: string
  /** Principal id. */
  readonly owner: string
  readonly name: string
}

export interface KeptSecret {
  readonly content: string
}

export interface SecretVault {
  get(place: SecretPlace): Promise<KeptSecret | undefined>
  put(place: SecretPlace, content: string): Promise<unknown>
  /** Makes the next content out of the present one, in one step; null removes it, undefined and the same again change nothing. */
  change(place: SecretPlace, next: (before: KeptSecret | undefined) => KeptSecret | null | undefined): Promise<unknown>
  /** False when there was nothing. */
  remove(place: SecretPlace): Promise<boolean>
}
