/**
 * What a request to an upstream is signed with. A key that a vendor gave out is one kind; the short-lived parts of a cloud
 * identity are another member of `Credential` here, for the provider that knows what to do with them.
 */

export type Credential = { readonly kind: 'none' } | SecretCredential | AwsCredential

/** Sent as it is, in the header the provider says. */
export interface SecretCredential {
  readonly kind: 'secret'
  readonly secret: string
}

/** Keys of AWS: requests are signed with the secret one, which is never sent. */
export interface AwsCredential {
  readonly kind: 'aws'
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string | undefined
}

/** How a machine comes to keys of AWS that nobody wrote into its configuration. */
export type AwsIdentity =
  | { readonly from: 'profile'; readonly profile: string }
  | { readonly from: 'auto' | 'web-identity' | 'container' | 'instance' }

/** How a machine comes to access tokens of Google Cloud. `key`: the JSON file of a service account, as text. */
export type GoogleIdentity = { readonly from: 'service-account'; readonly key: string } | { readonly from: 'auto' | 'metadata' }

/** Where a configured credential comes from. */
export type CredentialSource =
  /** It is what the configuration says: `${ENV}` and `${file:…}` have been read by then. */
  | { readonly kind: 'static'; readonly secret: string }
  /** As configured, in parts. */
  | { readonly kind: 'parts'; readonly secret?: undefined; readonly credential: AwsCredential }
  /** Keys that this machine is given when it asks for them. */
  | { readonly kind: 'aws-identity'; readonly secret?: undefined; readonly identity: AwsIdentity }
  /** Tokens that Google gives for a key, or for what this machine is. */
  | { readonly kind: 'google-identity'; readonly secret?: undefined; readonly identity: GoogleIdentity }
  /** It is asked for when a call needs it, and may take its time: whoever gives it out also keeps it as long as it is good. */
  | { readonly kind: 'obtained'; readonly secret?: undefined; readonly obtain: (now: number) => Credential | Promise<Credential> }

/** For upstreams that need none. */
export const noCredential: Credential = { kind: 'none' }

/** Everything in it that nobody may see. */
export function secretsIn(credential: Credential): readonly string[] {
  if (credential.kind === 'none') return []
  if (credential.kind === 'secret') return [credential.secret]
  // The id of a key is no secret, but it is nobody's business either.
  const { accessKeyId, secretAccessKey, sessionToken } = credential
  return [accessKeyId, secretAccessKey, ...(sessionToken === undefined ? [] : [sessionToken])]
}
