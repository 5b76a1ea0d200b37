/** What a check of `turnward doctor` found: all is well, something to look at, or something that will not work. */
export interface Finding {
  /** What was looked at, in two words or three. */
  readonly check: string
  readonly level: 'ok' | 'warning' | 'problem'
  readonly detail: string
  /** What to do about it. */
  readonly fix?: string | undefined
}
