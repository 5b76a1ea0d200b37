/** What Kong asks a vendor with. */
import { awsCredential, googleCredential } from '../gateways/cloud-credentials.ts'
import type { DraftEntry } from '../gateways/draft-entry.ts'
import type { Foreign } from '../gateways/foreign-value.ts'
import { setHeaderCredential } from '../gateways/header-credential.ts'
import { setHeader } from '../gateways/headers.ts'
import { assumedRole } from './left-out.ts'
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

function setAws(entry: DraftEntry, owner: string, auth: Foreign | undefined, options: Foreign | undefined, making: KongMaking): void {
  for (const key of ['aws_assume_role_arn', 'aws_role_session_name']) options?.within('bedrock', key)?.left(assumedRole)
  setName(entry, awsCredential({ id: auth?.get('aws_access_key_id'), secret: auth?.get('aws_secret_access_key') }, owner, making))
}

function setGoogle(entry: DraftEntry, owner: string, auth: Foreign | undefined, making: KongMaking): void {
  setName(entry, googleCredential(auth?.get('gcp_service_account_json'), owner, 'GCP_SERVICE_ACCOUNT_JSON', making))
  const isUsed = auth?.get('gcp_use_service_account')
  if (isUsed?.flag() === true) entry.from(isUsed, 'credential')
}
