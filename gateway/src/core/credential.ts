/**
 * What a request to an upstream is signed with. A key that a vendor gave out is one kind; the short-lived parts of a cloud
 * identity are another member of `Credential` here, for the provider that knows what to do with them.
 */

export type Credential =
  | { readonly kind: 'none' }
  /** Sent as it is, in the header the provider says. */
  | { readonly kind: 'secret'; readonly secret: string }

/** Where a configured credential comes from. */
export type CredentialSource =
  /** It is what the configuration says: `${ENV}` and `${file:…}` have been read by then. */
  | { readonly kind: 'static'; readonly secret: string }
  /** It is asked for when a call needs it, and may take its time: whoever gives it out also keeps it as long as it is good. */
  | { readonly kind: 'obtained'; readonly secret?: undefined; readonly obtain: (now: number) => Credential | Promise<Credential> }

/** For upstreams that need none. */
export const noCredential: Credential = { kind: 'none' }

/** Everything in it that nobody may see. */
export function secretsIn(credential: Credential): readonly string[] {
  return credential.kind === 'none' ? [] : [credential.secret]
}
