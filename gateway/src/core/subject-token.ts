/**
 * A token that a caller has shown, kept so that it can be exchanged at the issuer that gave it out, and for nothing else: it has
 * no text that could be sent, logged or stored by mistake.
 */
import { inspect } from 'node:util'

export class SubjectToken {
  /** Name of the issuer that gave it out. */
  readonly issuer: string
  readonly #token: string

  constructor(issuer: string, token: string) {
    this.issuer = issuer
    this.#token = token
  }

  /** The text, for the issuer that gave it out: undefined for any other. */
  revealTo(issuer: string): string | undefined {
    return issuer === this.issuer ? this.#token : undefined
  }

  toJSON(): string {
    return '[token]'
  }

  toString(): string {
    return '[token]'
  }

  [inspect.custom](): string {
    return '[token]'
  }
}
