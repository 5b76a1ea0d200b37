/** Where a deployment is: kind, address, region and version of its upstream. */
import { looksSecret } from '../../../config/masking.ts'
import { baseAddressOf } from '../gateways/base-address.ts'
import type { DraftEntry } from '../gateways/draft-entry.ts'
import type { ForeignTexts } from '../gateways/foreign-text.ts'
import { setImplied, setShaped } from '../gateways/shaped-settings.ts'
import type { Parameters } from './parameters.ts'

/** Sets what says where the vendor is. Returns a name for the upstream; undefined when nothing says it. */
export function setAddress(entry: DraftEntry, vendor: string, parameters: Parameters, texts: ForeignTexts): string | undefined {
  const address = parameters.get('api_base') ?? parameters.get('base_url')
  const text = address?.text()
  const plain = text === undefined ? undefined : texts.plain(text)
  const kind = vendor === 'openai' && text !== undefined && !isOpenai(plain) ? 'openai-compatible' : vendor
  const owner = ownerOf(kind, plain)
  entry.set('kind', kind)
  if (address !== undefined && text !== undefined) {
    const written = texts.address(plain === undefined ? text : baseAddressOf(kind, plain), owner)
    entry.set('base_url', written.text, address, written.why)
  } else if (kind === 'azure') entry.set('base_url', texts.variable('AZURE_API_BASE', owner, 'https://not-known-yet.example'))
  else if (kind === 'cloudflare' || kind === 'openai-compatible') return undefined
  if (kind === 'azure') setVersion(entry, owner, parameters, texts)
  if (kind === 'bedrock') setRegion(entry, owner, parameters, texts)
  if (kind === 'vertex') setProject(entry, owner, parameters, texts)
  return owner
}

function isOpenai(address: string | undefined): boolean {
  return address !== undefined && URL.canParse(address) && new URL(address).hostname === 'api.openai.com'
}

/** `azure-my-resource`: what tells the upstreams of one kind apart. */
function ownerOf(kind: string, address: string | undefined): string {
  if (address === undefined || !URL.canParse(address) || !['azure', 'openai-compatible', 'vllm', 'ollama'].includes(kind)) return kind
  const { hostname } = new URL(address)
  const [host = ''] = /^[\d.]+$|^\[/.test(hostname) ? [hostname] : hostname.split('.')
  if (looksSecret(host)) return kind
  return kind === 'azure' ? `azure-${host}` : kind === 'openai-compatible' ? host : `${kind}-${host}`
}

function setVersion(entry: DraftEntry, owner: string, parameters: Parameters, texts: ForeignTexts): void {
  const version = parameters.get('api_version')
  if (texts.plain(version?.text() ?? '') !== '') setShaped(entry, 'api_version', 'azureVersion', version, owner, texts)
}

function setRegion(entry: DraftEntry, owner: string, parameters: Parameters, texts: ForeignTexts): void {
  if (!setShaped(entry, 'region', 'awsRegion', parameters.get('aws_region_name'), owner, texts))
    setImplied(entry, 'region', 'awsRegion', 'AWS_REGION_NAME', owner, texts, 'us-west-2')
}

function setProject(entry: DraftEntry, owner: string, parameters: Parameters, texts: ForeignTexts): void {
  if (!setShaped(entry, 'project', 'googleProject', parameters.get('vertex_project'), owner, texts))
    setImplied(entry, 'project', 'googleProject', 'VERTEXAI_PROJECT', owner, texts)
  if (!setShaped(entry, 'location', 'googleLocation', parameters.get('vertex_location'), owner, texts))
    setImplied(entry, 'location', 'googleLocation', 'VERTEXAI_LOCATION', owner, texts, 'us-central1')
}
