/** What Kong asks a vendor with. */
import { DraftEntry } from '../gateways/draft-entry.ts'
import type { Foreign } from '../gateways/foreign-value.ts'
import { setHeaderCredential } from '../gateways/header-credential.ts'
import { setHeader } from '../gateways/headers.ts'
import type { KongMaking } from './target.ts'

export function setCredential(
  entry: DraftEntry,
  owner: string,
  auth: Foreign | undefined,
  options: Foreign | undefined,
  making: KongMaking,
): void {
  const kind = String(entry.value['kind'])
  if (kind === 'bedrock') return setAws(entry, owner, auth, options, making)
  if (kind === 'vertex') return setGoogle(entry, owner, auth, making)
  const [name, value] = [auth?.get('header_name'), auth?.get('header_value')]
  const text = value?.text()
  if (name !== undefined && value !== undefined && text !== undefined) {
    setFromHeader(entry, owner, name, value, making)
    return
  }
  const [parameter, key, location] = ['param_name', 'param_value', 'param_location'].map((at) => auth?.get(at))
  if (kind === 'gemini' && key?.text() !== undefined) {
    const written = making.texts.secret(key.text() ?? '', owner, `${owner}_API_KEY`)
    setName(entry, making.credentials.secret(written.text, key, written.why))
    for (const part of [parameter, location]) part?.left('the key is sent in a header')
    return
  }
  for (const part of [parameter, key, location])
    part?.left('a key is sent in a header here, and not in an address or a body: add a credential by hand')
  if (auth?.get('azure_use_managed_identity')?.flag() === true)
    auth.get('azure_use_managed_identity')?.left('tokens of Azure are not fetched here: add a credential with a key, or `auth: token`')
  entry.set('credential', 'none')
}

function setFromHeader(entry: DraftEntry, owner: string, name: Foreign, value: Foreign, making: KongMaking): void {
  const header = making.texts.plain(name.text() ?? '')?.toLowerCase()
  if (header !== undefined && setHeaderCredential(entry, owner, header, value, making)) {
    entry.from(name, 'credential')
    return
  }
  entry.set('credential', 'none')
  if (header === undefined) return value.left('only a variable says in which header it is sent')
  setHeader(entry, header, value, owner, making.texts)
  if (entry.value['headers'] !== undefined) entry.from(name, 'headers')
}

function setName(entry: DraftEntry, name: string | undefined): void {
  if (name !== undefined) entry.set('credential', name)
}

function setAws(
  entry: DraftEntry,
  owner: string,
  auth: Foreign | undefined,
  options: Foreign | undefined,
  { texts, credentials }: KongMaking,
): void {
  const made = new DraftEntry()
  const [id, secret] = [auth?.get('aws_access_key_id'), auth?.get('aws_secret_access_key')]
  const [idText, secretText] = [id?.text(), secret?.text()]
  if (id !== undefined && secret !== undefined && idText !== undefined && secretText !== undefined) {
    const written = [texts.secret(idText, owner, 'AWS_ACCESS_KEY_ID'), texts.secret(secretText, owner, 'AWS_SECRET_ACCESS_KEY')] as const
    made.set('aws.access_key_id', written[0].text, id, written[0].why).set('aws.secret_access_key', written[1].text, secret, written[1].why)
  } else made.set('aws.identity', 'auto')
  for (const key of ['aws_assume_role_arn', 'aws_role_session_name'])
    options?.within('bedrock', key)?.left('a role that is taken on is not there yet: give this machine the role, or keys of it')
  setName(entry, credentials.add(made.value['aws'] === undefined || idText === undefined ? 'aws' : 'aws-keys', made))
}

function setGoogle(entry: DraftEntry, owner: string, auth: Foreign | undefined, { texts, credentials }: KongMaking): void {
  const made = new DraftEntry()
  const json = auth?.get('gcp_service_account_json')
  const text = json?.text()
  if (json !== undefined && text !== undefined) {
    const written = texts.secret(text, owner, 'GCP_SERVICE_ACCOUNT_JSON')
    made.set('google.service_account', written.text, json, written.why)
  } else made.set('google.identity', 'auto')
  const isUsed = auth?.get('gcp_use_service_account')
  if (isUsed?.flag() === true) made.from(isUsed, 'google')
  setName(entry, credentials.add('google', made))
}
