/** What another gateway asks Amazon and Google with, as credentials: keys where its file has them, else what the machine is. */
import { DraftEntry } from './draft-entry.ts'
import type { CredentialMaking } from './header-credential.ts'
import type { Foreign } from './foreign-value.ts'

export interface ForeignAwsKeys {
  readonly id: Foreign | undefined
  readonly secret: Foreign | undefined
  readonly session?: Foreign | undefined
  readonly profile?: Foreign | undefined
}

/** The name of a credential for AWS. `owner`: whose it is, for names of variables. */
export function awsCredential(
  { id, secret, session, profile }: ForeignAwsKeys,
  owner: string,
  making: CredentialMaking,
): string | undefined {
  const made = new DraftEntry()
  let name = 'aws-keys'
  const keys = { access_key_id: id, secret_access_key: secret, session_token: session }
  const hasKeys = id?.text() !== undefined && secret?.text() !== undefined
  if (hasKeys)
    for (const [setting, from] of Object.entries(keys)) {
      const text = from?.text()
      if (from === undefined || text === undefined) continue
      const written = making.texts.secret(text, owner, `AWS_${setting.toUpperCase()}`)
      made.set(`aws.${setting}`, written.text, from, written.why)
    }
  else if (profile?.text() !== undefined) {
    name = 'aws-profile'
    const written = making.texts.setting('profile', profile.text() ?? '', owner)
    made.set('aws.profile', written.text, profile, written.why)
  } else {
    name = 'aws'
    made.set('aws.identity', 'auto')
  }
  return making.credentials.add(name, made)
}

/** The name of a credential for Google Cloud. `json`: the key of a service account; `variable`: what it may be called. */
export function googleCredential(
  json: Foreign | undefined,
  owner: string,
  variable: string,
  { texts, credentials }: CredentialMaking,
): string | undefined {
  const made = new DraftEntry()
  const text = json?.text()
  if (json !== undefined && text !== undefined) {
    const written = texts.secret(text, owner, variable)
    made.set('google.service_account', written.text, json, written.why)
  } else made.set('google.identity', 'auto')
  return credentials.add('google', made)
}
