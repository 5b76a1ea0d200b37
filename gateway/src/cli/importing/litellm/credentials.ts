/** What a deployment is asked with. */
import { awsCredential } from '../gateways/cloud-credentials.ts'
import { DraftEntry } from '../gateways/draft-entry.ts'
import type { Foreign } from '../gateways/foreign-value.ts'
import type { DeploymentContext } from './deployment.ts'
import type { Parameters } from './parameters.ts'
import { askedModel, type LitellmProvider } from './providers.ts'

/** Words that people write where a key is asked for and none is needed. */
const noKey = /^(?:none|null|empty|dummy|fake-key|not-needed|anything)?$/i

/** The variable that the key of a deployment is read from, where its parameters have none. */
export function impliedVariable(parameters: Parameters): readonly string[] {
  const { provider } = askedModel(parameters.get('model')?.text() ?? '', parameters.get('custom_llm_provider')?.text()) ?? {}
  return provider?.key === undefined || parameters.get('api_key') !== undefined ? [] : [provider.key]
}

/** Sets the credential of an upstream; without one LiteLLM reads the vendor's own variable. */
export function setCredential(
  entry: DraftEntry,
  owner: string,
  { key }: LitellmProvider,
  parameters: Parameters,
  { texts, credentials }: DeploymentContext,
): void {
  const kind = String(entry.value['kind'])
  if (kind === 'bedrock') return setAws(entry, owner, parameters, { texts, credentials })
  if (kind === 'vertex') return setGoogle(entry, owner, parameters, { texts, credentials })
  const token = parameters.get('azure_ad_token')
  const from = parameters.get('api_key') ?? (kind === 'azure' ? token : undefined)
  const text = from?.text()
  if (from !== undefined && text !== undefined && !noKey.test(texts.plain(text) ?? 'a variable')) {
    const written = texts.secret(text, owner, from === token ? `${owner}_TOKEN` : `${owner}_API_KEY`)
    const name = credentials.secret(written.text, from, written.why)
    if (name !== undefined) entry.set('credential', name)
    if (from === token) entry.set('auth', 'token', token)
    return
  }
  if (from !== undefined && (text !== undefined || key === undefined)) {
    entry.set('credential', 'none', from, 'it says that there is none')
    return
  }
  if (key === undefined) {
    entry.set('credential', 'none')
    return
  }
  const name = credentials.secret(texts.variable(key, owner), undefined, undefined)
  if (name !== undefined) entry.set('credential', name)
}

type Making = Pick<DeploymentContext, 'texts' | 'credentials'>

function setAws(entry: DraftEntry, owner: string, parameters: Parameters, making: Making): void {
  const name = awsCredentialOf((key) => parameters.get(key), owner, making)
  if (name !== undefined) entry.set('credential', name)
}

/** The name of a credential for AWS, of what says it in the words of LiteLLM. */
export function awsCredentialOf(get: (key: string) => Foreign | undefined, owner: string, making: Making): string | undefined {
  for (const key of ['aws_role_name', 'aws_session_name', 'aws_web_identity_token', 'aws_sts_endpoint'])
    get(key)?.left('a role that is taken on is not there yet: give this machine the role, or keys of it')
  const keys = { id: get('aws_access_key_id'), secret: get('aws_secret_access_key'), session: get('aws_session_token') }
  return awsCredential({ ...keys, profile: get('aws_profile_name') }, owner, making)
}

function setGoogle(entry: DraftEntry, owner: string, parameters: Parameters, making: Making): void {
  const name = googleCredentialOf(parameters.get('vertex_credentials'), owner, making)
  if (name !== undefined) entry.set('credential', name)
}

/** The name of a credential for Google Cloud. `from`: the key of a service account, or the path of its file. */
export function googleCredentialOf(from: Foreign | undefined, owner: string, { texts, credentials }: Making): string | undefined {
  const made = new DraftEntry()
  const text = from?.text()
  if (from !== undefined && text !== undefined) setServiceAccount(made, from, text, owner, texts)
  else made.set('google.identity', 'auto')
  return credentials.add('google', made)
}

function setServiceAccount(made: DraftEntry, from: Foreign, text: string, owner: string, texts: Making['texts']): void {
  const plain = texts.plain(text)
  const isPath = plain !== undefined && /^[^{}\n$]{1,400}$/.test(plain) && /\.json$/i.test(plain)
  if (isPath) {
    made.set(
      'google.service_account',
      `\${file:${plain}}`,
      from,
      plain.startsWith('/') ? undefined : 'it is looked for beside the configuration',
    )
    return
  }
  const written = texts.secret(text, owner, 'VERTEX_CREDENTIALS')
  made.set(
    'google.service_account',
    written.text,
    from,
    written.why ?? (plain === undefined ? 'the variable is to hold the key itself, not the path of its file' : undefined),
  )
}
