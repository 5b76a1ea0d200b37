/** Where a deployment is: kind, address, region and version of its upstream. */
import { looksSecret } from '../../../config/masking.ts'
import { baseAddressOf } from '../gateways/base-address.ts'
import type { DraftEntry } from '../gateways/draft-entry.ts'
import type { ForeignTexts } from '../gateways/foreign-text.ts'
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
  const text = version?.text()
  if (version === undefined || text === undefined || texts.plain(text) === '') return
  const written = texts.shaped('version', /^\d{4}-\d{2}-\d{2}(?:-preview)?$/, text, owner, '2024-10-21')
  entry.set('api_version', written.text, version, written.why)
}

function setRegion(entry: DraftEntry, owner: string, parameters: Parameters, texts: ForeignTexts): void {
  const region = parameters.get('aws_region_name')
  const text = region?.text()
  if (region === undefined || text === undefined) {
    entry.set('region', texts.variable('AWS_REGION_NAME', owner, 'us-east-1', 'us-west-2'))
    return
  }
  const written = texts.shaped('region', /^[a-z]{2,4}(?:-[a-z]{1,12}){1,3}-\d{1,2}$/, text, owner, 'us-east-1')
  entry.set('region', written.text, region, written.why)
}

function setProject(entry: DraftEntry, owner: string, parameters: Parameters, texts: ForeignTexts): void {
  const project = parameters.get('vertex_project')
  const projectText = project?.text()
  if (project === undefined || projectText === undefined) entry.set('project', texts.variable('VERTEXAI_PROJECT', owner, 'my-project'))
  else {
    const written = texts.shaped('project', /^[a-z][a-z0-9-]{4,29}$/, projectText, owner, 'my-project')
    entry.set('project', written.text, project, written.why)
  }
  const location = parameters.get('vertex_location')
  const locationText = location?.text()
  if (location === undefined || locationText === undefined) {
    entry.set('location', texts.variable('VERTEXAI_LOCATION', owner, 'us-central1', 'us-central1'))
    return
  }
  const written = texts.shaped('location', /^[a-z]{2,20}(?:-[a-z]{2,20}\d{1,2})?$/, locationText, owner, 'us-central1')
  entry.set('location', written.text, location, written.why)
}
